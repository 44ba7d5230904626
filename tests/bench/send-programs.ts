/** The senders that `bench:send` compares, each as a whole process, and what they send to. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defined, given } from '@scanflow/failure/defined';
import {
  freePort,
  startOrthanc,
  startProgram,
  until,
  type Program,
  type RunningOrthanc,
} from '@scanflow/testkit';

const SCANFLOW = fileURLToPath(new URL('../../services/cli/bin/scanflow', import.meta.url));
const COPY = fileURLToPath(new URL('send-copy.ts', import.meta.url));

/** What one run took. */
export interface Took {
  readonly seconds: number;
  /** Processor time of the sender in seconds. */
  readonly cpu: number;
  /** Largest memory of the sender in MB, where it is looked at. */
  readonly rss: number;
}

export interface Sender {
  readonly name: string;
  readonly send: (folder: string) => Promise<Took>;
}

/** Runs a program to its end. Throws with its output where it fails. */
async function timed(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Took> {
  const before = childrenCpu();
  const started = performance.now();
  const child = spawn(program, args, {
    env: { ...process.env, TCP_NODELAY: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4_000)));
  let rss = 0;
  const watch = setInterval(() => (rss = Math.max(rss, peakMemory(child.pid ?? 0))), 50);
  const [code] = (await once(child, 'close')) as [number | null];
  const seconds = (performance.now() - started) / 1000;
  clearInterval(watch);
  if (code !== 0) throw new Error(`${program} ended with ${String(code)}: ${output}`);
  return { seconds, cpu: childrenCpu() - before, rss };
}

/** Of all children that have ended, in seconds: the kernel counts in hundredths. */
function childrenCpu(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

function peakMemory(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

export interface Sink {
  readonly port: number;
  stop(): Promise<void>;
}

/** `storescp --ignore`: takes everything and keeps nothing. */
export async function startSink(): Promise<Sink> {
  const port = await freePort();
  const program = await startProgram('storescp', ['--ignore', '+xa', String(port)], {
    env: { TCP_NODELAY: '1' },
  });
  const echo = (): Promise<boolean> =>
    timed('echoscu', ['127.0.0.1', String(port)]).then(
      () => true,
      () => false,
    );
  await until(echo, { what: 'storescp answers', timeoutMs: 30_000 });
  return { port, stop: () => program.stop() };
}

export const storescu = ({ port }: Sink): Sender => ({
  name: 'storescu',
  send: (folder) => timed('storescu', ['+sd', '127.0.0.1', String(port), folder]),
});

export const dcmsend = ({ port }: Sink): Sender => ({
  name: 'dcmsend',
  send: (folder) => timed('dcmsend', ['+sd', '127.0.0.1', String(port), folder]),
});

/** `profile`: a folder for CPU profiles. */
export const scanflow = ({ port }: Sink, profile?: string): Sender => ({
  name: 'Scanflow',
  send: (folder) => {
    const args = ['send', folder, '--to', `SINK@127.0.0.1:${port}`, '--tag', 'none', '--retry-time', '0s'];
    const env = defined({
      NODE_OPTIONS: given(profile, (profile) => `--cpu-prof --cpu-prof-dir=${profile}`),
    });
    return timed(SCANFLOW, args, env);
  },
});

/** The same bytes through a socket, with nothing around them. */
export async function startCopy(): Promise<{ sender: Sender; stop: () => Promise<void> }> {
  const sink: Program = await startProgram(process.execPath, [COPY, 'sink']);
  const port = await until(() => /^\d+/m.exec(sink.output())?.[0], { what: 'a port', timeoutMs: 30_000 });
  return {
    sender: { name: 'TCP copy', send: (folder) => timed(process.execPath, [COPY, 'send', port, folder]) },
    stop: () => sink.stop(),
  };
}

/**
 * Images in a request to Orthanc. It makes JSON of the whole list of a job's images after each of them: with 3,000 in one
 * job, that took one to two minutes.
 */
const AT_A_TIME = 100;

/** Orthanc's own sender, once it has the images; its processor time is not known. */
export async function startOrthancSender(
  folder: string,
  images: string,
  { port }: Sink,
): Promise<{ sender: Sender; stop: () => Promise<void> }> {
  const orthanc: RunningOrthanc = await startOrthanc({
    folder: join(folder, 'orthanc'),
    extra: { DicomModalities: { sink: ['SINK', '127.0.0.1', port] } },
  });
  await timed('dcmsend', ['-aec', orthanc.aet, '+sd', '127.0.0.1', String(orthanc.dicomPort), images]);
  const ids = (await orthanc.get('/instances')) as readonly string[];
  const store = async (some: readonly string[]): Promise<void> => {
    const body = JSON.stringify({ Resources: some, Synchronous: true });
    const answer = await orthanc.request('/modalities/sink/store', { method: 'POST', body });
    if (!answer.ok) throw new Error(`Orthanc answered ${answer.status}: ${await answer.text()}`);
  };
  const send = async (): Promise<Took> => {
    const started = performance.now();
    for (let at = 0; at < ids.length; at += AT_A_TIME) await store(ids.slice(at, at + AT_A_TIME));
    return { seconds: (performance.now() - started) / 1000, cpu: NaN, rss: NaN };
  };
  return { sender: { name: 'Orthanc', send }, stop: () => orthanc.stop() };
}
