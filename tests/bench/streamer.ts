/**
 * `npm run bench:streamer [-- --rounds N --short]`: from the end of the quiet timer to everything stored and verified,
 * beside a bare loop that fetches, writes, hashes, fsyncs and renames; in turns, in one run, from one real Orthanc.
 * Then ten times as many images, and memory over a hundred series. `--short` leaves these two out. Says which figures
 * are over their bounds, and fails for none.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startOrthanc } from '@scanflow/testkit';
import { bareLoop, fill, watchStreamer } from './streamer-support.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    short: { type: 'boolean', default: false },
    images: { type: 'string', default: '1000' },
    node: { type: 'string', default: '' },
  },
});
const rounds = Number(values.rounds);
const images = Number(values.images);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a whole number from 1');
if (!Number.isInteger(images) || images < 10) throw new Error('--images takes a whole number from 10');
const flags = values.node === '' ? [] : values.node.split(' ');

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1] ?? NaN;
const verdict = (value: number, bound: number): string => (value <= bound ? 'PASS' : 'over');
const say = (text: string): void => {
  console.log(text);
};

const work = await mkdtemp(join(tmpdir(), 'scanflow-bench-'));
const orthanc = await startOrthanc({ folder: join(work, 'orthanc') });
let folders = 0;
const folder = (): string => join(work, `run-${(folders += 1)}`);

/** One series through a streamer that has just begun: seconds, and memory at its highest. */
async function streamed(): Promise<{ seconds: number; peak: number }> {
  const at = folder();
  const streamer = await watchStreamer(orthanc, at, flags);
  const [seconds = NaN] = await streamer.stored(1);
  const { peak } = await streamer.memory();
  await streamer.stop();
  await rm(at, { recursive: true });
  return { seconds, peak };
}

async function bare(instances: readonly string[], atOnce: number): Promise<number> {
  const at = folder();
  const seconds = await bareLoop(orthanc, instances, at, atOnce);
  await rm(at, { recursive: true });
  return seconds;
}

async function compare(): Promise<number> {
  const { instances, series } = await fill(orthanc, images, 1);
  const [ours, one, four, peaks]: [number[], number[], number[], number[]] = [[], [], [], []];
  // the first bare loop warms up the cache for all
  await bare(instances, 1);
  for (let round = 0; round < rounds; round += 1) {
    one.push(await bare(instances, 1));
    const { seconds, peak } = await streamed();
    ours.push(seconds);
    peaks.push(peak);
    four.push(await bare(instances, 4));
    console.error(
      `round ${round + 1}: bare ${one.at(-1)?.toFixed(2)} s, streamer ${seconds.toFixed(2)} s, bare with 4 at once ${four.at(-1)?.toFixed(2)} s, ${peak.toFixed(0)} MB`,
    );
  }
  const ratio = median(ours) / median(one);
  say(`${images} images of 180 kB: ${median(ours).toFixed(2)} s; bare loop ${median(one).toFixed(2)} s`);
  say(`  ratio ${ratio.toFixed(2)} (bound 1.3) ${verdict(ratio, 1.3)}`);
  say(
    `  bare loop with 4 at once ${median(four).toFixed(2)} s, ratio ${(median(ours) / median(four)).toFixed(2)} (no bound)`,
  );
  const peak = Math.max(...peaks);
  say(`  memory at its highest ${peak.toFixed(0)} MB (bound 200) ${verdict(peak, 200)}`);
  await orthanc.request(`/series/${series}`, { method: 'DELETE' });
  return median(ours);
}

async function tenfold(thousand: number): Promise<void> {
  const { series } = await fill(orthanc, 10 * images, 2);
  const { seconds, peak } = await streamed();
  const ratio = seconds / thousand;
  say(
    `${10 * images} images: ${seconds.toFixed(1)} s, ${ratio.toFixed(1)} times ${images} (bound 11) ${verdict(ratio, 11)}`,
  );
  say(`  memory at its highest ${peak.toFixed(0)} MB (bound 200) ${verdict(peak, 200)}`);
  await orthanc.request(`/series/${series}`, { method: 'DELETE' });
}

/** A hundred series one after the other through one streamer: what it holds after the first quarter and at the end. */
async function flat(): Promise<void> {
  const at = folder();
  const streamer = await watchStreamer(orthanc, at, flags);
  const samples: number[] = [];
  for (let index = 1; index <= 100; index += 1) {
    await fill(orthanc, 20, 100 + index);
    await streamer.stored(index);
    samples.push((await streamer.memory()).now);
  }
  const { peak } = await streamer.memory();
  await streamer.stop();
  const quarter = median(samples.slice(20, 30));
  const end = median(samples.slice(-10));
  const growth = end / quarter;
  say(
    `100 series of 20: ${quarter.toFixed(0)} MB after 25, ${end.toFixed(0)} MB after 100, ratio ${growth.toFixed(2)} (bound 1.1) ${verdict(growth, 1.1)}`,
  );
  say(`  memory at its highest ${peak.toFixed(0)} MB (bound 200) ${verdict(peak, 200)}`);
}

try {
  const thousand = await compare();
  if (!values.short) {
    await tenfold(thousand);
    await flat();
  }
  const load = loadavg().map((one) => one.toFixed(1));
  say(`\nMedians of ${rounds}; ${availableParallelism()} processors, load ${load.join(' ')}`);
} finally {
  await orthanc.kill();
  await rm(work, { recursive: true, force: true });
}
