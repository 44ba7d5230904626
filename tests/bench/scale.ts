/**
 * `npm run bench:scale [-- --rounds N --series N --images N]`: images per second that one, two and three streamers store from one
 * real Orthanc with their ledger in one PostgreSQL, each beside a bare loop with as many pullers, in turns, in one run. It says who
 * used the processors, and fails for no figure: all of it is one machine.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startOrthanc, startPostgres, until, type Postgres, type RunningOrthanc } from '@scanflow/testkit';
import { bareLoop, fill, watchStreamer } from './streamer-support.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    series: { type: 'string', default: '12' },
    images: { type: 'string', default: '100' },
  },
});
const count = (name: keyof typeof values): number => {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new Error(`--${name} takes a whole number from 1`);
};
const [rounds, series, images] = [count('rounds'), count('series'), count('images')];
const NUMBERS = [1, 2, 3];
/** All streamers are up when the first series is due. */
const QUIET_S = 6;
/** Images that a streamer pulls at the same time: four of each of two series. */
const PULLERS = 8;
/** Ticks per second of /proc/PID/stat (USER_HZ, which Linux keeps at 100). */
const TICKS = 100;
const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[list.length >> 1] ?? NaN;

/** Seconds of processor that a process has used. */
async function usedBy(pid: number): Promise<number> {
  const [, , , , , , , , , , , , , user = '0', system = '0'] = (await readFile(`/proc/${pid}/stat`, 'utf8'))
    .replace(/\(.*\)/, 'x')
    .split(' ');
  return (Number(user) + Number(system)) / TICKS;
}

/** Seconds that all processors were busy since the start of the machine. */
const busy = (): number =>
  cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + (user + nice + sys + irq) / 1000, 0);

interface Run {
  readonly perSecond: number;
  /** Share of all processors, from 0 to 1. */
  readonly orthanc: number;
  readonly streamers: number;
  readonly all: number;
}

async function streamed(
  number: number,
  { orthanc, postgres, work }: { orthanc: RunningOrthanc; postgres: Postgres; work: string },
): Promise<Run> {
  const folder = await mkdtemp(join(work, 'streamers-'));
  const url = await postgres.makeDatabase(folder.slice(-6).toLowerCase().replaceAll(/^/g, 'ledger_'));
  const config = { ledger: { url, passwordFile: postgres.passwordFile } };
  const streamers = await Promise.all(
    Array.from({ length: number }, () => watchStreamer(orthanc, folder, [], { config, quiet: QUIET_S })),
  );
  const pids = streamers.map(({ program }) => program.pid);
  const used = async (): Promise<number[]> => [
    await usedBy(orthanc.pid()),
    (await Promise.all(pids.map(usedBy))).reduce((sum, one) => sum + one, 0),
    busy(),
  ];
  const lines = async (): Promise<number[][]> =>
    (await readFile(join(folder, 'moments'), 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' ').map(Number));
  const samples: { readonly at: number; readonly used: readonly number[] }[] = [];
  const all = await until(
    async () => {
      samples.push({ at: Temporal.Now.instant().epochMilliseconds, used: await used() });
      for (const { program } of streamers)
        if (program.exited()) throw new Error(`a streamer ended:\n${program.output()}`);
      const found = await lines();
      return found.length >= series ? found : undefined;
    },
    { what: `${series} series stored`, timeoutMs: 1_800_000, everyMs: 20 },
  );
  const to = await used();
  // who does not read the changes knows no due time
  const due = Math.min(...all.map(([at = 0]) => at).filter((at) => at > 0));
  const from = samples.findLast(({ at }) => at <= due)?.used ?? [];
  const seconds = (Math.max(...all.map(([, at = 0]) => at)) - due) / 1000;
  await Promise.all(streamers.map((one) => one.stop()));
  await rm(folder, { recursive: true });
  const share = (index: number): number =>
    ((to[index] ?? NaN) - (from[index] ?? NaN)) / seconds / availableParallelism();
  return { perSecond: (series * images) / seconds, orthanc: share(0), streamers: share(1), all: share(2) };
}

const work = await mkdtemp(join(tmpdir(), 'scanflow-bench-scale-'));
const postgres = await startPostgres();
const orthanc = await startOrthanc({ folder: join(work, 'orthanc') });
try {
  const instances: string[] = [];
  for (let number = 1; number <= series; number += 1)
    instances.push(...(await fill(orthanc, images, number)).instances);
  const bare = async (pullers: number): Promise<number> => {
    const folder = await mkdtemp(join(work, 'bare-'));
    const seconds = await bareLoop(orthanc, instances, folder, pullers);
    await rm(folder, { recursive: true });
    return instances.length / seconds;
  };
  // the first warms up the cache for all
  await bare(PULLERS);
  const runs = new Map<number, { ours: Run[]; bare: number[] }>(
    NUMBERS.map((number) => [number, { ours: [], bare: [] }]),
  );
  for (let round = 1; round <= rounds; round += 1)
    for (const [number, { ours, bare: loops }] of runs) {
      loops.push(await bare(number * PULLERS));
      const one = await streamed(number, { orthanc, postgres, work });
      ours.push(one);
      console.error(
        `round ${round}, ${number}: ${one.perSecond.toFixed(0)} images/s, bare loop ${loops.at(-1)?.toFixed(0)}`,
      );
    }
  console.log(`\n${series} series of ${images} images of 180 kB; medians of ${rounds}`);
  console.log('streamers  images/s  bare loop  ratio  processors: all  Orthanc  streamers');
  for (const [number, { ours, bare: loops }] of runs) {
    const of = (name: keyof Run): number => median(ours.map((one) => one[name]));
    const percent = (name: keyof Run): string => `${(of(name) * 100).toFixed(0)} %`;
    const cells = [
      String(number).padStart(9),
      of('perSecond').toFixed(0).padStart(8),
      median(loops).toFixed(0).padStart(9),
      (of('perSecond') / median(loops)).toFixed(2).padStart(5),
      percent('all').padStart(15),
      percent('orthanc').padStart(7),
      percent('streamers').padStart(9),
    ];
    console.log(cells.join('  '));
  }
  const load = loadavg().map((one) => one.toFixed(1));
  console.log(
    `\n${availableParallelism()} processors, load ${load.join(' ')}. PostgreSQL does not fsync here.`,
  );
} finally {
  await orthanc.kill();
  await postgres.stop();
  await rm(work, { recursive: true, force: true });
}
