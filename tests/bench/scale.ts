/**
 * `npm run bench:scale [-- --rounds N --series N --images N]`: images per second that one, two and three streamers store from one
 * real Orthanc with their ledger in one PostgreSQL, each beside a bare loop with as many pullers, in one run; every other round
 * in the opposite order. It says who used the processors, and fails for no figure: all of it is one machine.
 * `npm run bench:scale -- --capacity [--rounds N --folder FOLDER]`: what one machine carries (capacity.ts).
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startOrthanc, startPostgres, until, type Postgres, type RunningOrthanc } from '@scanflow/testkit';
import { measureCapacity } from './capacity.ts';
import { bareLoop, fill, watchStreamer } from './streamer-support.ts';
import { busySeconds, machine, median, spread, usageOf } from './usage.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    series: { type: 'string', default: '12' },
    images: { type: 'string', default: '100' },
    capacity: { type: 'boolean', default: false },
    folder: { type: 'string', default: tmpdir() },
  },
});
const count = (name: 'rounds' | 'series' | 'images'): number => {
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
    (await usageOf(orthanc.pid())).cpu,
    (await Promise.all(pids.map(usageOf))).reduce((sum, { cpu }) => sum + cpu, 0),
    busySeconds(),
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
  const known = all.map(([at = 0]) => at).filter((at) => at > 0);
  const due =
    known.length > 0 ? Math.min(...known) : Number(await readFile(join(folder, 'moments-due'), 'utf8'));
  const from = samples.findLast(({ at }) => at <= due)?.used ?? [];
  const seconds = (Math.max(...all.map(([, at = 0]) => at)) - due) / 1000;
  await Promise.all(streamers.map((one) => one.stop()));
  await rm(folder, { recursive: true });
  const share = (index: number): number =>
    ((to[index] ?? NaN) - (from[index] ?? NaN)) / seconds / availableParallelism();
  return { perSecond: (series * images) / seconds, orthanc: share(0), streamers: share(1), all: share(2) };
}

/** Lines for each number of streamers. */
function table(runs: ReadonlyMap<number, Measured>): string[] {
  const lines = [['streamers', 'images/s', 'bare loop', 'ratio', 'processors', 'Orthanc', 'streamers']];
  for (const [number, { ours, bare }] of runs) {
    const percent = (name: keyof Run): string =>
      `${(median(ours.map((one) => one[name])) * 100).toFixed(0)} %`;
    const speeds = ours.map(({ perSecond }) => perSecond);
    const ratios = speeds.map((speed, at) => speed / (bare[at] ?? NaN));
    lines.push([String(number), spread(speeds), spread(bare), spread(ratios, 2)]);
    lines.at(-1)?.push(percent('all'), percent('orthanc'), percent('streamers'));
  }
  const width = (column: number): number => Math.max(...lines.map((line) => line[column]?.length ?? 0));
  return lines.map((line) => line.map((cell, at) => cell.padStart(width(at))).join('  '));
}

interface Measured {
  readonly ours: Run[];
  readonly bare: number[];
}

async function measureStreamers(): Promise<void> {
  const work = await mkdtemp(join(values.folder, 'scanflow-bench-scale-'));
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
    const runs = new Map<number, Measured>(NUMBERS.map((number) => [number, { ours: [], bare: [] }]));
    for (let round = 1; round <= rounds; round += 1)
      for (const [number, { ours, bare: loops }] of round % 2 === 1 ? runs : [...runs].toReversed()) {
        const ourTurn = async (): Promise<unknown> =>
          ours.push(await streamed(number, { orthanc, postgres, work }));
        const theirTurn = async (): Promise<unknown> => loops.push(await bare(number * PULLERS));
        for (const turn of round % 2 === 1 ? [theirTurn, ourTurn] : [ourTurn, theirTurn]) await turn();
        const [speed, loop] = [ours.at(-1)?.perSecond ?? NaN, loops.at(-1) ?? NaN];
        console.error(
          `round ${round}, ${number}: ${speed.toFixed(0)} images/s, bare loop ${loop.toFixed(0)}`,
        );
      }
    console.log(
      `\n${series} series of ${images} images of 180 kB; median (minimum–maximum) of ${rounds} rounds; shares of all processors`,
    );
    for (const line of table(runs)) console.log(line);
    const load = loadavg().map((one) => one.toFixed(1));
    console.log(`\n${machine()}; load ${load.join(' ')}. PostgreSQL does not fsync here.`);
  } finally {
    await orthanc.kill();
    await postgres.stop();
    await rm(work, { recursive: true, force: true });
  }
}

await (values.capacity ? measureCapacity({ rounds, folder: values.folder }) : measureStreamers());
