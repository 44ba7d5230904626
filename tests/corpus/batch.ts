/** One batch of images through a real Orthanc and a real streamer, and what became of each. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inflateFile, removeSplice } from '@scanflow/dicom';
import { until } from '@scanflow/testkit';
import {
  caughtUp,
  makeRig,
  type Rig,
  type RigContext,
  type Series,
} from '../integration/streamer-support.ts';
import { folderOf, recordOf, TAG, type StoredRecord } from '../integration/streamer-verify.ts';
import { compareConversion } from './convert.ts';
import type { Image } from './image-head.ts';
import { compareRecord } from './record.ts';
import { row, type Row } from './rows.ts';

/** Nothing was stored for so long: what is not stored now is not waited for. */
const STALLED_MS = 60_000;

export interface BatchOptions {
  readonly temp: string;
  readonly signal: AbortSignal;
  /** Told of each image that is through. */
  readonly done: (count: number) => void;
}

/** Throws only where Orthanc or the streamer cannot be started. Leaves no program and no file. */
export async function tryBatch(images: readonly Image[], options: BatchOptions): Promise<Row[]> {
  const closers: (() => unknown)[] = [];
  const context: RigContext = {
    after: (close) => {
      closers.push(close as () => unknown);
    },
    diagnostic: () => undefined,
    passed: true,
  };
  try {
    const rig = await makeRig(context, {
      quiet: '1s',
      unmatched: 'all/{StudyInstanceUID}/{SeriesInstanceUID}/{SOPInstanceUID}.dcm',
    });
    await rig.start();
    return await through(rig, images, options);
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

async function through(
  rig: Rig,
  images: readonly Image[],
  { temp, done, signal }: BatchOptions,
): Promise<Row[]> {
  const rows: Row[] = [];
  const taken = new Map<string, Image>();
  for (const image of images) {
    const { status, body } = await rig.orthanc.upload(await readFile(image.path));
    const { ID: id } = body as { ID?: string };
    if (status !== 200 || id === undefined) {
      rows.push(row(image, 'taken', 'refused', `ORTHANC_${status}`, reasonOf(body)));
      continue;
    }
    rows.push(row(image, 'taken', 'held'));
    const same = taken.get(id);
    if (same === undefined) taken.set(id, image);
    else rows.push(row(image, 'stored', 'left out', 'SAME_INSTANCE', `Orthanc takes it for ${same.name}.`));
  }
  const stalled = await stored(rig, taken.size, done, signal);
  const open = new Map(taken);
  for (const series of await rig.series()) rows.push(...(await judgeSeries(rig, series, open, temp)));
  for (const image of open.values())
    rows.push(
      row(
        image,
        'stored',
        'broke',
        'NOT_STORED',
        `Orthanc has it and the streamer did not store it. ${stalled}`,
      ),
    );
  done(images.length);
  return rows;
}

/** Waits until the streamer has finished with all series, or stores nothing more. */
async function stored(
  rig: Rig,
  wanted: number,
  done: (count: number) => void,
  signal: AbortSignal,
): Promise<string> {
  let last = { count: -1, at: performance.now() };
  return until(
    async () => {
      if (signal.aborted) return 'The run was stopped.';
      if (rig.streamer().exited()) return 'The streamer ended.';
      const all = await rig.series().catch(() => []);
      const count = all.reduce((sum, { images }) => sum + images.stored, 0);
      if (count !== last.count) last = { count, at: performance.now() };
      done(Math.min(count, wanted));
      const ended = all.every(({ state }) => ['complete', 'failed', 'quarantined'].includes(state));
      const held = all.reduce((sum, { images }) => sum + images.inOrthanc, 0);
      if (ended && held >= wanted && (await caughtUp(rig).catch(() => false)))
        return 'Its series ended without it.';
      return performance.now() - last.at > STALLED_MS
        ? `Nothing was stored for ${STALLED_MS / 1000} s.`
        : undefined;
    },
    { what: 'the batch is stored', timeoutMs: 24 * 3_600_000, everyMs: 250 },
  );
}

/** Takes from `open` what it has said something about. */
async function judgeSeries(rig: Rig, series: Series, open: Map<string, Image>, temp: string): Promise<Row[]> {
  const ids = ((await rig.orthanc.get(`/series/${series.id}`)) as { Instances: string[] }).Instances;
  const images = new Map(ids.flatMap((id) => (open.has(id) ? [[id, open.get(id) as Image] as const] : [])));
  const leg = series.legs.find(({ target }) => target === 'storage');
  if (leg?.path === undefined) return notStored(series, images, open);
  const folder = folderOf(series);
  const record = await recordOf(folder);
  const rows: Row[] = [];
  const kept: { image: Image; file: string }[] = [];
  for (const instance of record.instances) {
    const image = images.get(instance.orthancId);
    if (image === undefined) continue;
    open.delete(instance.orthancId);
    images.delete(instance.orthancId);
    rows.push(await judgeStored(image, join(folder, instance.file), instance));
    kept.push({ image, file: instance.file });
  }
  rows.push(...notStored(series, images, open));
  rows.push(...(await compareRecord(record, kept)));
  rows.push(...(await compareConversion(folder, kept, temp)));
  return rows;
}

function notStored(series: Series, images: ReadonlyMap<string, Image>, open: Map<string, Image>): Row[] {
  const { failure } = series.legs.find(({ target }) => target === 'storage') ?? {};
  const code = failure?.code ?? series.reasonCode ?? 'NOT_STORED';
  return [...images].map(([id, image]) => {
    open.delete(id);
    const outcome = series.state === 'quarantined' ? 'refused' : 'broke';
    return row(image, 'stored', outcome, code, `Its series is ${series.state}: ${code}.`);
  });
}

async function judgeStored(
  image: Image,
  path: string,
  { tagged, untagged }: StoredRecord['instances'][number],
): Promise<Row> {
  const [came, is] = await Promise.all([readFile(image.path), readFile(path)]);
  if (!tagged) {
    const code = untagged?.code ?? 'UNTAGGED';
    if (!is.equals(came))
      return row(image, 'stored', 'broke', code, 'It was stored without the tag, and not as it came.');
    return row(image, 'stored', 'refused', code, 'It was stored as it came, without the tag.');
  }
  try {
    const bare = Buffer.from(removeSplice(is, TAG));
    if (bare.equals(inflateFile(came))) return row(image, 'stored', 'held');
  } catch (error) {
    const what = error instanceof Error ? error.name : 'unknown';
    return row(image, 'stored', 'broke', 'TAG_NOT_REMOVABLE', `The tag cannot be taken out again (${what}).`);
  }
  return row(image, 'stored', 'broke', 'OTHER_BYTES', 'Without its tag it is not what came.');
}

function reasonOf(body: unknown): string {
  const { Message: message, Details: details } = (typeof body === 'object' ? body : {}) as Record<
    string,
    unknown
  >;
  return [message, details]
    .filter((part) => typeof part === 'string')
    .join(' ')
    .slice(0, 200);
}
