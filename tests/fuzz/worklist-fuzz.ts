/** Fuzzing of the worklist service as a process: what it is sent, and whether it still serves others meanwhile. */
import { connect } from 'node:net';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { defined } from '@scanflow/failure/defined';
import { dataSet } from '@scanflow/dicom';
import { until } from '@scanflow/testkit';
import { openAssociation } from '../bench/worklist-asker.ts';
import { startOurs, type Server } from '../bench/worklist-servers.ts';
import { encoded, item } from '../integration/worklist-support.ts';
import { random } from './random.ts';
import { makeCase, type Case } from './worklist-cases.ts';

export interface FuzzOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Where the bytes go that broke it. */
  readonly findings: string;
}

export interface FuzzReport {
  readonly seed: number;
  readonly cases: number;
  /** Of the normal C-ECHO and C-FIND in between, in milliseconds. */
  readonly slowestProbe: number;
  readonly medianProbe: number;
  /** Megabytes after the first round, at most, and at the end. */
  readonly memory: { readonly first: number; readonly most: number; readonly last: number };
  /** Open descriptors before the first case and, all connections being gone, at the end. */
  readonly descriptors: { readonly first: number; readonly last: number };
  /** The file with the bytes that broke it; undefined where nothing did. */
  readonly finding?: { readonly file: string; readonly reason: string };
}

const ITEMS = 50;
const ROUND = 64;
const AT_ONCE = 16;
/** How long an answer is waited for before the fuzzed scanner leaves. */
const PATIENCE_MS = 15;
const PROBE_LIMIT_MS = 20_000;

/** Runs for `seconds`; ends early where the service died or no longer answers. */
export async function fuzz({ seconds, seed, findings }: FuzzOptions): Promise<FuzzReport> {
  const data = await mkdtemp(join(tmpdir(), 'scanflow-fuzz-'));
  try {
    await writeItems(data);
    const server = await startOurs(data);
    try {
      return await rounds(server, { seconds, seed, findings }, data);
    } finally {
      await server.stop();
    }
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}

async function writeItems(data: string): Promise<void> {
  const folder = join(data, 'worklist', 'SCANFLOW');
  await mkdir(folder, { recursive: true });
  const start = Temporal.Now.zonedDateTimeISO('Europe/Amsterdam').add({ days: 1 });
  for (let index = 0; index < ITEMS; index += 1) {
    const accession = `F${index}`;
    await writeFile(join(folder, `${accession}.wl`), encoded(item(accession, { start })));
  }
}

async function rounds(server: Server, options: FuzzOptions, data: string): Promise<FuzzReport> {
  const { seconds, seed, findings } = options;
  const r = random(seed);
  const descriptors = await openDescriptors(server.pid);
  const deadline = performance.now() + seconds * 1000;
  const probes: number[] = [];
  const memory: number[] = [];
  let cases = 0;
  let finding: FuzzReport['finding'];
  while (performance.now() < deadline && finding === undefined) {
    const round = Array.from({ length: ROUND }, () => makeCase(r));
    const sent = atOnce(server.port, round);
    // in the middle of it, as any scanner
    let reason = await probe(server).then(
      (ms) => void probes.push(ms),
      (error: unknown) => String(error),
    );
    await sent;
    cases += round.length;
    const megabytes = await residentMegabytes(server.pid);
    // a process that has ended has no memory any more
    if (Number.isNaN(megabytes)) reason ??= 'the service ended';
    else memory.push(megabytes);
    if (reason !== undefined) finding = await keepFinding(round, { reason, findings, seed, data });
  }
  const sorted = probes.toSorted((a, b) => a - b);
  return {
    seed,
    cases,
    slowestProbe: sorted.at(-1) ?? NaN,
    medianProbe: sorted[sorted.length >> 1] ?? NaN,
    memory: { first: memory[0] ?? NaN, most: Math.max(...memory), last: memory.at(-1) ?? NaN },
    descriptors: {
      first: descriptors,
      last: finding === undefined ? await settled(server.pid, descriptors) : NaN,
    },
    ...defined({ finding }),
  };
}

async function atOnce(port: number, cases: readonly Case[]): Promise<void> {
  const queue = cases.values();
  const worker = async (): Promise<void> => {
    for (const one of queue) await play(port, one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Sends a case and leaves; whatever comes back is of no interest here. */
async function play(port: number, { chunks, end }: Case): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined);
  const leave = (): void => void socket.destroy();
  let timer = setTimeout(leave, PATIENCE_MS * 10);
  socket.on('data', () => {
    clearTimeout(timer);
    timer = setTimeout(leave, PATIENCE_MS);
  });
  socket.on('end', leave);
  for (const chunk of chunks) {
    socket.write(chunk);
    await turn();
  }
  if (end === 'cut') socket.resetAndDestroy();
  else if (end === 'half') socket.end();
  await gone;
  clearTimeout(timer);
}

/** A normal scanner's C-ECHO and C-FIND; the milliseconds that they took, connection and all. */
async function probe({ port }: { readonly port: number }): Promise<number> {
  const started = performance.now();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`no answer within ${PROBE_LIMIT_MS} ms`)),
    PROBE_LIMIT_MS,
  );
  const asked = (async () => {
    // another address than the fuzzed scanners', whose connections are counted
    const asker = await openAssociation({ port }, 'PRISMA', '127.0.0.2');
    await asker.echo();
    const { answers } = await asker.ask(dataSet({ AccessionNumber: null, PatientID: null }));
    await asker.close();
    if (answers !== ITEMS) throw new Error(`${answers} answers instead of ${ITEMS}`);
  })();
  asked.catch(() => undefined);
  try {
    await Promise.race([asked, late.promise]);
  } finally {
    clearTimeout(timer);
  }
  return performance.now() - started;
}

interface Trouble {
  readonly reason: string;
  readonly findings: string;
  readonly seed: number;
  readonly data: string;
}

/** Plays each case of the round by itself against a fresh service, to find the one; the whole round where none is. */
async function keepFinding(
  round: readonly Case[],
  { reason, findings, seed, data }: Trouble,
): Promise<{ file: string; reason: string }> {
  await mkdir(findings, { recursive: true });
  const file = join(findings, `worklist-${seed}.json`);
  const write = (cases: readonly Case[]): Promise<void> =>
    writeFile(
      file,
      JSON.stringify(
        {
          reason,
          cases: cases.map(({ chunks, end }) => ({ end, chunks: chunks.map((one) => one.toString('hex')) })),
        },
        null,
        1,
      ),
    );
  await write(round);
  for (const one of round) {
    const server = await startOurs(data);
    try {
      await play(server.port, one);
      await probe(server);
    } catch {
      await write([one]);
      break;
    } finally {
      await server.stop();
    }
  }
  return { file, reason };
}

/** Descriptors once they are as few as before; or after a while, if that never happens. */
async function settled(pid: number, before: number): Promise<number> {
  const few = async (): Promise<boolean> => (await openDescriptors(pid)) <= before;
  await until(few, { what: 'connections are closed', timeoutMs: 10_000, everyMs: 100 }).catch(() => false);
  return openDescriptors(pid);
}

const openDescriptors = async (pid: number): Promise<number> => (await readdir(`/proc/${pid}/fd`)).length;

async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1000);
}
