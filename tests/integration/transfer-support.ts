/** For tests of `scanflow transfer`: an Orthanc as target, studies, lists, and the command as a person runs it. */
import { strict as assert } from 'node:assert';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { dataSet, makeSeries } from '@scanflow/dicom';
import {
  run,
  startOrthanc,
  startProgram,
  type Program,
  type RunningOrthanc,
  type RunResult,
} from '@scanflow/testkit';
import {
  startScriptedArchive,
  type ArchivedImage,
  type ArchiveScript,
  type ScriptedArchive,
} from '@scanflow/testkit/dimse/scripted-archive';

export type { ArchivedImage, ScriptedArchive } from '@scanflow/testkit/dimse/scripted-archive';
export type { ScriptedMove } from '@scanflow/testkit/dimse/scripted-archive';

const SCANFLOW = fileURLToPath(new URL('../../services/cli/bin/scanflow', import.meta.url));

export async function folder(t?: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'transfer-test-'));
  (t === undefined ? after : t.after.bind(t))(() => rm(made, { recursive: true, force: true }));
  return made;
}

/** One that knows nobody but `modalities`, for the whole file. */
export async function orthancFor(
  aet: string,
  modalities: Record<string, unknown> = {},
  more: Record<string, unknown> = {},
): Promise<RunningOrthanc> {
  const allowed = { DicomAlwaysAllowFind: true, DicomAlwaysAllowMove: true };
  const orthanc = await startOrthanc({
    folder: await folder(),
    aet,
    extra: { DicomModalities: modalities, ...allowed, ...more },
  });
  after(() => orthanc.stop());
  return orthanc;
}

export interface StudyOptions {
  readonly accession: string;
  readonly studyUid: string;
  /** Images of each series. */
  readonly series: readonly number[];
  readonly patientId?: string;
  readonly day?: string;
}

export function study({
  accession,
  studyUid,
  series,
  patientId = 'PHANTOM',
  day = '2026-11-22',
}: StudyOptions): ArchivedImage[] {
  const worklistItem = dataSet({
    AccessionNumber: accession,
    StudyInstanceUID: studyUid,
    PatientID: patientId,
  });
  return series.flatMap((images, at) => [
    ...makeSeries({
      modality: 'MR',
      images,
      rows: 16,
      columns: 16,
      when: Temporal.ZonedDateTime.from(`${day}T09:00[Europe/Amsterdam]`),
      seriesNumber: at + 1,
      seriesInstanceUid: `${studyUid}.${at + 1}`,
      worklistItem,
    }),
  ]);
}

export const upload = async (orthanc: RunningOrthanc, images: readonly ArchivedImage[]): Promise<void> => {
  for (const { bytes } of images) assert.equal((await orthanc.upload(bytes)).status, 200);
};

/** SOP Instance UIDs of a study, by REST. */
export async function inOrthanc(orthanc: RunningOrthanc, studyUid: string): Promise<string[]> {
  const answer = await orthanc.request('/tools/find', {
    method: 'POST',
    body: JSON.stringify({ Level: 'Instance', Query: { StudyInstanceUID: studyUid }, Expand: true }),
  });
  const found = (await answer.json()) as { MainDicomTags: { SOPInstanceUID: string } }[];
  return found.map(({ MainDicomTags }) => MainDicomTags.SOPInstanceUID).sort();
}

export const uidsOf = (images: readonly ArchivedImage[]): string[] =>
  images.map(({ sopInstanceUid }) => sopInstanceUid).sort();

export async function scripted(t: TestContext, script: ArchiveScript): Promise<ScriptedArchive> {
  const archive = await startScriptedArchive(script);
  t.after(() => archive.close());
  return archive;
}

/** A list on disk. */
export async function list(t: TestContext, ...lines: string[]): Promise<string> {
  const path = join(await folder(t), 'list.csv');
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
}

export const at = (aet: string, port: number): string => `${aet}@127.0.0.1:${port}`;

export const transfer = (...args: string[]): Promise<RunResult> =>
  run(SCANFLOW, ['transfer', ...args], { timeoutMs: 180_000 });

/** The command in the hands of a test that ends it. */
export async function started(t: TestContext, ...args: string[]): Promise<Program> {
  const program = await startProgram(SCANFLOW, ['transfer', ...args]);
  t.after(() => program.stop('SIGKILL'));
  return program;
}

export interface JsonRow {
  readonly line: number;
  readonly requested: string;
  readonly studyUid: string;
  readonly found: number;
  readonly there: number;
  readonly transferred: number;
  readonly missing: number;
  readonly failed: number;
  readonly status: string;
  readonly checkedBy?: string;
  readonly code?: string;
  readonly reason?: string;
  readonly earlier: boolean;
}

export interface Json {
  readonly complete: number;
  readonly earlier: number;
  readonly rows: readonly JsonRow[];
}

export const json = ({ stdout, stderr }: RunResult): Json => {
  assert.ok(stdout.startsWith('{'), stdout + stderr);
  return JSON.parse(stdout) as Json;
};

/** Found, there, transferred, missing, failed, status, code. */
export const summary = (row: JsonRow | undefined): unknown[] => [
  row?.found,
  row?.there,
  row?.transferred,
  row?.missing,
  row?.failed,
  row?.status,
  row?.code,
];

export async function reportIn(path: string): Promise<string[]> {
  const [name = '', ...more] = await readdir(path);
  assert.deepEqual(more, []);
  assert.match(name, /^transfer_report-\d{8}T\d{6}\.csv$/);
  return (await readFile(join(path, name), 'utf8')).trimEnd().split('\r\n');
}
