/** DCMTK's programs as peers: storescu, storescp, dcmdump and the rest. */
import { mkdir, readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from './ports.ts';
import { run, startProgram, type Program, type RunOptions, type RunResult } from './process.ts';
import { until } from './until.ts';

/** Runs one of DCMTK's programs: `dcmtk('dcmdump', ['+P', '0010,0010', file])`. */
export function dcmtk(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  return run(program, args, { ...options, env: { TCP_NODELAY: '1', ...options.env } });
}

export interface SendTarget {
  readonly host?: string;
  readonly port: number;
  readonly calledAet: string;
  readonly callingAet?: string;
}

/** Sends files or whole folders with storescu; throws with its output when it fails. */
export async function storescu(
  { host = '127.0.0.1', port, calledAet, callingAet = 'SCANNER' }: SendTarget,
  paths: readonly string[],
  extra: readonly string[] = [],
): Promise<void> {
  const args = ['-aet', callingAet, '-aec', calledAet, ...extra, '+sd', '+r', host, String(port), ...paths];
  const { code, stdout, stderr } = await dcmtk('storescu', args, { timeoutMs: 300_000 });
  if (code !== 0) throw new Error(`storescu ended with ${String(code)}: ${stdout}${stderr}`);
}

export interface StorescpOptions {
  /** Folder for what it receives; made when absent. */
  readonly folder: string;
  readonly aet?: string;
  readonly port?: number;
  /** Which transfer syntaxes it takes, as DCMTK's options say it: `+xa`, all, where absent. */
  readonly syntaxes?: readonly string[];
  readonly extra?: readonly string[];
}

export interface Storescp {
  readonly port: number;
  readonly aet: string;
  readonly folder: string;
  readonly program: Program;
  /** Paths of the files received so far. */
  files(): Promise<string[]>;
  stop(): Promise<void>;
}

/** Starts `storescp +B`, which writes data sets exactly as received, for every transfer syntax and SOP class. */
export async function startStorescp({
  folder,
  aet = 'STORESCP',
  port,
  syntaxes = ['+xa'],
  extra = [],
}: StorescpOptions): Promise<Storescp> {
  await mkdir(folder, { recursive: true });
  const chosen = port ?? (await freePort());
  const args = ['-v', '-aet', aet, '+B', ...syntaxes, '-pm', '-od', folder, ...extra, String(chosen)];
  const program = await startProgram('storescp', args, { env: { TCP_NODELAY: '1' } });
  await until(() => listens(chosen, program), { what: 'storescp listens', timeoutMs: 15_000 });
  return {
    port: chosen,
    aet,
    folder,
    program,
    files: async () => (await readdir(folder)).sort().map((name) => join(folder, name)),
    stop: () => program.stop(),
  };
}

/** A bare connection, closed at once; storescp logs it and goes on. */
async function listens(port: number, program: Program): Promise<true | undefined> {
  if (program.exited()) throw new Error(`it ended at once:\n${program.output()}`);
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(undefined));
  });
}
