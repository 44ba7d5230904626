/**
 * `npm run bench:worklist [-- --repeat N]`: the worklist beside wlmscpfs -dfr and Orthanc's worklist plugin, over the
 * same folders, in one run: selective and universal queries within an association, whole findscu processes, a hundred
 * scanners at once, time to load, memory. Says which figures are over their bounds, and fails for none.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { dataSet, sopClasses, type DataSet } from '@scanflow/dicom';
import { run } from '@scanflow/testkit';
import { openAssociation } from './worklist-asker.ts';
import { encodedPerSecond } from './worklist-encoding.ts';
import {
  ORTHANC_PLUGIN,
  startOurs,
  startOrthancPlugin,
  startWlmscpfs,
  type Server,
} from './worklist-servers.ts';
import { encoded, item } from '../integration/worklist-support.ts';

const { values } = parseArgs({ options: { repeat: { type: 'string', default: '15' } } });
const repeat = Number(values.repeat);
if (!Number.isInteger(repeat) || repeat < 3) throw new Error('--repeat takes a whole number from 3');

const SIZES = [100, 1_000, 10_000] as const;
const MATCHES = 5;
const STATION = 'PRISMA';
const tomorrow = Temporal.Now.zonedDateTimeISO('Europe/Amsterdam').add({ days: 1 }).round('hour');
const day = tomorrow.toPlainDate().toString().replaceAll('-', '');

const RETURNED = {
  AccessionNumber: null,
  PatientName: null,
  PatientID: null,
  PatientBirthDate: null,
  PatientSex: null,
  StudyInstanceUID: null,
  RequestedProcedureID: null,
  RequestedProcedureDescription: null,
} as const;
const STEP = {
  Modality: null,
  ScheduledStationAETitle: null,
  ScheduledProcedureStepStartDate: null,
  ScheduledProcedureStepStartTime: null,
  ScheduledProcedureStepID: null,
  ScheduledProcedureStepDescription: null,
} as const;
const everything = dataSet({ ...RETURNED, ScheduledProcedureStepSequence: [STEP] });
const selective = dataSet({
  ...RETURNED,
  ScheduledProcedureStepSequence: [
    { ...STEP, ScheduledStationAETitle: STATION, ScheduledProcedureStepStartDate: day },
  ],
});

/** Five items of the station on the day; the others are of two hundred stations, over thirty days. */
async function writeItems(data: string, count: number): Promise<void> {
  const folder = join(data, 'worklist', 'SCANFLOW');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'lockfile'), '');
  const write = async (index: number): Promise<void> => {
    const accession = `B${String(index).padStart(6, '0')}`;
    const wanted = index < MATCHES;
    const input = {
      stationAet: wanted ? STATION : `STATION${index % 200}`,
      start: tomorrow.add({ days: wanted ? 0 : index % 30, minutes: index % 60 }),
    };
    await writeFile(join(folder, `${accession}.wl`), encoded(item(accession, input), 'ISO_IR 100'));
  };
  const queue = Array.from({ length: count }, (_, index) => index).values();
  const worker = async (): Promise<void> => {
    for (const index of queue) await write(index);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1] ?? NaN;
const quantile = (list: readonly number[], part: number): number =>
  [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * part))] ?? NaN;

/** Medians of the milliseconds of a query at each of the servers, ours first; they take turns, so that load hits all alike. */
async function alternate(
  servers: readonly Server[],
  query: DataSet,
  expected: number,
  times = repeat,
): Promise<{ total: number; first: number }[]> {
  const askers = await Promise.all(servers.map((server) => openAssociation(server, STATION)));
  const totals = servers.map((): number[] => []);
  const firsts = servers.map((): number[] => []);
  const [first] = askers;
  // ours has its code compiled after some hundred queries, which a scanner asks in a morning
  for (let round = 0; round < 500 && expected < 100; round += 1) await first?.ask(query);
  // the first round warms up the rest: files in the cache
  for (let round = 0; round <= times; round += 1)
    for (const [at, asker] of askers.entries()) {
      const { total, first, answers } = await asker.ask(query);
      if (answers !== expected)
        throw new Error(`${servers[at]?.name ?? ''} gave ${answers} answers instead of ${expected}`);
      if (round === 0) continue;
      totals[at]?.push(total);
      firsts[at]?.push(first);
    }
  await Promise.all(askers.map((asker) => asker.close()));
  return servers.map((_, at) => ({ total: median(totals[at] ?? []), first: median(firsts[at] ?? []) }));
}

async function findscu(port: number): Promise<number> {
  const keys = [
    'PatientName',
    'PatientID',
    `ScheduledProcedureStepSequence[0].ScheduledStationAETitle=${STATION}`,
    `ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate=${day}`,
  ].flatMap((key) => ['-k', key]);
  const started = performance.now();
  const args = ['-q', '-W', '-aet', STATION, '-aec', 'SCANFLOW', ...keys, '127.0.0.1', String(port)];
  const { code, stderr } = await run('findscu', args, { env: { TCP_NODELAY: '1' } });
  if (code !== 0) throw new Error(`findscu ended with ${String(code)}: ${stderr}`);
  return performance.now() - started;
}

const verdict = (value: number, bound: number): string => (value <= bound ? 'PASS' : 'over');
const ms = (value: number): string => (value < 10 ? value.toFixed(2) : value.toFixed(0));
const rows: string[][] = [['', 'Scanflow', 'wlmscpfs', 'Orthanc', 'ratio', 'bound', '']];
const row = (name: string, ours: string, theirs: string, orthanc: string, ...rest: string[]): void => {
  rows.push([name, ours, theirs, orthanc, ...rest]);
  console.error(`${name}: ${ours} / ${theirs} / ${orthanc} ${rest.join(' ')}`);
};

interface Trio {
  readonly ours: Server;
  readonly all: readonly Server[];
}

const BOUNDS: Readonly<Record<number, number>> = { 100: 0.5, 1_000: 0.05, 10_000: 0.01 };

async function measureSelective(size: number, { ours, all }: Trio): Promise<void> {
  // theirs read every file each time
  const times = size === 10_000 ? Math.min(repeat, 7) : size === 100 ? 5 * repeat : repeat;
  const [our, their, orthanc] = await alternate(all, selective, MATCHES, times);
  if (our === undefined || their === undefined) return;
  const ratio = our.total / their.total;
  const bound = BOUNDS[size] ?? 1;
  row(
    `${MATCHES} of ${size}, one query, ms`,
    ms(our.total),
    ms(their.total),
    ms(orthanc?.total ?? NaN),
    ratio.toFixed(4),
    String(bound),
    verdict(ratio, bound),
  );
  if (size !== 10_000) return;
  // the wire alone
  const asker = await openAssociation(ours, STATION);
  const echoes: number[] = [];
  for (let round = 0; round < 250; round += 1) echoes.push(await asker.echo());
  await asker.close();
  const own = our.total - median(echoes.slice(200));
  row('  without a C-ECHO, ms', ms(own), '', '', '', '3', verdict(own, 3));
}

async function measureUniversal(size: number, { all }: Trio): Promise<void> {
  const [our, their, orthanc] = await alternate(all, everything, size, Math.min(repeat, 7));
  if (our === undefined || their === undefined) return;
  const ratio = our.total / their.total;
  const [a, b, c] = [our, their, orthanc].map((one) => ms(one?.total ?? NaN));
  row(`all ${size}, one query, ms`, a ?? '', b ?? '', c ?? '', ratio.toFixed(3), '0.3', verdict(ratio, 0.3));
  const [d, e, f] = [our, their, orthanc].map((one) => ms(one?.first ?? NaN));
  row('  its first answer, ms', d ?? '', e ?? '', f ?? '', '', '10', verdict(our.first, 10));
}

/**
 * In pairs, each time the other one first. What counts is the median of the pairs' ratios: load that comes and goes hits
 * both of a pair, or makes one pair of many an odd one.
 */
async function measureProcess(full: Server, empty: Server): Promise<void> {
  const pairs: { readonly ours: number; readonly none: number }[] = [];
  for (let round = -2; round < 6 * repeat; round += 1) {
    const before = round % 2 === 0 ? await findscu(full.port) : undefined;
    const none = await findscu(empty.port);
    const ours = before ?? (await findscu(full.port));
    // the first two read the program's files
    if (round >= 0) pairs.push({ ours, none });
  }
  const ratios = pairs.map(({ ours, none }) => ours / none);
  const ratio = median(ratios);
  row(
    'findscu, whole process, ms',
    ms(median(pairs.map(({ ours }) => ours))),
    `${ms(median(pairs.map(({ none }) => none)))} (wlmscpfs, empty)`,
    '',
    ratio.toFixed(2),
    '1.1',
    verdict(ratio, 1.1),
  );
  const [low, high] = [quantile(ratios, 0.25), quantile(ratios, 0.75)];
  row(
    `  half of ${pairs.length} pairs within`,
    `${low.toFixed(2)} to ${high.toFixed(2)}`,
    '',
    '',
    '',
    '',
    '',
  );
}

const SCANNERS = 100;

/** One association per query. The other two read every file for each query, one scanner after the other. */
async function measureMany(ours: Server): Promise<void> {
  const times: number[] = [];
  const ask = async (): Promise<void> => {
    for (let round = 0; round < 10; round += 1) {
      const started = performance.now();
      const asker = await openAssociation(ours, STATION);
      await asker.ask(selective);
      await asker.close();
      times.push(performance.now() - started);
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: SCANNERS }, ask));
  const seconds = (performance.now() - started) / 1000;
  row(`${SCANNERS} scanners at once, queries/s`, (times.length / seconds).toFixed(0), '', '', '', '', '');
  row('  p99, ms', ms(quantile(times, 0.99)), '', '', '', '', '');
}

/** Its start and its memory once loaded: compiled ahead, as whatever starts it sees to (decision 8), and from TypeScript. */
async function measureStart(data: string, cache: string): Promise<void> {
  const starts: [name: string, env: Record<string, string>, most: number][] = [
    [', compiled ahead', { NODE_COMPILE_CACHE: cache }, 150],
    // with what turns TypeScript into JavaScript
    [', from TypeScript', { NODE_COMPILE_CACHE: '' }, 175],
  ];
  // the cache is written at the end
  await (await startOurs(data, { NODE_COMPILE_CACHE: cache })).stop();
  for (const [name, env, most] of starts) {
    const seconds: number[] = [];
    const megabytes: number[] = [];
    const peaks: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const server = await startOurs(data, env);
      seconds.push(server.loadSeconds ?? NaN);
      megabytes.push(await memory(server.pid));
      peaks.push(await memory(server.pid, 'VmHWM'));
      await server.stop();
    }
    const [load, size, peak] = [median(seconds), median(megabytes), median(peaks)];
    row(`10,000 items loaded${name}, s`, load.toFixed(2), '', '', '', '2', verdict(load, 2));
    row(`  memory then${name}, MB`, size.toFixed(0), '', '', '', String(most), verdict(size, most));
    row('  at most until then, MB', peak.toFixed(0), '', '', '', String(most), verdict(peak, most));
  }
}

/** Megabytes that a process holds now, or `VmHWM`: has held at most. */
const memory = async (pid: number, what: 'VmRSS' | 'VmHWM' = 'VmRSS'): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const line = status.split('\n').find((one) => one.startsWith(`${what}:`));
  return Number(/\d+/.exec(line ?? '')?.[0]) / 1000;
};

function table(): string {
  const width = (column: number): number => Math.max(...rows.map((cells) => cells[column]?.length ?? 0));
  return rows
    .map((cells) =>
      cells.map((cell, at) => (at === 0 ? cell.padEnd(width(at)) : cell.padStart(width(at)))).join('  '),
    )
    .join('\n');
}

const work = await mkdtemp(join(tmpdir(), 'scanflow-bench-'));
const running: Server[] = [];
const keep = <T extends Server | undefined>(server: T): T => {
  if (server !== undefined) running.push(server);
  return server;
};
try {
  const rate = encodedPerSecond(everything);
  row(
    'responses written, per second',
    rate.toFixed(0),
    '',
    '',
    '',
    '50000',
    rate < 50_000 ? 'under' : 'PASS',
  );
  const empty = join(work, '0');
  await writeItems(empty, 0);
  const emptyServer = keep(await startWlmscpfs(empty));
  for (const size of SIZES) {
    const data = join(work, String(size));
    await writeItems(data, size);
    const ours = keep(await startOurs(data));
    const theirs = keep(await startWlmscpfs(data));
    const orthanc = ORTHANC_PLUGIN === undefined ? undefined : keep(await startOrthancPlugin(data));
    const trio = { ours, all: [ours, theirs, ...(orthanc === undefined ? [] : [orthanc])] };
    await measureSelective(size, trio);
    if (size === 10_000) {
      await measureProcess(ours, emptyServer);
      await measureUniversal(size, trio);
      await measureMany(ours);
      await measureStart(data, join(work, 'compiled'));
      const after = await Promise.all(trio.all.map((server) => memory(server.pid)));
      const [ourMemory, theirMemory, orthancMemory] = after.map((one) => one.toFixed(0));
      const cells = [ourMemory ?? '', theirMemory ?? '', orthancMemory ?? ''] as const;
      row('memory after all this, MB', ...cells, '', '150', verdict(after[0] ?? NaN, 150));
    }
    for (const server of trio.all) await server.stop();
  }
  const load = loadavg()
    .map((one) => one.toFixed(1))
    .join(' ');
  console.log(`\nMedians of ${repeat}; ${availableParallelism()} processors, load ${load}`);
  if (ORTHANC_PLUGIN === undefined) console.log('Orthanc NOT MEASURED: this machine has no worklist plugin.');
  console.log(`SOP class ${sopClasses.modalityWorklistFind}, TCP_NODELAY on at all ends.\n`);
  console.log(table());
} finally {
  for (const server of running) await server.stop();
  await rm(work, { recursive: true, force: true });
}
