/** What the worklist's integration tests share: the service as a process, DCMTK as its clients and its rival. */
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import {
  decodeDataSet,
  encodePart10,
  readPart10Header,
  sopClasses,
  text,
  worklistItem,
} from '@scanflow/dicom';
import { transferSyntaxes, type DataSet, type WorklistInput } from '@scanflow/dicom';
import {
  apiFetch,
  dcmtk,
  freePort,
  startProgram,
  until,
  type Program,
  type RunResult,
} from '@scanflow/testkit';

const MAIN = join(import.meta.dirname, '../../services/worklist/src/main.ts');
export const AET = 'SCANFLOW';

/** Who ends what was started: a test, or a whole file by `wholeFile()`. */
export interface Owner {
  after(end: () => Promise<unknown>): void;
}

/** For what all tests of a file share: ended after the last of them, latest first. */
export function wholeFile(): Owner {
  const ends: (() => Promise<unknown>)[] = [];
  after(async () => {
    for (const end of ends.reverse()) await end();
  });
  return { after: (end) => void ends.push(end) };
}

/** A folder of its own for a test, removed afterwards. */
export async function scratch(t: Owner): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'worklist-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A booking as an item; what a test does not care about has a value that fits. */
export function item(accessionNumber: string, input: Partial<WorklistInput> = {}): DataSet {
  return worklistItem({
    accessionNumber,
    studyInstanceUid: `2.25.${BigInt(`0x${Buffer.from(accessionNumber).toString('hex')}`)}`,
    patientId: `3010000.01_sub-${accessionNumber}`,
    patientName: `3010000.01_sub-${accessionNumber}`,
    requestedProcedureId: 'ses-mri01',
    description: 'Memory task',
    scheduledProcedureStepId: accessionNumber,
    stationAet: 'PRISMA',
    stationName: 'PRISMA',
    modality: 'MR',
    start: Temporal.ZonedDateTime.from('2026-11-22T09:30[Europe/Amsterdam]'),
    ...input,
  });
}

/** The file that cal2wl would write. */
export function encoded(dataSet: DataSet, characterSet = 'ISO_IR 192'): Uint8Array {
  return encodePart10(dataSet, {
    transferSyntax: transferSyntaxes.explicitVRLittleEndian,
    characterSet,
    sopClassUid: sopClasses.modalityWorklistFind,
    sopInstanceUid: text(dataSet, 'StudyInstanceUID') ?? '2.25.1',
  });
}

/** The folder of the items in a data folder, made with the lock file that wlmscpfs wants. */
export async function worklistFolder(data: string): Promise<string> {
  const folder = join(data, 'worklist', AET);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'lockfile'), '');
  return folder;
}

/** Publishes a file as cal2wl does: aside, then renamed. */
export async function publish(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const aside = join(folder, `.${name}.tmp`);
  await writeFile(aside, bytes);
  await rename(aside, join(folder, name));
}

export interface Service {
  readonly port: number;
  readonly httpPort: number;
  readonly program: Program;
  readonly data: string;
  /** JSON of one of its pages. */
  get(path: string): Promise<unknown>;
  /** Text of one of its pages. */
  page(path: string): Promise<string>;
}

export interface ServiceOptions {
  readonly data: string;
  /** Lines of the configuration's `worklist:`, such as `view: own`. */
  readonly worklist?: readonly string[];
  readonly port?: number;
  /** Line of the scanner PRISMA. */
  readonly prisma?: string;
}

const PRISMA = 'prisma: { aet: PRISMA, modality: MR, characterSet: ISO_IR 100 }';
const SCANNERS = `
  skyra: { aet: SKYRA, modality: MR }
  meg: { aet: MEG, modality: OT, characterSet: ISO_IR 6 }`;

/** Starts the service as its container does, and waits until it is healthy. */
export async function startService(
  t: Owner,
  { data, worklist = [], port: wanted, prisma = PRISMA }: ServiceOptions,
): Promise<Service> {
  const port = wanted ?? (await freePort());
  const httpPort = await freePort();
  const config = join(data, `scanflow-${port}-${httpPort}.yaml`);
  // the items of most tests have a fixed day, which must not be over when it is
  const retain = worklist.some((line) => line.startsWith('retain:')) ? [] : ['retain: 3650d'];
  const lines = [`aet: ${AET}`, 'bind: 127.0.0.1', `port: ${port}`, ...retain, ...worklist];
  await writeFile(
    config,
    `facility: { name: Test, timezone: Europe/Amsterdam }
data: ${data}
scanners:
  ${prisma}${SCANNERS}
worklist:
${lines.map((line) => `  ${line}`).join('\n')}
orthanc: { url: http://127.0.0.1:1 }
storage: { root: ${data}-storage }
http: { bind: 127.0.0.1, ports: { worklist: ${httpPort} } }
log: { level: info }
`,
  );
  const program = await startProgram(process.execPath, [MAIN, '--config', config], {
    env: { LOG_FORMAT: 'json' },
  });
  t.after(() => program.stop());
  const page = async (path: string): Promise<string> =>
    (await apiFetch(data, `http://127.0.0.1:${httpPort}${path}`)).text();
  const healthy = async (): Promise<boolean> => {
    if (program.exited()) throw new Error(`the service ended: ${program.output()}`);
    return fetch(`http://127.0.0.1:${httpPort}/healthz`).then(
      (response) => response.ok,
      () => false,
    );
  };
  await until(healthy, { what: 'the worklist is healthy', timeoutMs: 30_000 });
  return {
    port,
    httpPort,
    program,
    data,
    page,
    get: async (path) => JSON.parse(await page(path)) as unknown,
  };
}

/** DCMTK's worklist SCP over the same folder; gives its port. */
export async function startWlmscpfs(t: Owner, data: string, extra: readonly string[] = []): Promise<number> {
  const port = await freePort();
  const args = ['-v', '--single-process', '-csk', '-dfp', join(data, 'worklist'), ...extra, String(port)];
  const program = await startProgram('wlmscpfs', args);
  t.after(() => program.stop('SIGKILL'));
  await until(
    async () => {
      if (program.exited()) throw new Error(`wlmscpfs ended: ${program.output()}`);
      return (await echo(port, { calledAet: AET })).code === 0;
    },
    { what: 'wlmscpfs answers', timeoutMs: 15_000, everyMs: 100 },
  );
  return port;
}

export interface CallOptions {
  readonly callingAet?: string;
  readonly calledAet?: string;
  /** findscu's options, such as `-xi` for implicit VR. */
  readonly extra?: readonly string[];
  /** Files that hold the query, beside its keys. */
  readonly files?: readonly string[];
}

/** DCMTK's echoscu. */
export function echo(
  port: number,
  { callingAet = 'SKYRA', calledAet = AET }: CallOptions = {},
): Promise<RunResult> {
  return dcmtk('echoscu', ['-v', '-aet', callingAet, '-aec', calledAet, '127.0.0.1', String(port)]);
}

export interface Found {
  readonly answers: DataSet[];
  /** Paths of the answers as findscu wrote them; in a folder that goes with the test. */
  readonly files: string[];
  /** Of each response, the last one final: ff00, ff01, 0 … */
  readonly statuses: string[];
  readonly code: number | null;
  readonly output: string;
}

/** DCMTK's findscu; `keys` are as its -k takes them. */
export async function find(
  t: Owner,
  port: number,
  keys: readonly string[],
  { callingAet = 'SKYRA', calledAet = AET, extra = [], files: queries = [] }: CallOptions = {},
): Promise<Found> {
  const folder = await scratch(t);
  const args = ['-d', '-W', '-X', '-od', folder, '-aet', callingAet, '-aec', calledAet, ...extra];
  const asked = keys.flatMap((key) => ['-k', key]);
  const { code, stdout, stderr } = await dcmtk('findscu', [
    ...args,
    ...asked,
    '127.0.0.1',
    String(port),
    ...queries,
  ]);
  const output = stdout + stderr;
  const names = (await readdir(folder)).filter((name) => name.startsWith('rsp')).sort();
  const files = names.map((name) => join(folder, name));
  const answers = await Promise.all(files.map(async (file) => decodeFile(await readFile(file))));
  const statuses = [...output.matchAll(/DIMSE Status\s+: 0x([0-9a-f]{4})/g)].map(
    ([, status]) => status ?? '',
  );
  return { answers, files, statuses, code, output };
}

/** The data set of a Part 10 file. */
export function decodeFile(bytes: Uint8Array): DataSet {
  const header = readPart10Header(bytes);
  if ('needMore' in header) throw new Error('the file ends within its header');
  return decodeDataSet(bytes.subarray(header.dataSetOffset), header.transferSyntax);
}

/** Accession numbers of the answers, sorted. */
export const accessions = (found: Found): string[] =>
  found.answers.map((answer) => text(answer, 'AccessionNumber') ?? '').sort();

/** Keys that every query has, so that answers can be told apart. */
export const IDENTITY = ['AccessionNumber', 'StudyInstanceUID', 'PatientName', 'PatientID'];
export const step = (key: string): string => `ScheduledProcedureStepSequence[0].${key}`;
