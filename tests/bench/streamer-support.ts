/** What `bench:streamer` is made of: series in an Orthanc, a bare loop that copies them, a streamer that is watched. */
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, writeFile } from 'node:fs/promises';
import { Agent, get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dataSet, makeSeries } from '@scanflow/dicom';
import { freePort, startProgram, until, type Program, type RunningOrthanc } from '@scanflow/testkit';

const MAIN = fileURLToPath(new URL('../../services/streamer/src/main.ts', import.meta.url));
const OBSERVER = fileURLToPath(new URL('streamer-observer.ts', import.meta.url));
/** 300 × 300 pixels of 16 bits: 180 kB. */
const SIDE = 300;
const AT_ONCE = 4;

/** Puts one series of MR images into Orthanc; gives the ids of its images. */
export async function fill(
  orthanc: RunningOrthanc,
  images: number,
  seriesNumber: number,
): Promise<{ series: string; instances: string[] }> {
  const made = phantoms(images, seriesNumber);
  const uploader = async (): Promise<string> => {
    let series = '';
    for (let next = made.next(); next.done !== true; next = made.next()) {
      const { status, body } = await orthanc.upload(next.value);
      if (status !== 200) throw new Error(`Orthanc answered ${status}`);
      series = (body as { ParentSeries: string }).ParentSeries;
    }
    return series;
  };
  const found = await Promise.all(Array.from({ length: AT_ONCE }, uploader));
  const series = found.find((one) => one !== '') ?? '';
  const { Instances: instances } = (await orthanc.get(`/series/${series}`)) as { Instances: string[] };
  if (instances.length !== images) throw new Error(`Orthanc has ${instances.length} of ${images} images`);
  return { series, instances };
}

/** At most twenty are made; the others are those under another SOP Instance UID. */
function* phantoms(images: number, seriesNumber: number): Generator<Uint8Array, undefined> {
  const made = [
    ...makeSeries({
      modality: 'MR',
      images: Math.min(images, 20),
      rows: SIDE,
      columns: SIDE,
      seriesNumber,
      patientId: '3010000.01_sub-001',
      when: Temporal.ZonedDateTime.from('2026-11-22T10:00[Europe/Amsterdam]'),
      worklistItem: dataSet({ RequestedProcedureID: 'ses-mri01' }),
    }),
  ];
  for (let index = 0; index < images; index += 1) {
    const original = made[index % made.length];
    if (original === undefined) return;
    const { sopInstanceUid, bytes } = original;
    const other = `${sopInstanceUid.slice(0, -5)}${String(10_000 + index)}`;
    yield renamed(Buffer.from(bytes), sopInstanceUid, other);
  }
}

function renamed(bytes: Buffer, from: string, to: string): Buffer {
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + from.length))
    bytes.write(to, at, 'latin1');
  return bytes;
}

/** Fetches each, writes it aside, hashes, fsyncs and renames it: `atOnce` of them at a time. Seconds. */
export async function bareLoop(
  orthanc: RunningOrthanc,
  instances: readonly string[],
  folder: string,
  atOnce: number,
): Promise<number> {
  await mkdir(folder, { recursive: true });
  const agent = new Agent({ keepAlive: true, agentKeepAliveTimeoutBuffer: 200 });
  const authorization = `Basic ${Buffer.from(`${orthanc.username}:${orthanc.password}`).toString('base64')}`;
  const queue = instances.values();
  const one = async (id: string): Promise<void> => {
    const body = await fetched(`${orthanc.url}/instances/${id}/file`, authorization, agent);
    const sha256 = createHash('sha256').update(body).digest('hex');
    const file = await open(join(folder, `.${id}`), 'wx');
    await file.writeFile(body);
    await file.sync();
    await file.close();
    await rename(join(folder, `.${id}`), join(folder, `${id}-${sha256.slice(0, 8)}.dcm`));
  };
  const started = performance.now();
  const worker = async (): Promise<void> => {
    for (const id of queue) await one(id);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  agent.destroy();
  return (performance.now() - started) / 1000;
}

function fetched(url: string, authorization: string, agent: Agent): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const headers = { authorization, 'accept-encoding': 'identity' };
    const received = (response: IncomingMessage): void => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve(Buffer.concat(chunks));
      });
    };
    get(url, { agent, headers }, received).on('error', reject);
  });
}

export interface Watched {
  readonly program: Program;
  /** Seconds from the end of the quiet timer to the ledger's "stored", once `count` series are. */
  readonly stored: (count: number) => Promise<number[]>;
  /** Megabytes: now, and the most so far. */
  readonly memory: () => Promise<{ now: number; peak: number }>;
  readonly stop: () => Promise<void>;
}

interface Settings {
  /** Further sections of the configuration. */
  readonly config?: object;
  /** Quiet time of a series, in seconds. */
  readonly quiet?: number;
}

/** A streamer with nothing in its ledger; `node` are further flags of Node.js. Several may share a folder. */
export async function watchStreamer(
  orthanc: RunningOrthanc,
  folder: string,
  node: readonly string[] = [],
  { config: more = {}, quiet = 1 }: Settings = {},
): Promise<Watched> {
  await mkdir(join(folder, 'project'), { recursive: true });
  const port = await freePort();
  const config = join(folder, `scanflow-${port}.yaml`);
  const moments = join(folder, 'moments');
  await writeFile(moments, '', { flag: 'a' });
  await writeFile(config, JSON.stringify({ ...configuration(orthanc, folder, { port, quiet }), ...more }));
  const args = [...node, '--import', OBSERVER, MAIN, '--config', config];
  const env = { MOMENTS: moments, QUIET_MS: String(quiet * 1000) };
  const program = await startProgram(process.execPath, args, { env });
  const status = async (): Promise<string> => readFile(`/proc/${program.pid}/status`, 'utf8');
  return {
    program,
    stored: (count) =>
      until(
        async () => {
          if (program.exited()) throw new Error(`the streamer ended:\n${program.output()}`);
          const seconds = spans(await readFile(moments, 'utf8'));
          return seconds.length >= count ? seconds : undefined;
        },
        { what: `${count} series stored`, timeoutMs: 1_800_000, everyMs: 50 },
      ),
    memory: async () => {
      const text = await status();
      const kilobytes = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(text)?.[1]);
      return { now: kilobytes('VmRSS') / 1000, peak: kilobytes('VmHWM') / 1000 };
    },
    stop: () => program.stop('SIGTERM'),
  };
}

/** Lines of `<due> <stored>`, in milliseconds of the epoch. */
function spans(text: string): number[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [due, stored] = line.split(' ');
      return (Number(stored) - Number(due)) / 1000;
    });
}

function configuration(
  orthanc: RunningOrthanc,
  folder: string,
  { port, quiet }: { readonly port: number; readonly quiet: number },
): object {
  return {
    facility: { name: 'Bench', timezone: 'Europe/Amsterdam' },
    data: join(folder, 'data'),
    scanners: { prisma: { aet: 'PRISMA', modality: 'MR' } },
    orthanc: { url: orthanc.url, username: orthanc.username, passwordFile: orthanc.passwordFile },
    arrivals: { quiet: `${quiet}s`, poll: '100ms' },
    storage: { root: join(folder, 'project') },
    http: { bind: '127.0.0.1', ports: { cal2wl: 0, worklist: 0, streamer: port } },
  };
}
