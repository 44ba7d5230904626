/** Reads what Orthanc reports into the ledger: the change feed, its identity, and from time to time all series. */
import type { Change, Orthanc, SeriesListing, SystemInfo } from '@scanflow/orthanc';
import { failureOf } from '../model/failure.ts';
import { digestOfFiles } from '../store/record.ts';
import { joinableOf } from '../joining/parts.ts';
import type { Cursor, FirstImages } from '../ledger/rows.ts';
import { readFirst } from '../store/image.ts';
import { reached } from '../work/trace.ts';
import { readCursor, setCursor, lead, leads, putCursor } from '../ledger/claims.ts';
import { recyclingWarning } from '../work/condition.ts';
import type { LoopDeps } from '../work/deps.ts';
import { LONGEST_WAIT, Wake } from '../work/wake.ts';
import type { Millis, Tx } from '../ledger/tx.ts';
import { sessionsGrow } from '../ledger/aftermath.ts';
import { leadOf, leadsOf, touch } from '../ledger/joined.ts';
import type { Joinable } from '../joining/rule.ts';
import { parse } from '../ledger/views.ts';

const PAGE = 1000;
const RECONCILE_PAGE = 100;

/**
 * Reads all changes behind the cursor. Each page's series get their quiet timers in the transaction that moves the
 * cursor. Answers whether the database is another one than before: then everything has to be looked at again.
 */
async function readChanges(
  deps: LoopDeps,
  database: string | undefined,
  signal: AbortSignal,
): Promise<{ replaced: boolean; seq: number }> {
  const { orthanc, ledger, log } = deps;
  const known = await ledger.read(readCursor);
  let cursor: Cursor = known ?? { seq: 0, database };
  if (isOther(cursor, database)) {
    log.warn('another database', { code: 'ORTHANC_REPLACED', before: cursor.database, now: database });
    await ledger.write(setCursor, { seq: 0, database });
    return { replaced: true, seq: 0 };
  }
  for (;;) {
    const page = await orthanc.changes(cursor.seq, PAGE, signal);
    if (page.changes.length > 0) reached('changes-read', { changes: page.changes.length });
    if (page.last < cursor.seq) {
      log.warn('database wiped', { code: 'ORTHANC_WIPED', cursor: cursor.seq, last: page.last });
      await ledger.write(setCursor, { seq: 0, database });
      return { replaced: true, seq: 0 };
    }
    const next: Cursor = { seq: page.last, database: database ?? cursor.database };
    if (next.seq !== cursor.seq || next.database !== cursor.database || known === undefined)
      await take(page.changes, next, deps, signal);
    cursor = next;
    if (page.done || page.changes.length === 0) return { replaced: false, seq: cursor.seq };
  }
}

const isOther = (cursor: Cursor, database: string | undefined): boolean =>
  cursor.database !== undefined && database !== undefined && cursor.database !== database;

async function take(
  changes: readonly Change[],
  cursor: Cursor,
  deps: LoopDeps,
  signal: AbortSignal,
): Promise<void> {
  const { ledger, settings, clock } = deps;
  const series = [...(await seriesOf(changes, deps, signal))];
  const first = await readFirst(await ledger.read(unreadOf, series), deps, signal);
  const now = clock.now();
  await ledger.write(
    arrived,
    cursor,
    series,
    now,
    now + settings.quietMs,
    first,
    joinableOf(first, settings),
  );
  reached('changes-recorded', { series: series.length });
}

/**
 * The series that a page of changes is about. An instance's series is requested once; the other instances of that
 * series, which mostly stand in the same page, come with it.
 */
async function seriesOf(
  changes: readonly Change[],
  { orthanc, log }: LoopDeps,
  signal: AbortSignal,
): Promise<Set<string>> {
  const found = new Set<string>();
  const parents = new Map<string, string>();
  for (const { type, id } of changes) {
    if (type === 'NewSeries') found.add(id);
    if ((type !== 'NewInstance' && type !== 'UpdatedAttachment') || parents.has(id)) continue;
    try {
      const parent = await orthanc.parentOf(id, signal);
      // another version of an image, which the receiver keeps, or something of another program's
      if (type === 'UpdatedAttachment' && !(await orthanc.hasVersions(parent, signal))) continue;
      const { instances } = await orthanc.series(parent, signal);
      for (const instance of instances) parents.set(instance, parent);
      found.add(parent);
    } catch (error) {
      if (failureOf(error).code !== 'ORTHANC_GONE') throw error;
      // its series, if it is still there, is found by its other instances and by reconciliation
      log.warn('image deleted from Orthanc before it was seen', { code: 'SOURCE_GONE', instance: id });
    }
  }
  return found;
}

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

const SYSTEM_EVERY = 30_000;
/** Of the lease: how often another streamer looks whether it has to take over. */
const FOLLOW_PART = 1 / 10;

/** Reads what Orthanc reports, or waits while another streamer does. */
export async function intakeRound(deps: LoopDeps, signal: AbortSignal): Promise<void> {
  const { condition, settings, clock, wakes } = deps;
  const system = await askSystem(deps, signal);
  if (!(await leading(deps))) return followReader(deps, signal);
  const began = clock.now();
  const { replaced, seq } = await readChanges(deps, system.database, signal);
  if (seq !== condition.seq) wakes.store.notify();
  condition.seq = seq;
  condition.orthancAnswered();
  condition.readAt = replaced ? 0 : began;
  if (replaced) wakes.reconcile.notify();
  else await new Wake().wait(settings.pollMs, signal);
}

async function askSystem(
  { orthanc, condition, clock, log }: LoopDeps,
  signal: AbortSignal,
): Promise<SystemInfo> {
  const known = condition.system;
  if (known !== undefined && Math.abs(clock.now() - condition.askedAt) <= SYSTEM_EVERY) return known;
  const system = await orthanc.system(signal);
  condition.askedAt = clock.now();
  condition.orthancAnswered();
  if (known?.recycling !== system.recycling && system.recycling !== undefined)
    log.error(recyclingWarning(system.recycling), { code: 'ORTHANC_RECYCLES' });
  condition.system = system;
  return system;
}

/** Whether this streamer is the one that reads what Orthanc reports. Who becomes it looks at everything once. */
async function leading({ ledger, condition, clock, log, wakes }: LoopDeps): Promise<boolean> {
  const leads = await ledger.write(lead, clock.now());
  if (leads !== condition.leads) {
    condition.leads = leads;
    log.info(leads ? 'reads what Orthanc reports' : 'another streamer reads what Orthanc reports');
    condition.readAt = 0;
    if (leads) wakes.reconcile.notify();
  }
  return leads;
}

/** Another streamer reads: its news are looked for in the ledger. */
async function followReader(
  { ledger, condition, settings, wakes }: LoopDeps,
  signal: AbortSignal,
): Promise<void> {
  const { seq } = (await ledger.read(readCursor)) ?? condition;
  if (seq !== condition.seq) wakes.store.notify();
  condition.seq = seq;
  await new Wake().wait(Math.max(settings.pollMs, ledger.leaseMs * FOLLOW_PART), signal);
}

/** Compares all of Orthanc with the ledger, and waits for the next time. */
export async function reconcileRound(deps: LoopDeps, signal: AbortSignal): Promise<void> {
  const { wakes } = deps;
  if (!deps.condition.leads) return wakes.reconcile.wait(LONGEST_WAIT, signal);
  const { series, due } = await reconcile(deps, signal);
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
