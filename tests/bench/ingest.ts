/**
 * `npm run bench:ingest [-- --images N]`: images per second into Orthanc, at its defaults and as Scanflow ships it, from
 * senders with and without TCP_NODELAY; over loopback and, for root, over a link between two network namespaces, as
 * from another machine, without and with quickack on Orthanc's routes.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeSeries } from '@scanflow/dicom';
import { store, type StoreItem } from '@scanflow/dimse';
import { findOrthanc, freePort, run, startProgram, until, type Program } from '@scanflow/testkit';

const RECEIVER = fileURLToPath(new URL('../../services/receiver/src/main.ts', import.meta.url));
const DOCKER = fileURLToPath(new URL('../../docker/orthanc/', import.meta.url));
const { values } = parseArgs({ options: { images: { type: 'string', default: '200' } } });
const images = Number(values.images);

interface Link {
  readonly name: string;
  /** Where Orthanc listens. */
  readonly address: string;
  /** What goes before a command that is to run at Orthanc's end. */
  readonly prefix: readonly string[];
}

interface Target {
  readonly host: string;
  readonly port: number;
}

interface Series {
  readonly folder: string;
  readonly items: readonly StoreItem[];
  readonly bytes: number;
}

type Send = (target: Target, series: Series) => Promise<void>;

interface Row {
  readonly link: string;
  readonly orthanc: string;
  readonly sender: string;
  readonly perSecond: number;
}

const storescu =
  (nodelay: boolean): Send =>
  async ({ host, port }, { folder }) => {
    const args = ['-aec', 'ORTHANC', '+sd', host, String(port), folder];
    const env: Record<string, string> = nodelay ? { TCP_NODELAY: '1' } : {};
    const { code, stderr } = await run('storescu', args, { env, timeoutMs: 600_000 });
    if (code !== 0) throw new Error(`storescu ended with ${String(code)}: ${stderr}`);
  };

const ours: Send = async ({ host, port }, { items }) => {
  for await (const outcome of store({ host, port, calledAet: 'ORTHANC', callingAet: 'BENCH' }, items))
    if (outcome.result === 'failed') throw new Error(`${outcome.failure.code}: ${outcome.failure.message}`);
};

const senders: readonly (readonly [string, Send])[] = [
  ['storescu', storescu(false)],
  ['storescu, TCP_NODELAY', storescu(true)],
  ['Scanflow', ours],
];

const defaults = (): Promise<object> =>
  Promise.resolve({ RemoteAccessAllowed: true, AuthenticationEnabled: false });

/** Scanflow's configuration, opened so that images can go to it directly; users are of no matter here. */
const shipped = async (): Promise<object> => {
  const text = await readFile(join(DOCKER, 'orthanc.json'), 'utf8');
  const config = JSON.parse(
    text.replaceAll(/^\s*\/\/.*$/gm, '').replaceAll('${ORTHANC_DICOM_OPEN:-false}', 'true'),
  ) as object;
  return {
    ...config,
    DatabaseServerIdentifier: 'bench',
    DicomAet: 'ORTHANC',
    AuthenticationEnabled: false,
    // without users, the filter would take whoever asks for one who may only look
    LuaScripts: [],
  };
};

interface Receiver {
  readonly name: string;
  readonly config: () => Promise<object>;
  readonly env: Readonly<Record<string, string>>;
  /** Whether images come by way of our receiver. */
  readonly received?: boolean;
}
const receivers: readonly Receiver[] = [
  { name: 'at its defaults', config: defaults, env: {} },
  { name: "Scanflow's", config: shipped, env: { TCP_NODELAY: '1' } },
  { name: "Scanflow's receiver", config: shipped, env: { TCP_NODELAY: '1' }, received: true },
];

/** Writes the phantom series that all runs send. */
async function writeSeries(folder: string): Promise<Series> {
  await mkdir(folder);
  const when = Temporal.Now.zonedDateTimeISO();
  const items: StoreItem[] = [];
  let bytes = 0;
  for (const image of makeSeries({ modality: 'MR', images, rows: 256, columns: 256, when })) {
    const path = join(folder, `${image.sopInstanceUid}.dcm`);
    await writeFile(path, image.bytes);
    bytes += image.bytes.length;
    items.push({ id: path, path });
  }
  return { folder, items, bytes };
}

/** A fresh Orthanc at the end of a link. */
async function startReceiver(
  folder: string,
  link: Link,
  { config, env, received = false }: Receiver,
): Promise<{ programs: Program[]; target: Target; count: () => Promise<number> }> {
  await mkdir(folder);
  const [http, port] = await twoPorts();
  const file = join(folder, 'orthanc.json');
  const places = {
    StorageDirectory: folder,
    IndexDirectory: folder,
    TemporaryDirectory: folder,
    Plugins: [],
  };
  const content = { ...(await config()), ...places, HttpPort: http, DicomPort: port };
  await writeFile(file, JSON.stringify(content));
  const binary = findOrthanc();
  if (binary === undefined) throw new Error('Orthanc is not installed: apt-get install orthanc');
  const [command, ...args] = [...link.prefix, binary, file];
  const program = await startProgram(command, args, { env });
  const count = async (): Promise<number> => {
    const answer = await fetch(`http://${link.address}:${http}/statistics`);
    return ((await answer.json()) as { CountInstances: number }).CountInstances;
  };
  await until(
    () =>
      count().then(
        (n) => n === 0,
        () => program.exited(),
      ),
    {
      what: 'Orthanc answers',
      timeoutMs: 60_000,
      everyMs: 100,
    },
  );
  if (program.exited()) throw new Error(`Orthanc ended at once:\n${program.output()}`);
  if (!received) return { programs: [program], target: { host: link.address, port }, count };
  const receiver = await startOurs(folder, link, http);
  return {
    programs: [receiver.program, program],
    target: { host: link.address, port: receiver.port },
    count,
  };
}

/** A port that was free a moment ago may be given out again. */
async function twoPorts(): Promise<[number, number]> {
  const one = await freePort();
  for (;;) {
    const other = await freePort();
    if (other !== one) return [one, other];
  }
}

/** Our receiver before it. */
async function startOurs(
  folder: string,
  link: Link,
  orthancPort: number,
): Promise<{ program: Program; port: number }> {
  const [http, port] = await twoPorts();
  const file = join(folder, 'scanflow.yaml');
  await writeFile(
    file,
    `facility: { name: Bench, timezone: UTC }
data: ${folder}
scanners: {}
orthanc: { url: 'http://${link.address}:${orthancPort}' }
receiver: { bind: ${link.address}, port: ${port} }
storage: { root: ${folder}/project }
http: { bind: ${link.address}, ports: { receiver: ${http} } }
`,
  );
  const [command, ...args] = [...link.prefix, process.execPath, RECEIVER, '--config', file];
  const program = await startProgram(command, args);
  const answers = (): Promise<boolean> =>
    fetch(`http://${link.address}:${http}/healthz`).then(
      ({ ok }) => ok,
      () => program.exited(),
    );
  await until(answers, { what: 'the receiver answers', timeoutMs: 60_000, everyMs: 100 });
  if (program.exited()) throw new Error(`the receiver ended at once:\n${program.output()}`);
  return { program, port };
}

async function measure(
  folder: string,
  link: Link,
  receiver: Receiver,
  send: Send,
  series: Series,
): Promise<number> {
  const { programs, target, count } = await startReceiver(folder, link, receiver);
  try {
    const start = performance.now();
    await send(target, series);
    const seconds = (performance.now() - start) / 1000;
    const arrived = await count();
    if (arrived !== images) throw new Error(`${arrived} of ${images} images arrived`);
    return images / seconds;
  } finally {
    for (const program of programs) await program.stop();
    await rm(folder, { recursive: true });
  }
}

const loopback: Link = { name: 'loopback', address: '127.0.0.1', prefix: [] };

/** Two namespaces and a cable, as between a scanner and a container; addresses of RFC 2544, kept for benchmarks. */
async function openCable(): Promise<{
  link: Link;
  quickack: () => Promise<void>;
  close: () => Promise<void>;
}> {
  const ns = `scanflow-bench-${process.pid}`;
  const device = `sfb${process.pid}`.slice(0, 14);
  const ip = async (...args: string[]): Promise<void> => {
    const { code, stderr } = await run('ip', args);
    if (code !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr.trim()}`);
  };
  await ip('netns', 'add', ns);
  const close = async (): Promise<void> => {
    // a namespace's end takes its devices along, and the cable's other end with them
    await run('ip', ['link', 'delete', device]);
    await ip('netns', 'delete', ns);
  };
  try {
    await ip('link', 'add', device, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', ns);
    await ip('addr', 'add', '198.18.77.1/30', 'dev', device);
    await ip('link', 'set', device, 'up');
    await ip('-n', ns, 'addr', 'add', '198.18.77.2/30', 'dev', 'eth0');
    await ip('-n', ns, 'link', 'set', 'eth0', 'up');
    await ip('-n', ns, 'link', 'set', 'lo', 'up');
  } catch (error) {
    await close();
    throw error;
  }
  const prefix = ['ip', 'netns', 'exec', ns];
  const quickack = async (): Promise<void> => {
    const { stdout } = await run('ip', ['netns', 'exec', ns, join(DOCKER, 'quickack.sh')]);
    if (!stdout.includes(': set')) throw new Error(`quickack.sh set nothing: ${stdout}`);
  };
  return { link: { name: 'link', address: '198.18.77.2', prefix }, quickack, close };
}

const rows: Row[] = [];
let stopped = false;
// Ctrl-C ends the children too; what they leave is cleared on the way out
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (stopped = true));

const work = await mkdtemp(join(tmpdir(), 'scanflow-bench-'));

async function measureAll(link: Link, which: readonly Receiver[], series: Series): Promise<void> {
  for (const receiver of which)
    for (const [sender, send] of senders) {
      if (stopped) throw new Error('stopped');
      const perSecond = await measure(join(work, 'orthanc'), link, receiver, send, series);
      rows.push({ link: link.name, orthanc: receiver.name, sender, perSecond });
      console.error(`${link.name}, Orthanc ${receiver.name}, ${sender}: ${perSecond.toFixed(0)} images/s`);
    }
}

async function measureCable(series: Series): Promise<void> {
  const cable = await openCable();
  try {
    await measureAll(cable.link, receivers, series);
    await cable.quickack();
    await measureAll({ ...cable.link, name: 'link, quickack' }, receivers.slice(1), series);
  } finally {
    await cable.close();
  }
}

function table(): string {
  const lines = [['link', 'Orthanc', 'sender', 'images/s', 'ratio']];
  for (const { link, orthanc, sender, perSecond } of rows) {
    const base = rows[0]?.perSecond ?? perSecond;
    lines.push([link, orthanc, sender, perSecond.toFixed(0), (perSecond / base).toFixed(1)]);
  }
  const width = (column: number): number => Math.max(...lines.map((line) => line[column]?.length ?? 0));
  return lines
    .map((line) =>
      line.map((cell, at) => (at > 2 ? cell.padStart(width(at)) : cell.padEnd(width(at)))).join('  '),
    )
    .join('\n');
}

try {
  if (!Number.isInteger(images) || images < 1) throw new Error('--images takes a whole number from 1');
  const series = await writeSeries(join(work, 'series'));
  await measureAll(loopback, receivers, series);
  const root =
    process.getuid?.() === 0 && (await run('ip', ['netns', 'list']).catch(() => undefined))?.code === 0;
  if (root) await measureCable(series);
  console.log(`\n${images} MR images of ${Math.round(series.bytes / images / 1024)} KiB, one association\n`);
  console.log(table());
  if (!root) console.log('\nThe link and quickack were NOT MEASURED: that takes root and iproute2.');
} finally {
  await rm(work, { recursive: true, force: true });
}
