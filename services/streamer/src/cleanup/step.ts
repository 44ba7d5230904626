/** Clean-up: deletes from Orthanc what is stored and verified, and nothing else. */
import { type Failure, permanent } from '@scanflow/failure';
import type { InstanceListing, Orthanc } from '@scanflow/orthanc';
import { named, iso } from '../model/series.ts';
import { failureOf, unlessGone } from '../model/failure.ts';
import { keyOf, keysOf } from '../store/record.ts';
import type { Row } from '@scanflow/database';
import type { Ledger, Millis, Tx } from '../ledger/tx.ts';
import type { Store } from '../store/types.ts';
import type { SeriesView } from '../ledger/rows.ts';
import { reached } from '../work/trace.ts';
import type { Clock } from '../model/settings.ts';
import type { LoopDeps } from '../work/deps.ts';
import { Wake } from '../work/wake.ts';
import { keptBecause, keptSummary, type KeptSeries } from './plan.ts';
import { seriesViews, message, parse } from '../ledger/views.ts';

interface CleanDeps {
  readonly orthanc: Pick<Orthanc, 'instances' | 'instance' | 'versions' | 'remove' | 'noteLeaving'>;
  readonly ledger: Ledger;
  readonly store: Pick<Store, 'record' | 'holds'>;
  readonly clock: Clock;
}

type CleanOutcome =
  | { readonly kind: 'cleaned'; readonly images: number }
  /** Images arrived meanwhile; they are stored first. */
  | { readonly kind: 'grown' }
  | { readonly kind: 'refused'; readonly failure: Failure };

/** Throws if Orthanc or project storage does not answer; the worker then tries again. */
export async function cleanStep(
  series: SeriesView,
  { orthanc, ledger, store, clock }: CleanDeps,
  signal: AbortSignal,
): Promise<CleanOutcome> {
  // nothing if an earlier attempt was killed between its last deletion and the ledger
  const listed = (await unlessGone(orthanc.instances(series.id, signal))) ?? [];
  const record = series.path === undefined ? undefined : await store.record(series.path);
  if (series.path === undefined || record?.orthancSeries !== series.id || record.state !== 'stored')
    return refused(NO_RECORD);
  if (listed.length > 0) {
    const stored = new Set(record.instances.flatMap(keysOf));
    if (listed.some((file) => !stored.has(keyOf(file)))) {
      // a deletion that was killed left this note; nothing is deleted now, so re-sends may come
      await unlessGone(orthanc.noteLeaving(series.id, undefined, signal));
      return refused(UNKNOWN_IMAGES);
    }
    // check all of them before the first is deleted, also those that Orthanc no longer has
    for (const image of record.instances) {
      signal.throwIfAborted();
      if (!(await store.holds(series.path, image))) return refused(CHANGED);
    }
  }
  // before the first deletion, so that nobody takes the images for lost meanwhile
  if (!(await ledger.write(markCleaning, series.id, clock.now()))) return { kind: 'grown' };
  const wanted = [...Map.groupBy(listed, ({ id }) => id).values()];
  const images = await deleteAll(series.id, wanted, { orthanc, clock }, signal);
  const done = images === wanted.length && (await ledger.write(markCleaned, series.id, clock.now()));
  return done ? { kind: 'cleaned', images } : { kind: 'grown' };
}

/** The receiver believes such a note for 15 minutes, so that a killed clean-up blocks nothing for longer. */
const NOTE_EVERY_MS = 5 * 60_000;

/** Deletes the images; returns how many. An image stays if another version came since all were listed. */
async function deleteAll(
  series: string,
  wanted: readonly (readonly InstanceListing[])[],
  { orthanc, clock }: Pick<CleanDeps, 'orthanc' | 'clock'>,
  signal: AbortSignal,
): Promise<number> {
  let images = 0;
  let noted = -Infinity;
  try {
    for (const files of wanted) {
      signal.throwIfAborted();
      // a re-send from here on is not acknowledged, unless the check below sees it
      if (clock.now() - noted > NOTE_EVERY_MS) {
        noted = clock.now();
        await unlessGone(orthanc.noteLeaving(series, iso(noted), signal));
        reached('series-leaving');
      }
      const [{ id } = { id: '' }] = files;
      if (!(await isAsListed(files, orthanc, signal))) continue;
      await unlessGone(orthanc.remove(id, signal));
      images += 1;
      reached('image-deleted', { instance: id });
    }
  } finally {
    if (images < wanted.length) await unlessGone(orthanc.noteLeaving(series, undefined, signal));
  }
  return images;
}

const refused = (failure: Failure): CleanOutcome => ({ kind: 'refused', failure });

const NO_RECORD = permanent(
  'CLEANUP_NO_RECORD',
  'Nothing is deleted from Orthanc: the folder of this series or its series.json is no longer in project storage. Put it back, or retry the series.',
);
const UNKNOWN_IMAGES = permanent(
  'CLEANUP_UNKNOWN_IMAGES',
  'Nothing is deleted from Orthanc: it has images of this series that series.json does not have. Retry the series; it stores what is missing.',
);
const CHANGED = permanent(
  'CLEANUP_FILE_CHANGED',
  'Nothing is deleted from Orthanc: a stored image of this series is missing or changed. Compare the folder with its manifest; a retry of the series pulls what is missing.',
);

/** Whether the bytes are the listed ones, and no version is there that was not listed. */
async function isAsListed(
  files: readonly InstanceListing[],
  orthanc: CleanDeps['orthanc'],
  signal: AbortSignal,
): Promise<boolean> {
  const own = files.find(({ version }) => version === undefined);
  if (own === undefined) return false;
  const now = await unlessGone(orthanc.instance(own.id, signal));
  const versions = await unlessGone(orthanc.versions(own.id, signal));
  return now?.fileUuid === own.fileUuid && versions?.length === files.length - 1;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const MANY = 500;
/** Series that stay in Orthanc are reported one by one up to this number. */
const MOST_KEPT = 10_000;

/** Cleans up all series that are due. */
export async function cleanRound(afterMs: number, deps: LoopDeps, signal: AbortSignal): Promise<void> {
  const { ledger, clock, notCleaned } = deps;
  const ready = await ledger.read(cleanable, clock.now() - afterMs, MANY + notCleaned.size);
  for (const series of ready) {
    if (signal.aborted) return;
    if ((notCleaned.get(series.id)?.again ?? 0) <= clock.now()) await cleanOne(series, deps, signal);
  }
  await lookAtKept(afterMs, deps);
  await new Wake().wait(Math.min(Math.max(afterMs / 2, 200), MINUTE_MS), signal);
}

/** What stays in Orthanc fills its disk: it shows, with the reason. */
async function lookAtKept(
  afterMs: number,
  { ledger, clock, kept, notCleaned, condition }: LoopDeps,
): Promise<void> {
  const found = await ledger.read(keptSeries, clock.now() - afterMs, MOST_KEPT);
  kept.clear();
  for (const series of found) kept.set(series.id, keptBecause(series));
  condition.kept = keptSummary([...kept.values(), ...notCleaned.values()]);
}

async function cleanOne(series: SeriesView, deps: LoopDeps, signal: AbortSignal): Promise<void> {
  const { clock, log, metrics, notCleaned } = deps;
  const about = { series: series.id, ...named(series.attributes['AccessionNumber']) };
  const outcome = await cleanStep(series, deps, signal).catch((error: unknown) => {
    if (signal.aborted) throw error;
    return { kind: 'refused', failure: failureOf(error) } as const;
  });
  if (outcome.kind !== 'refused') {
    notCleaned.delete(series.id);
    if (outcome.kind === 'cleaned') log.info('deleted from Orthanc', { ...about, images: outcome.images });
    return;
  }
  const { failure } = outcome;
  metrics.failed('cleanup', failure.code);
  if (notCleaned.get(series.id)?.code !== failure.code)
    log.error('not deleted from Orthanc', { ...about, ...failure });
  // what is wrong with the files is for a person; what was wrong with Orthanc may be over
  const wait = failure.kind === 'permanent' ? HOUR_MS : MINUTE_MS;
  notCleaned.set(series.id, { ...failure, again: clock.now() + wait });
}

/** Complete, still in Orthanc, and neither it nor its session has an undelivered event. */
const READY = `state = 'complete' AND (cleaned IS NULL OR cleaned < 0) AND updated <= ?
  AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.subject = series.id AND d.state <> 'done')
  AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.subject = series.session AND d.state <> 'done')`;

/** Its session will be reported soon. One that waits for a person, who may take weeks, keeps nothing. */
const TOLD = `NOT EXISTS (SELECT 1 FROM session t WHERE t.id = series.session AND t.due IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM series m WHERE m.session = t.id AND m.state = 'quarantined'))`;

/** Complete series, settled since before this moment, with nothing left to tell, that are still in Orthanc. */
export const cleanable = (tx: Tx, settledBefore: Millis, limit: number): Promise<SeriesView[]> => {
  const ready = tx.consequences.hooksFor('complete', undefined).length > 0 ? `${READY} AND ${TOLD}` : READY;
  return seriesViews(tx, `WHERE ${ready} ORDER BY updated LIMIT ?`, settledBefore, limit);
};

/** Marks the deletion as begun, so that a missing image is no loss from here on; false if images arrived. */
export async function markCleaning(tx: Tx, series: string, now: Millis): Promise<boolean> {
  const begun = await tx.run(`UPDATE series SET cleaned = ? WHERE id = ? AND state = 'complete'`, [
    // negative: under way
    -now,
    series,
  ]);
  return begun === 1;
}

/** Marks the series deleted; false if images arrived meanwhile. */
export async function markCleaned(tx: Tx, series: string, now: Millis): Promise<boolean> {
  const done = await tx.run(
    `UPDATE series SET cleaned = ? WHERE id = ? AND state = 'complete' AND cleaned < 0`,
    [now, series],
  );
  return done === 1;
}

/** Series, quiet since before this moment, that stay in Orthanc: what is open or failed of each. The oldest first. */
export async function keptSeries(tx: Tx, settledBefore: Millis, limit: number): Promise<KeptSeries[]> {
  const rows = await tx.all(
    `SELECT id, state, session, reason_code, reason_message FROM series
     WHERE (state IN ('collecting', 'working', 'failed', 'quarantined') OR (state = 'complete' AND (
         id IN (SELECT d.subject FROM delivery d WHERE d.state <> 'done')
         OR session IN (SELECT d.subject FROM delivery d WHERE d.state <> 'done'))))
       AND (cleaned IS NULL OR cleaned < 0) AND (in_orthanc > 0 OR digest IS NULL) AND updated <= ?
     ORDER BY updated LIMIT ?`,
    [settledBefore, limit],
  );
  const found: KeptSeries[] = [];
  for (const row of rows) {
    const id = String(row['id']);
    const legs = await tx.all(
      `SELECT target, state, failure_code, failure_message FROM leg WHERE series = ? AND state <> 'done' ORDER BY target`,
      [id],
    );
    const hooks = await tx.all(
      `SELECT hook, state, failure_code, failure_message FROM delivery WHERE subject IN (?, ?) AND state <> 'done' ORDER BY ord`,
      [id, parse.text(row['session']) ?? id],
    );
    found.push({
      id,
      state: parse.state(row['state']),
      reason: message(row['reason_code'], row['reason_message']),
      open: [
        ...legs.map((leg) => openOf(leg, String(leg['target']))),
        ...hooks.map((hook) => openOf(hook, `hook:${String(hook['hook'])}`)),
      ],
    });
  }
  return found;
}

const openOf = (row: Row, target: string): KeptSeries['open'][number] => ({
  target,
  state: parse.leg(row['state']),
  failure: message(row['failure_code'], row['failure_message']),
});
