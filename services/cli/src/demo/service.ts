/** Runs one service of Scanflow as a child process, its log in a file, until it is told to stop. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

interface ServiceOptions {
  /** Folder under services/. */
  readonly name: string;
  readonly config: string;
  /** Its HTTP port, to ask for its health. */
  readonly port: number;
  /** Where its log goes, as `NAME.log`. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

interface RunningService {
  stop(): Promise<void>;
}

const HEALTHY_MS = 60_000;
const STOP_MS = 10_000;
const LOG_TAIL = 12;

/** Starts it and waits until it says that it is healthy; fails with the end of its log when it ends before that. */
export async function startService({
  name,
  config,
  port,
  folder,
  signal,
}: ServiceOptions): Promise<RunningService> {
  await mkdir(folder, { recursive: true });
  const log = join(folder, `${name}.log`);
  const output = await open(log, 'a', 0o600);
  const main = fileURLToPath(new URL(`../../../${name}/src/main.ts`, import.meta.url));
  // a process group of its own: Ctrl-C reaches the demo alone, which then ends the parts in order
  const child = spawn(process.execPath, [main, '--config', config], {
    stdio: ['ignore', output.fd, output.fd],
    detached: true,
  });
  const exited = once(child, 'exit');
  // should the demo be ended without its leave, nothing of it goes on
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  void exited.then(() => process.off('exit', kill));
  await output.close();
  const service = { stop: () => end(child, exited) };
  try {
    await healthy(child, name, port, log, signal);
  } catch (error) {
    await service.stop();
    throw error;
  }
  return service;
}

async function healthy(
  child: ChildProcess,
  name: string,
  port: number,
  log: string,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + HEALTHY_MS;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`${name} ended at once; the end of ${log}:\n${await tail(log)}`);
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`, {
      signal: AbortSignal.timeout(2000),
    }).catch(() => undefined);
    if (answer?.ok === true) return;
    if (performance.now() > deadline)
      throw new Error(
        `${name} is not healthy after ${HEALTHY_MS / 1000} s; the end of ${log}:\n${await tail(log)}`,
      );
    await pause(100, undefined, { signal });
  }
}

const tail = async (file: string): Promise<string> =>
  (await readFile(file, 'utf8')).trimEnd().split('\n').slice(-LOG_TAIL).join('\n');

/** SIGTERM, and SIGKILL when it does not go. */
async function end(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const gone = await Promise.race([exited.then(() => true), pause(STOP_MS, false, { ref: false })]);
  if (!gone) {
    child.kill('SIGKILL');
    await exited;
  }
}
