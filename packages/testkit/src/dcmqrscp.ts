/** DCMTK's archive, dcmqrscp: a source of C-MOVE that is none of ours. */
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { storescu } from './dcmtk.ts';
import { freePort } from './ports.ts';
import { startProgram, type Program } from './process.ts';
import { until } from './until.ts';

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
