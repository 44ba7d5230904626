/** A real Orthanc, a real streamer and what has to be true in the end. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { bookingRecord as booked } from '@scanflow/testkit/events';
import { defined } from '@scanflow/failure/defined';
import { sha256 } from './sha256.ts';
import { encodeBookingRecord, type BookingRecord } from '@scanflow/booking';
import { dataSet, makeSeries, type PhantomOptions } from '@scanflow/dicom';
import {
  apiFetch,
  freePort,
  startOrthanc,
  startProgram,
  storescu,
  until,
  type OrthancOptions,
  type Program,
  type RunningOrthanc,
} from '@scanflow/testkit';

export interface Leg {
  readonly target: string;
  readonly state: string;
  readonly attempts: number;
  readonly nextTry?: string;
  readonly failure?: { readonly code: string; readonly message: string };
  readonly done: number;
  readonly total: number;
  readonly transcoded?: number;
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
  /** Further sections of the configuration. */
  readonly extra?: Readonly<Record<string, unknown>>;
  /** Folder of the ledger and the bookings; made when absent. */
  readonly data?: string;
  /** What the streamer is told to be Orthanc, for something in between. */
  readonly between?: (orthanc: RunningOrthanc) => Promise<string>;
  /** Addresses of destinations that are not on loopback. */
  readonly hosts?: Readonly<Record<string, string>>;
}

export interface Rig {
  readonly folder: string;
  readonly root: string;
  readonly orthanc: RunningOrthanc;
  readonly configFile: string;
  /** Of the streamer's pages. */
  readonly url: string;
  /** The folder that the services share. */
  readonly data: string;
  /** Starts a streamer; `killAt` ends it at that moment. */
  readonly start: (kill?: { at: string; nth?: number }) => Promise<Program>;
  /** Starts one with a module preloaded, and further variables of the environment. */
  readonly startWith: (preload: string, env: Readonly<Record<string, string>>) => Promise<Program>;
  /** The one that runs now. */
  readonly streamer: () => Program;
  /** Any page, with the internal token. */
  readonly api: (path: string, init?: RequestInit) => Promise<Response>;
  readonly series: () => Promise<Series[]>;
  readonly health: () => Promise<{ status: number; body: Record<string, unknown> }>;
  readonly metrics: () => Promise<string>;
  readonly csv: () => Promise<string>;
  readonly book: (record: BookingRecord) => Promise<void>;
}

const MAIN = join(import.meta.dirname, '../../services/streamer/src/main.ts');
const KILLER = join(import.meta.dirname, 'streamer-killer.ts');

/** As much of a test as the rig needs. */
export type RigContext = Pick<TestContext, 'after' | 'diagnostic' | 'passed'>;

/** Everything in a folder of its own; ended and removed when the test ends. */
export async function makeRig(t: RigContext, options: RigOptions = {}): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-streamer-'));
  let program: Program | undefined;
  const orthanc = await startOrthanc({ folder: join(folder, 'orthanc'), ...options.orthanc });
  t.after(async () => {
    if (program !== undefined) await program.stop('SIGKILL');
    if (!t.passed && program !== undefined) t.diagnostic(`the streamer said:\n${program.output()}`);
    await orthanc.kill();
    await rm(folder, { recursive: true, force: true });
  });
  const root = options.root ?? join(folder, 'project');
  const data = options.data ?? join(folder, 'data');
  await mkdir(root, { recursive: true });
  await mkdir(join(data, 'bookings'), { recursive: true });
  const port = await freePort();
  const configFile = join(folder, 'scanflow.yaml');
  const orthancUrl = (await options.between?.(orthanc)) ?? orthanc.url;
  const places = { root, data, port, orthanc, orthancUrl };
  await writeFile(configFile, JSON.stringify(configuration(options, places), null, 2));
  const url = `http://127.0.0.1:${port}`;
  const api = (path: string, init?: RequestInit): Promise<Response> => apiFetch(data, `${url}${path}`, init);
  const launch = async (
    flags: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<Program> => {
    program = await startProgram(process.execPath, [...flags, MAIN, '--config', configFile], { env });
    return program;
  };
  return {
    folder,
    root,
    orthanc,
    configFile,
    url,
    data,
    start: (kill) => {
      if (kill === undefined) return launch([], {});
      const { at, nth = 1 } = kill;
      const env = { KILL_AT: at, KILL_NTH: String(nth), KILL_NOTE: join(folder, 'killed') };
      return launch(['--import', KILLER], env);
    },
    startWith: (preload, env) => launch(['--import', preload], env),
    streamer: () => {
      assert.ok(program !== undefined, 'no streamer was started');
      return program;
    },
    api,
    series: async () => {
      const response = await api('/api/series');
      assert.equal(response.status, 200);
      return ((await response.json()) as { series: Series[] }).series;
    },
    health: async () => {
      const response = await fetch(`${url}/healthz`);
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
    metrics: async () => (await fetch(`${url}/metrics`)).text(),
    csv: async () => (await api('/api/series.csv')).text(),
    book: (record) =>
      writeFile(join(data, 'bookings', `${record.accessionNumber}.json`), encodeBookingRecord(record)),
  };
}

interface Places {
  readonly root: string;
  readonly data: string;
  readonly port: number;
  readonly orthanc: RunningOrthanc;
  readonly orthancUrl: string;
}

function configuration(options: RigOptions, { root, data, port, orthanc, orthancUrl }: Places): unknown {
  const destinations = Object.entries(options.destinations ?? {}).map(([name, at]) => [
    name,
    {
      host: options.hosts?.[name] ?? '127.0.0.1',
      port: at,
      aet: name.toUpperCase(),
      ...(options.tls && { tls: options.tls }),
    },
  ]);
  return {
    facility: { name: 'Test', timezone: 'Europe/Amsterdam' },
    data,
    scanners: { prisma: { aet: 'PRISMA', modality: 'MR' } },
    orthanc: { url: orthancUrl, username: orthanc.username, passwordFile: orthanc.passwordFile },
    arrivals: { quiet: options.quiet ?? '500ms', poll: '100ms' },
    storage: {
      root,
      ...defined({ layout: options.layout, unmatched: options.unmatched }),
    },
    destinations: Object.fromEntries(destinations) as unknown,
    ...options.extra,
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
    ...defined({ AccessionNumber: accession }),
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

/**
 * Waits until the streamer has seen all that Orthanc reports so far, and the API shows `count` series, each in one
 * of the states.
 */
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
      if (!(await caughtUp(rig).catch(() => false))) return undefined;
      const all = await rig.series().catch(() => undefined);
      last = all;
      return all?.length === count && all.every(({ state }) => states.includes(state)) ? all : undefined;
    },
    { what: `${count} series in ${states.join(', ')}`, timeoutMs, everyMs: 50 },
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${JSON.stringify(last, null, 1)}\n${rig.streamer().output()}`);
  });
}

/** A booking record of the calendar's. */
export const bookingRecord = (over: Partial<BookingRecord> & { accessionNumber: string }): BookingRecord =>
  booked({
    studyInstanceUid: `2.25.${BigInt(`0x${sha256(Buffer.from(over.accessionNumber)).slice(0, 30)}`)}`,
    start: '2026-11-22T09:00:00Z',
    end: '2026-11-22T10:00:00Z',
    labels: { project: '3010000.02', subject: 'sub-007', session: 'ses-mri02' },
    title: 'a scan',
    patientId: '3010000.02_sub-007',
    patientName: '3010000.02_sub-007',
    source: { calendar: 'prisma', uid: 'a@b' },
    ...over,
  });

/** Whether the streamer has seen all that Orthanc reports so far. */
export async function caughtUp(rig: Rig): Promise<boolean> {
  const { Last: last } = (await rig.orthanc.get('/changes?last')) as { Last: number };
  const seq = /^scanflow_streamer_change_seq (\d+)$/m.exec(await rig.metrics())?.[1];
  return Number(seq) >= last;
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
