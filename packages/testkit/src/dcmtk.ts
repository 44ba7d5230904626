/** DCMTK's programs as peers: storescu, storescp, the archive dcmqrscp, and the rest. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import {
  freePort,
  run,
  startProgram,
  type Program,
  type RunOptions,
  type RunResult,
  until,
} from './process.ts';

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
): Promise<void> {
  const args = ['-aet', callingAet, '-aec', calledAet, '+sd', '+r', host, String(port), ...paths];
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

/** A bare connection, closed at once; the program logs it and goes on. */
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

export interface DcmqrscpOptions {
  /** For its configuration and its images; made when absent. */
  readonly folder: string;
  readonly aet?: string;
  /** Where it may send to, by AE title. */
  readonly targets: Readonly<Record<string, number>>;
}

export interface Dcmqrscp {
  readonly port: number;
  readonly aet: string;
  readonly program: Program;
  /** Sends it files or folders. */
  fill(...paths: string[]): Promise<void>;
  stop(): Promise<void>;
}

export async function startDcmqrscp({
  folder,
  aet = 'DCMQRSCP',
  targets,
}: DcmqrscpOptions): Promise<Dcmqrscp> {
  const images = join(folder, 'images');
  await mkdir(images, { recursive: true });
  const port = await freePort();
  const hosts = Object.entries(targets).map(
    ([title, at]) => `${title.toLowerCase()} = (${title}, 127.0.0.1, ${at})`,
  );
  const config = [
    `NetworkTCPPort = ${port}`,
    'MaxPDUSize = 16384',
    'MaxAssociations = 16',
    ...['HostTable BEGIN', ...hosts, 'HostTable END'],
    ...['VendorTable BEGIN', 'VendorTable END'],
    ...['AETable BEGIN', `${aet} ${images} RW (1000, 1024mb) ANY`, 'AETable END', ''],
  ];
  const file = join(folder, 'dcmqrscp.cfg');
  await writeFile(file, config.join('\n'));
  const program = await startProgram('dcmqrscp', ['-c', file], { env: { TCP_NODELAY: '1' } });
  await until(() => listens(port, program), { what: 'dcmqrscp listens', timeoutMs: 30_000 });
  return {
    port,
    aet,
    program,
    fill: (...paths) => storescu({ port, calledAet: aet }, paths),
    stop: () => program.stop(),
  };
}
