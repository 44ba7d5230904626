/** How many images scanners reported of a series (MPPS): exam records on disk, and the round that compares them with what came. */
import type { ExamSummary } from '@scanflow/booking';
import { examFiles, RecordWatch } from '@scanflow/records';
import type { Millis, Tx } from '../ledger/tx.ts';
import type { Orthanc } from '@scanflow/orthanc';
import type { Log } from '@scanflow/runtime';
import { unlessGone } from '../model/failure.ts';
import type { Ledger } from '../ledger/tx.ts';
import { LONGEST_WAIT, type Wake } from '../work/wake.ts';

export interface ExamCounts {
  /** Reads what changed since the last time. Whether anything did. */
  readonly refresh: () => Promise<boolean>;
  /** Number of records. */
  readonly known: () => number;
  /** How many instances the scanner says that the series has; undefined where it has said nothing final. */
  readonly expected: (seriesInstanceUid: string) => number | undefined;
  /** How many exams are of one of these bookings or studies. */
  readonly about: (accessions: ReadonlySet<string>, studies: ReadonlySet<string>) => Promise<number>;
}

/**
 * @param folder where the worklist service writes exam records; it need not exist
 * @param unreadable reports a damaged file (name and reason), once for each of its contents
 */
export function openExamCounts(
  folder: string,
  unreadable: (file: string, reason: string) => void = () => undefined,
): ExamCounts {
  const watch = new RecordWatch(examFiles(folder, { onDamaged: unreadable }), countsOf, { replaced: true });
  let counts: ReadonlyMap<string, number> = new Map();
  return {
    refresh: async () => {
      const { changed } = await watch.look();
      if (changed) counts = together(watch.values());
      return changed;
    },
    known: () => watch.size,
    expected: (seriesInstanceUid) => counts.get(seriesInstanceUid),
    about: async (accessions, studies) => {
      let exams = 0;
      for await (const record of examFiles(folder).all())
        if (isAbout(record, accessions, studies)) exams += 1;
      return exams;
    },
  };
}

const isAbout = (
  { items, links }: ExamSummary,
  accessions: ReadonlySet<string>,
  studies: ReadonlySet<string>,
): boolean =>
  items.some((one) => accessions.has(one.accessionNumber) || studies.has(one.studyInstanceUid)) ||
  links.some(
    (one) => accessions.has(one.accessionNumber) || one.studyInstanceUids.some((uid) => studies.has(uid)),
  );

/** A series belongs to one exam; should two name it, the larger count is the later one. */
function together(all: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const most = new Map<string, number>();
  for (const counts of all)
    for (const [series, count] of counts) most.set(series, Math.max(count, most.get(series) ?? 0));
  return most;
}

/** While an exam runs, its list of series may be a part of what there will be. */
const countsOf = ({ state, series }: ExamSummary): ReadonlyMap<string, number> =>
  new Map(
    state === 'IN PROGRESS'
      ? []
      : series.map(({ seriesInstanceUid, images, others }) => [seriesInstanceUid, images + others]),
  );

/** Series whose quiet timer runs, the next one to end first. */
export async function collecting(tx: Tx, limit: number): Promise<string[]> {
  // of a series that may get further parts under other UIDs, what the scanner reported of one tells nothing
  const rows = await tx.all(
    `SELECT id FROM series WHERE due IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM joined j WHERE j.series = series.id AND j.alike IS NOT NULL)
     ORDER BY due LIMIT ?`,
    [limit],
  );
  return rows.map((row) => String(row['id']));
}

/** All that the scanner made is there: the quiet timer ends now. */
export async function hasten(tx: Tx, series: string, now: Millis): Promise<void> {
  await tx.run('UPDATE series SET due = ? WHERE id = ? AND due > ?', [now, series, now]);
}

/** Series updated since `since` for which no MPPS count is known; latest first. */
async function unexpected(tx: Tx, since: Millis, limit: number): Promise<{ id: string; uid: string }[]> {
  const rows = await tx.all(
    `SELECT id, uid FROM series WHERE updated > ? AND expected IS NULL AND uid IS NOT NULL
     ORDER BY updated DESC LIMIT ?`,
    [since, limit],
  );
  return rows.map((row) => ({ id: String(row['id']), uid: String(row['uid']) }));
}

/** How many images the scanner made of the series. A session that was complete is looked at again, and its report written anew. */
export async function expectImages(tx: Tx, series: string, images: number, now: Millis): Promise<void> {
  await tx.run('UPDATE series SET expected = ? WHERE id = ?', [images, series]);
  await tx.run(
    'UPDATE session SET due = ?, updated = ? WHERE due IS NULL AND id = (SELECT session FROM series WHERE id = ?)',
    [now, now, series],
  );
}

/** A series may not be stored before the scanner has reported it. */
const REPORTED_WITHIN_MS = 7 * 86_400_000;
const MANY = 500;

interface ExpectedDeps {
  readonly ledger: Ledger;
  readonly orthanc: Pick<Orthanc, 'series'>;
  readonly exams: ExamCounts;
  readonly settings: { readonly pollMs: number };
  readonly clock: { readonly now: () => number };
  readonly log: Log;
  readonly wakes: Readonly<Record<'store' | 'after', Wake>>;
}

/** How many images each series should have: those that have them need not wait for the end of their quiet time. */
export async function expectedRound(deps: ExpectedDeps, signal: AbortSignal): Promise<void> {
  const { ledger, clock, exams, settings, wakes } = deps;
  await exams.refresh();
  if (exams.known() > 0) {
    for (const id of await ledger.read(collecting, MANY)) await hastenOne(id, deps, signal);
    for (const { id, uid } of await ledger.read(unexpected, clock.now() - REPORTED_WITHIN_MS, MANY)) {
      const expected = exams.expected(uid);
      if (expected !== undefined) await ledger.write(expectImages, id, expected, clock.now());
    }
  }
  await wakes.after.wait(Math.min(2.5 * settings.pollMs, LONGEST_WAIT), signal);
}

async function hastenOne(id: string, deps: ExpectedDeps, signal: AbortSignal): Promise<void> {
  const { ledger, orthanc, clock, log, exams, wakes } = deps;
  // deleted meanwhile: its quiet timer goes on, and what was lost shows
  const found = await unlessGone(orthanc.series(id, signal));
  const expected = found === undefined ? undefined : exams.expected(found.uid);
  const images = found?.instances.length ?? 0;
  if (expected === undefined || images < expected) return;
  await ledger.write(hasten, id, clock.now());
  log.info('all images are there', { series: id, images, expected });
  wakes.store.notify();
}
