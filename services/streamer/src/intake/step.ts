/** What arrived in Orthanc, into the ledger; and from time to time, the comparison of all series. */
import type { Orthanc, SeriesListing } from '@scanflow/orthanc';
import { failureOf } from '../model/failure.ts';
import { digestOfFiles } from '../store/record.ts';
import { joinableOf } from '../joining/parts.ts';
import type { Cursor, FirstImages } from '../ledger/rows.ts';
import { readFirst } from '../store/image.ts';
import { leads, putCursor } from '../ledger/claims.ts';
import type { LoopDeps } from '../work/deps.ts';
import { LONGEST_WAIT } from '../work/wake.ts';
import type { Millis, Tx } from '../ledger/tx.ts';
import { sessionsGrow } from '../ledger/aftermath.ts';
import { leadOf, leadsOf, touch } from '../ledger/joined.ts';
import type { Joinable } from '../joining/rule.ts';
import { parse } from '../ledger/views.ts';

const RECONCILE_PAGE = 100;

/** Compares every series of Orthanc with the ledger. How many became due. */
async function reconcile(deps: LoopDeps, signal: AbortSignal): Promise<{ series: number; due: number }> {
  const { orthanc, ledger, settings, clock } = deps;
  let series = 0;
  let due = 0;
  for (;;) {
    const page = await orthanc.seriesPage(series, RECONCILE_PAGE, signal);
    const listed: { id: string; digest: string }[] = [];
    for (const one of page) listed.push({ id: one.id, digest: await digestIn(one, orthanc, signal) });
    const unread = await ledger.read(
      unreadOf,
      listed.map(({ id }) => id),
    );
    const first = await readFirst(unread, deps, signal);
    const now = clock.now();
    due += await ledger.write(
      reconcileListed,
      listed,
      now,
      now + settings.quietMs,
      first,
      joinableOf(first, settings),
    );
    series += page.length;
    if (page.length < RECONCILE_PAGE) return { series, due };
  }
}

/** The files of every instance are listed only where one of them may have versions. */
async function digestIn(
  { id, instances }: SeriesListing,
  orthanc: Orthanc,
  signal: AbortSignal,
): Promise<string> {
  const own = instances.map((instance) => ({ id: instance, fileUuid: '' }));
  try {
    if (!(await orthanc.hasVersions(id, signal))) return digestOfFiles(own);
    // parts of it under other UIDs have digests of their own
    return digestOfFiles((await orthanc.instances(id, signal)).filter(({ series }) => series === undefined));
  } catch (error) {
    // deleted since the page was read
    if (failureOf(error).code === 'ORTHANC_GONE') return digestOfFiles(own);
    throw error;
  }
}

/** Compares all of Orthanc with the ledger, and waits for the next time. */
export async function reconcileRound(deps: LoopDeps, signal: AbortSignal): Promise<void> {
  const { wakes } = deps;
  const { condition } = deps;
  if (!condition.leads) return wakes.reconcile.wait(LONGEST_WAIT, signal);
  condition.comparing = deps.clock.now();
  const { series, due } = await reconcile(deps, signal);
  condition.compared = condition.comparing;
  deps.log.info('reconciled', { series, due });
  wakes.store.notify();
  await wakes.reconcile.wait(deps.settings.reconcileMs, signal);
}

/**
 * Something of these series arrived: their quiet timers start anew; the cursor advances with it. Their sessions have news,
 * so none of them is complete. `first`: attributes of the first image of those that are `unread`.
 */
export async function arrived(
  tx: Tx,
  seen: Cursor,
  seenSeries: readonly string[],
  now: Millis,
  due: Millis,
  first: FirstImages = NONE,
  joinable?: Joinable,
): Promise<void> {
  await leads(tx);
  const series = inOrder([...(await leadsOf(tx, seenSeries, joinable)).values()]);
  for (const id of series) await touch(tx, id, now, due);
  await sessionsGrow(tx, series, first, now);
  await putCursor(tx, seen);
}

const NONE: FirstImages = new Map();

/** Two transactions that touch several series each do so in the same order, or each might wait for the other. */
const inOrder = (series: readonly string[]): string[] => [...new Set(series)].sort();

/** Those of these series whose session is not known yet. A part of another series is not among them: the whole has the session. */
export async function unreadOf(tx: Tx, series: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const id of new Set(series)) {
    const known = await tx.get('SELECT session, uid FROM series WHERE id = ?', [id]);
    const told = (known?.['session'] ?? known?.['uid'] ?? null) !== null;
    if (!told && (await leadOf(tx, id)) === id) found.push(id);
  }
  return found;
}

/** Compares with what Orthanc has; a series that is unknown or has other instances becomes due. How many did. */
export async function reconcileListed(
  tx: Tx,
  listed: readonly { id: string; digest: string }[],
  now: Millis,
  due: Millis,
  first: FirstImages = NONE,
  joinable?: Joinable,
): Promise<number> {
  await leads(tx);
  const unsettled: string[] = [];
  for (const { id, digest } of listed) {
    const part = await tx.get('SELECT lead, digest FROM joined WHERE series = ?', [id]);
    const known = await tx.get('SELECT state, digest FROM series WHERE id = ?', [
      parse.text(part?.['lead']) ?? id,
    ]);
    const before = part === undefined ? known?.['digest'] : part['digest'];
    if (known === undefined || (!isOpen(known['state']) && before !== digest)) unsettled.push(id);
  }
  const series = inOrder([...(await leadsOf(tx, unsettled, joinable)).values()]);
  for (const id of series) await touch(tx, id, now, due);
  await sessionsGrow(tx, [...series, ...first.keys()], first, now);
  return series.length;
}

/** What is being worked on lists its instances again by itself, and its digest is compared the next time. */
const isOpen = (state: unknown): boolean => state === 'collecting' || state === 'working';
