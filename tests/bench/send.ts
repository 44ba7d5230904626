/**
 * `npm run bench:send [-- --short --images N --large N --rounds N --profile FOLDER]`: `scanflow send` beside DCMTK's storescu
 * and dcmsend and Orthanc's own sender, all into storescp --ignore; each a whole process, in turns. Exit code 1 where a bound
 * does not hold. `--short`: fewer of all, and no Orthanc, for a quick look.
 */
import { mkdir, mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { makeSeries, readPart10Header } from '@scanflow/dicom';
import { findOrthanc } from '@scanflow/testkit';
import { bound, boundRatio, missed, most, OURS, printTable } from './send-print.ts';
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
    images: { type: 'string' },
    large: { type: 'string' },
    rounds: { type: 'string' },
    short: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
});
const DEFAULTS = values.short ? { images: 600, large: 1, rounds: 2 } : { images: 3000, large: 4, rounds: 5 };
const count = (name: keyof typeof DEFAULTS, least: number): number => {
  const value = Number(values[name] ?? DEFAULTS[name]);
  if (Number.isInteger(value) && value >= least) return value;
  throw new Error(`--${name} takes a whole number from ${least}`);
};
const [images, large, rounds] = [count('images', 1), count('large', 0), count('rounds', 1)];
const MB = 1024 ** 2;

async function writeImages(folder: string): Promise<void> {
  await mkdir(folder);
  const when = Temporal.Now.zonedDateTimeISO();
  let at = 0;
  // 184 KB each
  for (const { bytes } of makeSeries({ modality: 'MR', images, rows: 304, columns: 304, when, seed: 1 }))
    await writeFile(join(folder, `${String((at += 1)).padStart(6, '0')}.dcm`), bytes);
}

/** Files with a hole for pixel data: no disk is filled, and all read the same. */
async function writeLarge(folder: string, files: number, bytes: number): Promise<void> {
  await mkdir(folder);
  const when = Temporal.Now.zonedDateTimeISO();
  for (const { bytes: image, sopInstanceUid } of makeSeries({
    modality: 'MR',
    images: files,
    when,
    seed: 2,
  })) {
    const header = readPart10Header(image);
    if ('needMore' in header) throw new Error('no header');
    const pixels = Buffer.from(image).indexOf(Buffer.from('e07f1000', 'hex'), header.dataSetOffset);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes);
    const path = join(folder, `${sopInstanceUid}.dcm`);
    const file = await open(path, 'wx');
    await file.writeFile(Buffer.concat([image.subarray(0, pixels + 8), length]));
    await file.close();
    await truncate(path, pixels + 12 + bytes);
  }
}

/**
 * All runs by sender; they take turns, so that other load hits all alike, and every other turn the last begins: who comes
 * after another finds the machine as that one left it. The first turn warms up.
 */
async function inTurns(
  senders: readonly Sender[],
  folder: string,
  turns: number,
): Promise<Map<string, Took[]>> {
  const took = new Map<string, Took[]>(senders.map(({ name }) => [name, []]));
  for (let round = 0; round <= turns; round += 1)
    for (const { name, send } of round % 2 === 0 ? senders : senders.toReversed()) {
      const one = await send(folder);
      console.error(`${round === 0 ? 'warm-up' : `round ${round}`}: ${name} ${one.seconds.toFixed(2)} s`);
      if (round > 0) took.get(name)?.push(one);
    }
  return took;
}

async function measureSmall(work: string, sink: Sink, copy: Sender): Promise<void> {
  const folder = join(work, 'images');
  await writeImages(folder);
  const orthanc =
    values.short || findOrthanc() === undefined ? undefined : await startOrthancSender(work, folder, sink);
  try {
    const took = await inTurns([scanflow(sink), storescu(sink), dcmsend(sink), copy], folder, rounds);
    if (orthanc !== undefined) took.set(orthanc.sender.name, [await orthanc.sender.send(folder)]);
    printTable(`${images} instances of 184 KB, one association (Orthanc: one per hundred)`, took);
    boundRatio('small images', took, 'storescu', 0.85);
    boundRatio('small images', took, 'dcmsend', 0.9);
  } finally {
    await orthanc?.stop();
  }
  if (values.profile === undefined) return;
  const profiles = resolve(values.profile);
  await mkdir(profiles, { recursive: true });
  await scanflow(sink, profiles).send(folder);
  console.log(`The CPU profile of one run is in ${profiles}: open it in a browser's developer tools.`);
}

async function measureLarge(work: string, sink: Sink, copy: Sender): Promise<void> {
  const folder = join(work, 'large');
  await writeLarge(folder, large, 512 * MB);
  const took = await inTurns([scanflow(sink), storescu(sink), copy], folder, rounds);
  printTable(`${large} instances of 512 MB`, took);
  boundRatio('large images', took, 'storescu', 1.1);
  bound('large images, memory in MB', most(took.get(OURS)), 150, 0);
}

async function measureHuge(work: string, sink: Sink): Promise<void> {
  const folder = join(work, 'huge');
  await writeLarge(folder, 1, 2048 * MB);
  const { seconds, rss } = await scanflow(sink).send(folder);
  console.log(`\nAn instance of 2 GB took ${seconds.toFixed(2)} s.`);
  bound('2 GB, memory in MB', rss, 100, 0);
}

const work = await mkdtemp(join(tmpdir(), 'scanflow-bench-send-'));
// journals of the user's own are none of the bench's: each run would look into them
process.env['XDG_STATE_HOME'] = join(work, 'state');
const sink = await startSink();
try {
  const copy = await startCopy();
  try {
    await measureSmall(work, sink, copy.sender);
    if (large > 0) {
      await measureLarge(work, sink, copy.sender);
      await measureHuge(work, sink);
    }
  } finally {
    await copy.stop();
  }
} finally {
  await sink.stop();
  await rm(work, { recursive: true, force: true });
}
process.exitCode = missed() === 0 ? 0 : 1;
