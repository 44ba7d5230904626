/** A real Orthanc behind a real receiver, and scanners' data sets to send to it. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeSeries, readPart10Header, type PhantomInstance } from '@scanflow/dicom';
import {
  apiFetch,
  freePort,
  startOrthanc,
  startProgram,
  until,
  type OrthancOptions,
  type Program,
  type RunningOrthanc,
} from '@scanflow/testkit';

const MAIN = fileURLToPath(new URL('../../services/receiver/src/main.ts', import.meta.url));

export interface RigOptions {
  readonly orthanc?: Partial<OrthancOptions>;
  /** Sections of the configuration, over those of the rig. */
  readonly sections?: Readonly<Record<string, object>>;
  /** What the receiver is told to be Orthanc, for something in between. */
  readonly between?: (orthanc: RunningOrthanc) => Promise<string>;
  /** What the receiver runs under, such as `prlimit` with its options. */
  readonly prefix?: readonly string[];
}

export interface Rig {
  readonly folder: string;
  readonly orthanc: RunningOrthanc;
  /** Where scanners send to. */
  readonly port: number;
  readonly url: string;
  readonly configFile: string;
  readonly receiver: () => Program;
  readonly start: () => Promise<void>;
  /** Writes the configuration anew with other sections. */
  readonly configure: (sections: Readonly<Record<string, object>>) => Promise<void>;
  readonly api: (path: string) => Promise<Record<string, unknown>>;
}

/** Starts both, ended with the test. */
export async function startRig(t: TestContext, options: RigOptions = {}): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-receiver-'));
  const orthanc = await startOrthanc({ folder: join(folder, 'orthanc'), ...options.orthanc });
  const [port, http] = [await freePort(), await freePort()];
  const configFile = join(folder, 'scanflow.yaml');
  const url = `http://127.0.0.1:${http}`;
  const orthancUrl = (await options.between?.(orthanc)) ?? orthanc.url;
  const configure = async (sections: Readonly<Record<string, object>>): Promise<void> => {
    const { username, passwordFile } = orthanc;
    const { receiver = {}, ...others } = sections;
    const config = {
      facility: { name: 'Test', timezone: 'Europe/Amsterdam' },
      data: join(folder, 'data'),
      scanners: { prisma: { aet: 'PRISMA', modality: 'MR' } },
      orthanc: { url: orthancUrl, username, passwordFile },
      storage: { root: join(folder, 'project') },
      http: { ports: { receiver: http } },
      receiver: { port, ...receiver },
      ...others,
    };
    await writeFile(configFile, JSON.stringify(config));
  };
  await mkdir(join(folder, 'data'));
  await configure(options.sections ?? {});
  let program: Program | undefined;
  const receiver = (): Program => {
    if (program === undefined) throw new Error('the receiver was not started');
    return program;
  };
  const start = async (): Promise<void> => {
    const [command, ...args] = [...(options.prefix ?? []), process.execPath, MAIN, '--config', configFile];
    program = await startProgram(command, args, { env: { LOG_FORMAT: 'json' } });
    await until(() => listens(url, receiver()), { what: 'the receiver listens', timeoutMs: 60_000 });
  };
  t.after(async () => {
    await program?.stop();
    await orthanc.stop();
    await rm(folder, { recursive: true, force: true });
  });
  await start();
  const api = async (path: string): Promise<Record<string, unknown>> =>
    (await (await apiFetch(join(folder, 'data'), `${url}${path}`)).json()) as Record<string, unknown>;
  return { folder, orthanc, port, url, configFile, receiver, start, configure, api };
}

/** Its page answers, whatever it says of Orthanc. */
async function listens(url: string, program: Program): Promise<boolean> {
  if (program.exited()) throw new Error(`the receiver ended at once:\n${program.output()}`);
  return fetch(`${url}/healthz`).then(
    () => true,
    () => false,
  );
}

/** A phantom series as files. */
export async function writeImages(folder: string, count: number, seed = 1): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const paths: string[] = [];
  for (const image of phantoms(count, seed)) {
    const path = join(folder, `${image.sopInstanceUid}.dcm`);
    await writeFile(path, image.bytes);
    paths.push(path);
  }
  return paths;
}

export const phantoms = (count: number, seed = 1): PhantomInstance[] => [
  ...makeSeries({
    modality: 'MR',
    images: count,
    rows: 64,
    columns: 64,
    when: Temporal.ZonedDateTime.from('2026-11-22T09:00[Europe/Amsterdam]'),
    seed,
  }),
];

/** SHA-256 of a file's data set: everything behind its file meta information. */
export function dataSetHash(file: Uint8Array): string {
  const header = readPart10Header(file, file.length);
  if ('needMore' in header) throw new Error('no DICOM file');
  return createHash('sha256').update(file.subarray(header.dataSetOffset)).digest('hex');
}

export const hashOf = async (path: string): Promise<string> => dataSetHash(await readFile(path));

export const instances = async ({ orthanc }: Rig): Promise<string[]> =>
  (await orthanc.get('/instances')) as string[];

/** Hashes of the data sets that Orthanc has, in no order. */
export async function storedHashes(rig: Rig): Promise<string[]> {
  const files = (await instances(rig)).map(async (id) => {
    const answer = await rig.orthanc.request(`/instances/${id}/file`);
    return dataSetHash(new Uint8Array(await answer.arrayBuffer()));
  });
  return (await Promise.all(files)).sort();
}
