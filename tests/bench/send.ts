/**
 * `npm run bench:send [-- --images N --large N --rounds N --profile FOLDER]`: `scanflow send` beside DCMTK's storescu and
 * dcmsend and Orthanc's own sender, all into storescp --ignore; each a whole process, in turns, medians.
 */
import { mkdir, mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { makeSeries, readPart10Header } from '@scanflow/dicom';
import { findOrthanc } from '@scanflow/testkit';
import {
  dcmsend,
  scanflow,
  startCopy,
  startOrthancSender,
  startSink,
  storescu,
  type Sender,
  type Sink,
  type Took,
} from './send-programs.ts';

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '3000' },
    large: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '5' },
    profile: { type: 'string' },
  },
});
const count = (name: 'images' | 'large' | 'rounds', least: number): number => {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= least) return value;
  throw new Error(`--${name} takes a whole number from ${least}`);
};
const [images, large, rounds] = [count('images', 1), count('large', 0), count('rounds', 1)];
/** Bytes of a large instance's pixel data. */
const LARGE = 512 * 1024 ** 2;

async function writeImages(folder: string): Promise<void> {
  await mkdir(folder);
  const when = Temporal.Now.zonedDateTimeISO();
  let at = 0;
  // 184 KB each
  for (const { bytes } of makeSeries({ modality: 'MR', images, rows: 304, columns: 304, when, seed: 1 }))
    await writeFile(join(folder, `${String((at += 1)).padStart(6, '0')}.dcm`), bytes);
}

/** Files with a hole for pixel data: no disk is filled, and all read the same. */
async function writeLarge(folder: string): Promise<void> {
  await mkdir(folder);
  const when = Temporal.Now.zonedDateTimeISO();
  for (const { bytes, sopInstanceUid } of makeSeries({ modality: 'MR', images: large, when, seed: 2 })) {
    const header = readPart10Header(bytes);
    if ('needMore' in header) throw new Error('no header');
    const pixels = Buffer.from(bytes).indexOf(Buffer.from('e07f1000', 'hex'), header.dataSetOffset);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(LARGE);
    const path = join(folder, `${sopInstanceUid}.dcm`);
    const file = await open(path, 'wx');
    await file.writeFile(Buffer.concat([bytes.subarray(0, pixels + 8), length]));
    await file.close();
    await truncate(path, pixels + 12 + LARGE);
  }
}

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1] ?? NaN;

/** Medians by sender; they take turns, so that other load hits all alike. The first turn warms up. */
async function inTurns(
  senders: readonly Sender[],
  folder: string,
  turns: number,
): Promise<Map<string, Took>> {
  const took = new Map<string, Took[]>(senders.map(({ name }) => [name, []]));
  for (let round = 0; round <= turns; round += 1)
    for (const { name, send } of senders) {
      const one = await send(folder);
      console.error(`${round === 0 ? 'warm-up' : `round ${round}`}: ${name} ${one.seconds.toFixed(2)} s`);
      if (round > 0) took.get(name)?.push(one);
    }
  const medians = [...took].map(([name, all]): [string, Took] => [
    name,
    {
      seconds: median(all.map(({ seconds }) => seconds)),
      cpu: median(all.map(({ cpu }) => cpu)),
      rss: Math.max(...all.map(({ rss }) => rss)),
    },
  ]);
  return new Map(medians);
}

const figure = (value: number, digits: number): string => (Number.isNaN(value) ? '' : value.toFixed(digits));

function print(
  title: string,
  took: ReadonlyMap<string, Took>,
  bounds: Readonly<Record<string, number>>,
): void {
  const ours = took.get('Scanflow');
  const copy = took.get('TCP copy');
  console.log(`\n${title}`);
  console.log('             seconds  processor s   MB at most   Scanflow takes   bound');
  for (const [name, { seconds, cpu, rss }] of took) {
    const ratio = (ours?.seconds ?? NaN) / seconds;
    const bound = bounds[name];
    const verdict = bound === undefined ? '' : `${bound.toFixed(2)}  ${ratio <= bound ? 'PASS' : 'over'}`;
    const cells = [figure(seconds, 2).padStart(8), figure(cpu, 2).padStart(12), figure(rss, 0).padStart(13)];
    console.log(`${name.padEnd(12)}${cells.join('')}${`${ratio.toFixed(2)} ×`.padStart(17)}   ${verdict}`);
  }
  if (ours !== undefined && copy !== undefined)
    console.log(`Scanflow reaches ${((100 * copy.seconds) / ours.seconds).toFixed(0)} % of a bare TCP copy.`);
}

async function measureLarge(work: string, sink: Sink, copy: Sender): Promise<void> {
  const folder = join(work, 'large');
  await writeLarge(folder);
  const took = await inTurns([scanflow(sink), storescu(sink), copy], folder, Math.min(rounds, 3));
  print(`${large} instances of 512 MB`, took, { storescu: 1.1 });
  const rss = took.get('Scanflow')?.rss ?? NaN;
  console.log(`Memory: ${rss.toFixed(0)} MB at most, bound 150  ${rss < 150 ? 'PASS' : 'over'}`);
}

async function measure(work: string, sink: Sink): Promise<void> {
  const folder = join(work, 'images');
  await writeImages(folder);
  const copy = await startCopy();
  const orthanc = findOrthanc() === undefined ? undefined : await startOrthancSender(work, folder, sink);
  try {
    const took = await inTurns([scanflow(sink), storescu(sink), dcmsend(sink), copy.sender], folder, rounds);
    // once: on a busy machine it takes minutes
    if (orthanc !== undefined) took.set(orthanc.sender.name, await orthanc.sender.send(folder));
    print(`${images} instances of 184 KB, one association`, took, { storescu: 0.85, dcmsend: 0.9 });
    if (large > 0) await measureLarge(work, sink, copy.sender);
  } finally {
    await orthanc?.stop();
    await copy.stop();
  }
  if (values.profile === undefined) return;
  const profiles = resolve(values.profile);
  await mkdir(profiles, { recursive: true });
  await scanflow(sink, profiles).send(folder);
  console.log(`\nThe CPU profile of one run is in ${profiles}: open it in a browser's developer tools.`);
}

const work = await mkdtemp(join(tmpdir(), 'scanflow-bench-send-'));
const sink = await startSink();
try {
  await measure(work, sink);
} finally {
  await sink.stop();
  await rm(work, { recursive: true, force: true });
}
