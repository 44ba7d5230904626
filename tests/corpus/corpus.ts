/** A folder through the product: what is in it, each image, each calendar. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { batchesOf, type Bounds } from './batches.ts';
import { tryBatch } from './batch.ts';
import { CalendarJudge } from './calendars.ts';
import { find, type Found } from './found.ts';
import { headOf, type Image } from './image-head.ts';
import type { Progress } from './progress.ts';
import { row, type Row } from './rows.ts';

export interface CorpusOptions {
  readonly folder: string;
  readonly maxBytes: number;
  readonly maxFiles: number;
  readonly batch: Bounds;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface Tried {
  readonly rows: readonly Row[];
  readonly images: number;
  readonly calendars: number;
  readonly others: number;
}

/** Everything that it makes lies in one temporary folder, which goes in the end, and when `signal` stops it. */
export async function tryFolder(options: CorpusOptions): Promise<Tried> {
  const temp = await mkdtemp(join(tmpdir(), 'scanflow-corpus-'));
  try {
    const { folder, maxBytes, maxFiles, progress } = options;
    const seen = (count: number): void => progress('files looked at', count, maxFiles);
    const { found, not } = await find(folder, { temp, maxBytes, maxFiles, seen });
    const rows = not.map(({ name, outcome, code, detail }) =>
      row({ name, kind: 'not tried' }, 'found', outcome, code, detail),
    );
    const calendars = found.filter(({ what }) => what === 'calendar');
    const images = found.filter(({ what }) => what === 'image');
    rows.push(...(await tryCalendars(calendars, options)));
    rows.push(...(await tryImages(images, temp, options)));
    return { rows, images: images.length, calendars: calendars.length, others: not.length };
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
}

async function tryCalendars(
  calendars: readonly Found[],
  { progress, signal }: CorpusOptions,
): Promise<Row[]> {
  const judge = new CalendarJudge();
  const rows: Row[] = [];
  try {
    for (const [index, calendar] of calendars.entries()) {
      if (signal.aborted) break;
      rows.push(...(await judge.judge(calendar)));
      progress('calendars', index + 1, calendars.length);
    }
  } finally {
    await judge.close();
  }
  return rows;
}

async function tryImages(found: readonly Found[], temp: string, options: CorpusOptions): Promise<Row[]> {
  const { progress, signal, batch: bounds } = options;
  const images: Image[] = [];
  for (const one of found) images.push(await headOf(one));
  const rows: Row[] = [];
  let before = 0;
  for (const batch of batchesOf(images, bounds)) {
    const done = (count: number): void => progress('images', before + count, images.length);
    const judged = await tryBatch(batch, { temp, done, signal }).catch((error: unknown) =>
      failed(batch, error),
    );
    // Ctrl-C ends Orthanc and the streamer as well: what came of this batch says nothing
    if (signal.aborted) break;
    rows.push(...judged);
    before += batch.length;
  }
  return rows;
}

/** Orthanc or the streamer could not be started, or ended on the way. */
function failed(batch: readonly Image[], error: unknown): Row[] {
  const [why = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return batch.map((image) => row(image, 'stored', 'untried', 'BATCH', why.slice(0, 200)));
}
