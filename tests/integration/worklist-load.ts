/**
 * A process of its own that loads the worklist: idle and half-open connections, and scanners that query every second.
 * `node worklist-load.ts PORT IDLE SCANNERS SECONDS`; prints one line of JSON.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { dataSet } from '@scanflow/dicom';
import { request } from '@scanflow/testkit/dimse/raw-peer';
import { encodePdu } from '../../packages/dimse/src/ul/encode.ts';
import { openAssociation } from '../bench/worklist-asker.ts';

export interface LoadReport {
  /** Milliseconds of each query, from the connection to its release. */
  readonly times: readonly number[];
  readonly failures: readonly string[];
  /** Idle connections that were opened, and that the service let stay to the end. */
  readonly opened: number;
  readonly stayed: number;
}

const [port = 0, idle = 0, scanners = 0, seconds = 0] = process.argv.slice(2).map(Number);
/** A rogue scanner has no hundred connections at once: these come from thirty-two addresses. */
const ADDRESSES = 32;
const half = encodePdu(request({ calledAet: 'SCANFLOW', callingAet: 'PRISMA' })).subarray(0, 60);
const query = dataSet({
  AccessionNumber: null,
  PatientName: null,
  ScheduledProcedureStepSequence: [{ ScheduledStationAETitle: 'PRISMA' }],
});

/** Silent, in the middle of its A-ASSOCIATE-RQ, or associated and silent. */
async function idler(index: number): Promise<Socket> {
  const localAddress = `127.0.1.${1 + (index % ADDRESSES)}`;
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  if (index % 3 === 1) socket.write(half);
  if (index % 3 === 2) socket.write(encodePdu(request({ calledAet: 'SCANFLOW', callingAet: 'PRISMA' })));
  return socket;
}

const idlers: Socket[] = [];
for (let index = 0; index < idle; index += 1) {
  const socket = await idler(index).catch(() => undefined);
  if (socket !== undefined) idlers.push(socket);
}

const times: number[] = [];
const failures: string[] = [];
const end = performance.now() + seconds * 1000;
async function scan(scanner: number): Promise<void> {
  // spread over the second, as scanners are
  await pause((1000 * scanner) / scanners);
  while (performance.now() < end) {
    const started = performance.now();
    try {
      const asker = await openAssociation({ port }, 'PRISMA', `127.0.2.${1 + scanner}`);
      const { answers } = await asker.ask(query);
      if (answers === 0) failures.push('no answers');
      await asker.close();
      times.push(performance.now() - started);
    } catch (error) {
      failures.push(String(error));
    }
    await pause(Math.max(0, 1000 - (performance.now() - started)));
  }
}
await Promise.all(Array.from({ length: scanners }, (_, scanner) => scan(scanner)));
const stayed = idlers.filter((socket) => !socket.destroyed && !socket.readableEnded).length;
for (const socket of idlers) socket.destroy();
process.stdout.write(
  `${JSON.stringify({ times, failures, opened: idlers.length, stayed } satisfies LoadReport)}\n`,
);
