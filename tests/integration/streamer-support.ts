/** A real Orthanc, a real streamer and what has to be true in the end. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { encodeRecord, type BookingRecord } from '@scanflow/booking';
import { dataSet, makeSeries, readPart10Header, removeSplice, type PhantomOptions } from '@scanflow/dicom';
import {
  freePort,
  run,
  startOrthanc,
  startProgram,
  storescu,
  until,
  type OrthancOptions,
  type Program,
  type RunningOrthanc,
} from '@scanflow/testkit';

export const TAG = {
  group: 0x0021,
  creator: 'SCANFLOW',
  element: 0x10,
  vr: 'LO',
  value: 'DICOM send',
} as const;

export interface Leg {
  readonly target: string;
  readonly state: string;
  readonly attempts: number;
  readonly nextTry?: string;
  readonly failure?: { readonly code: string; readonly message: string };
  readonly done: number;
  readonly total: number;
  readonly path?: string;
}

export interface Series {
  readonly id: string;
  readonly seriesInstanceUid: string;
  readonly state: string;
  readonly reasonCode?: string;
  readonly images: { readonly inOrthanc: number; readonly stored: number; readonly untagged: number };
  readonly legs: readonly Leg[];
}

export interface StoredRecord {
  readonly counts: Readonly<Record<string, number>>;
  readonly failures: readonly { readonly code: string }[];
  readonly instances: readonly {
    readonly orthancId: string;
    readonly sopInstanceUid: string;
    readonly file: string;
    readonly sha256: string;
    readonly bytes: number;
    readonly original: { readonly md5: string; readonly bytes: number };
    readonly tagged: boolean;
    readonly untagged?: { readonly code: string; readonly message: string };
    readonly differsFrom?: string;
    readonly increment: number;
  }[];
}

export interface RigOptions {
  readonly orthanc?: Partial<OrthancOptions>;
  readonly quiet?: string;
  /** Name → port. */
  readonly destinations?: Readonly<Record<string, number>>;
  /** `tls:` of all of them. */
  readonly tls?: object;
  readonly layout?: string;
  readonly unmatched?: string;
  readonly root?: string;
}

export interface Rig {
  readonly folder: string;
  readonly root: string;
  readonly orthanc: RunningOrthanc;
  readonly configFile: string;
  /** Starts a streamer; `killAt` ends it at that moment. */
  readonly start: (kill?: { at: string; nth?: number }) => Promise<Program>;
  /** The one that runs now. */
  readonly streamer: () => Program;
  readonly series: () => Promise<Series[]>;
  readonly health: () => Promise<{ status: number; body: Record<string, unknown> }>;
  readonly metrics: () => Promise<string>;
  readonly csv: () => Promise<string>;
  readonly book: (record: BookingRecord) => Promise<void>;
}

const MAIN = join(import.meta.dirname, '../../services/streamer/src/main.ts');
const KILLER = join(import.meta.dirname, 'streamer-killer.ts');

/** Everything in a folder of its own; ended and removed when the test ends. */
export async function makeRig(t: TestContext, options: RigOptions = {}): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-streamer-'));
  let program: Program | undefined;
  const orthanc = await startOrthanc({ folder: join(folder, 'orthanc'), ...options.orthanc });
  t.after(async () => {
    if (program !== undefined) await program.stop('SIGKILL');
    await orthanc.kill();
    await rm(folder, { recursive: true, force: true });
  });
  const root = options.root ?? join(folder, 'project');
  const data = join(folder, 'data');
  await mkdir(root, { recursive: true });
  await mkdir(join(data, 'bookings'), { recursive: true });
  const port = await freePort();
  const configFile = join(folder, 'scanflow.yaml');
  await writeFile(configFile, JSON.stringify(configuration(options, { root, data, port, orthanc }), null, 2));
  const url = `http://127.0.0.1:${port}`;
  return {
    folder,
    root,
    orthanc,
    configFile,
    start: async (kill) => {
      const env =
        kill === undefined
          ? {}
          : { KILL_AT: kill.at, KILL_NTH: String(kill.nth ?? 1), KILL_NOTE: join(folder, 'killed') };
      const preload = kill === undefined ? [] : ['--import', KILLER];
      program = await startProgram(process.execPath, [...preload, MAIN, '--config', configFile], { env });
      return program;
    },
    streamer: () => {
      assert.ok(program !== undefined, 'no streamer was started');
      return program;
    },
    series: async () => {
      const response = await fetch(`${url}/api/series`);
      assert.equal(response.status, 200);
      return ((await response.json()) as { series: Series[] }).series;
    },
    health: async () => {
      const response = await fetch(`${url}/healthz`);
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
    metrics: async () => (await fetch(`${url}/metrics`)).text(),
    csv: async () => (await fetch(`${url}/api/series.csv`)).text(),
    book: (record) =>
      writeFile(join(data, 'bookings', `${record.accessionNumber}.json`), encodeRecord(record)),
  };
}

function configuration(
  options: RigOptions,
  { root, data, port, orthanc }: { root: string; data: string; port: number; orthanc: RunningOrthanc },
): unknown {
  const destinations = Object.entries(options.destinations ?? {}).map(([name, at]) => [
    name,
    { host: '127.0.0.1', port: at, aet: name.toUpperCase(), ...(options.tls && { tls: options.tls }) },
  ]);
  return {
    facility: { name: 'Test', timezone: 'Europe/Amsterdam' },
    data,
    scanners: { prisma: { aet: 'PRISMA', modality: 'MR' } },
    orthanc: { url: orthanc.url, username: orthanc.username, passwordFile: orthanc.passwordFile },
    arrivals: { quiet: options.quiet ?? '500ms', poll: '100ms' },
    storage: {
      root,
      ...(options.layout === undefined ? {} : { layout: options.layout }),
      ...(options.unmatched === undefined ? {} : { unmatched: options.unmatched }),
    },
    destinations: Object.fromEntries(destinations) as unknown,
    http: { bind: '127.0.0.1', ports: { cal2wl: 0, worklist: 0, streamer: port } },
  };
}

/** A phantom's files in a folder. By default its PatientID and StudyID give project, subject and session. */
export async function phantom(
  folder: string,
  options: Partial<PhantomOptions> & { images: number; studyId?: string; accession?: string },
): Promise<{ folder: string; files: string[] }> {
  const { studyId = 'ses-mri01', accession, ...rest } = options;
  await mkdir(folder, { recursive: true });
  const worklistItem = dataSet({
    RequestedProcedureID: studyId,
    ...(accession === undefined ? {} : { AccessionNumber: accession }),
  });
  const series = makeSeries({
    modality: 'MR',
    patientId: '3010000.01_sub-001',
    when: Temporal.ZonedDateTime.from('2026-11-22T10:00[Europe/Amsterdam]'),
    worklistItem,
    ...rest,
  });
  const files: string[] = [];
  for (const { sopInstanceUid, bytes } of series) {
    const file = join(folder, `${sopInstanceUid}.dcm`);
    await writeFile(file, bytes);
    files.push(file);
  }
  return { folder, files };
}

export function sendTo(orthanc: RunningOrthanc, ...paths: string[]): Promise<void> {
  return storescu({ port: orthanc.dicomPort, calledAet: orthanc.aet }, paths);
}

/** Waits until the API shows `count` series, each in one of the states. */
export function settled(
  rig: Rig,
  count: number,
  states: readonly string[] = ['complete', 'failed', 'quarantined'],
  timeoutMs = 60_000,
): Promise<Series[]> {
  let last: unknown;
  return until(
    async () => {
      if (rig.streamer().exited()) throw new Error(`the streamer ended:\n${rig.streamer().output()}`);
      const all = await rig.series().catch(() => undefined);
      last = all;
      return all?.length === count && all.every(({ state }) => states.includes(state)) ? all : undefined;
    },
    { what: `${count} series in ${states.join(', ')}`, timeoutMs, everyMs: 50 },
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${JSON.stringify(last, null, 1)}\n${rig.streamer().output()}`);
  });
}

export function folderOf(series: Series): string {
  const path = series.legs.find(({ target }) => target === 'storage')?.path;
  assert.ok(path !== undefined, 'the series has no folder');
  return path;
}

export async function recordOf(folder: string): Promise<StoredRecord> {
  return JSON.parse(await readFile(join(folder, 'series.json'), 'utf8')) as StoredRecord;
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** `sha256sum -c` accepts the manifest; it, the record and the folder name the same files. */
export async function verifyManifest(folder: string): Promise<StoredRecord> {
  const record = await recordOf(folder);
  const check = await run('sha256sum', ['-c', '--strict', '--quiet', 'manifest-sha256.txt'], { cwd: folder });
  assert.equal(check.code, 0, check.stdout + check.stderr);
  const manifest = (await readFile(join(folder, 'manifest-sha256.txt'), 'utf8')).trimEnd().split('\n');
  const named = manifest.map((line) => line.slice(66)).sort();
  const present = (await readdir(folder)).sort();
  assert.deepEqual(present, [...named, 'manifest-sha256.txt', 'series.json'].sort());
  assert.deepEqual(record.instances.map(({ file }) => file).sort(), named);
  return record;
}

/**
 * The invariant, for a series that is stored: every instance of Orthanc's is there, once, as it came but for the
 * tag; the manifest says so and nothing else lies in the folder. Answers the number of images.
 */
export async function verifyStored(rig: Rig, series: Series): Promise<number> {
  const folder = folderOf(series);
  const record = await verifyManifest(folder);
  const inOrthanc = ((await rig.orthanc.get(`/series/${series.id}`)) as { Instances: string[] }).Instances;
  assert.deepEqual([...new Set(record.instances.map(({ orthancId }) => orthancId))].sort(), inOrthanc.sort());
  for (const instance of record.instances) {
    const stored = await readFile(join(folder, instance.file));
    assert.equal(stored.length, instance.bytes);
    if (instance.differsFrom !== undefined) continue;
    const response = await rig.orthanc.request(`/instances/${instance.orthancId}/file`);
    const original = Buffer.from(await response.arrayBuffer());
    const untagged = instance.tagged ? Buffer.from(removeSplice(stored, TAG)) : stored;
    assert.ok(untagged.equals(original), `${instance.file} without its tag is not what came`);
  }
  return record.instances.length;
}

/** Every stored image is at the destination once, its data set byte for byte the same. */
export async function verifyForwarded(
  folders: readonly string[],
  received: readonly string[],
): Promise<number> {
  const stored = new Map<string, string>();
  for (const folder of folders)
    for (const { file, sopInstanceUid } of (await recordOf(folder)).instances)
      stored.set(sopInstanceUid, sha256(dataSetOf(await readFile(join(folder, file)))));
  const got = new Map<string, string>();
  for (const file of received) {
    const bytes = await readFile(file);
    got.set(headerOf(bytes).sopInstanceUid, sha256(dataSetOf(bytes)));
  }
  assert.equal(received.length, got.size, 'an image arrived under two names');
  assert.deepEqual([...got].sort(), [...stored].sort());
  return got.size;
}

function headerOf(bytes: Uint8Array): { sopInstanceUid: string; dataSetOffset: number } {
  const header = readPart10Header(bytes, bytes.length);
  assert.ok(!('needMore' in header));
  return header;
}

const dataSetOf = (bytes: Uint8Array): Uint8Array => bytes.subarray(headerOf(bytes).dataSetOffset);

/** A booking record of the calendar's. */
export function bookingRecord(over: Partial<BookingRecord> & { accessionNumber: string }): BookingRecord {
  return {
    version: 1,
    studyInstanceUid: `2.25.${BigInt(`0x${sha256(Buffer.from(over.accessionNumber)).slice(0, 30)}`)}`,
    status: 'scheduled',
    scanner: 'prisma',
    modality: 'MR',
    start: '2026-11-22T09:00:00Z',
    end: '2026-11-22T10:00:00Z',
    labels: { project: '3010000.02', subject: 'sub-007', session: 'ses-mri02' },
    title: 'a scan',
    patientId: '3010000.02_sub-007',
    patientName: '3010000.02_sub-007',
    source: { calendar: 'prisma', uid: 'a@b' },
    ...over,
  };
}

/** A folder that goes when the test ends. */
export async function scratch(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-peer-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export const legOf = (series: Series | undefined, target: string): Leg => {
  const leg = series?.legs.find((one) => one.target === target);
  assert.ok(leg !== undefined, `no leg ${target}`);
  return leg;
};

/** Waits until the leg of the only series is as wanted. */
export function legWhen(rig: Rig, target: string, wanted: (leg: Leg) => boolean, what: string): Promise<Leg> {
  return until(
    async () => {
      const [series] = await rig.series().catch(() => []);
      const leg = series?.legs.find((one) => one.target === target);
      return leg !== undefined && wanted(leg) ? leg : undefined;
    },
    { what, timeoutMs: 60_000, everyMs: 50 },
  );
}
