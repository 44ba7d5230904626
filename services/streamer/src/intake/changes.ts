/** Reads what Orthanc reports: its identity, its changes since the last time, and numbers of it that appear late. */
import { databaseOf, type Change, type ChangePage, type SystemInfo } from '@scanflow/orthanc';
import { failureOf } from '../model/failure.ts';
import { joinableOf } from '../joining/parts.ts';
import type { Cursor } from '../ledger/rows.ts';
import { readFirst } from '../store/image.ts';
import { reached } from '../work/trace.ts';
import { lead, readCursor, setCursor } from '../ledger/claims.ts';
import { recyclingWarning } from '../work/condition.ts';
import { Wake } from '../work/wake.ts';
import type { LoopDeps } from '../work/deps.ts';
import type { Millis } from '../ledger/tx.ts';
import {
  aged,
  comparedAt,
  comparedFrom,
  filled,
  isMissed,
  missedIn,
  NO_GAPS,
  toRead,
  type Stretch,
} from './gaps.ts';
import { arrived, unreadOf } from './step.ts';

export type IntakeDeps = Pick<
  LoopDeps,
  'orthanc' | 'ledger' | 'settings' | 'clock' | 'log' | 'condition' | 'wakes'
>;

const PAGE = 1000;

const SYSTEM_EVERY = 30_000;
/** Of the lease: how often another streamer looks whether it has to take over. */
const FOLLOW_PART = 1 / 10;

/** Reads what Orthanc reports, or waits while another streamer does. */
export async function intakeRound(deps: IntakeDeps, signal: AbortSignal): Promise<void> {
  const { condition, settings, clock, wakes } = deps;
  const system = await askSystem(deps, signal);
  if (!(await leading(deps))) return followReader(deps, signal);
  const began = clock.now();
  const cursor = await readChanges(deps, system, condition.readAt, signal);
  const seq = cursor?.seq ?? 0;
  if (seq !== condition.seq) wakes.store.notify();
  condition.seq = seq;
  condition.missed = cursor?.gaps?.open.length ?? 0;
  condition.orthancAnswered();
  condition.readAt = cursor === undefined ? 0 : began;
  if (cursor === undefined) {
    wakes.reconcile.notify();
    return;
  }
  await compareForgotten(deps, cursor, began);
  await new Wake().wait(settings.pollMs, signal);
}

async function askSystem(
  { orthanc, condition, clock, log }: IntakeDeps,
  signal: AbortSignal,
): Promise<SystemInfo> {
  const known = condition.system;
  const used = condition.servers.find((one) => one.used)?.url;
  const moved = used !== undefined && used !== orthanc.address();
  if (!moved && known !== undefined && Math.abs(clock.now() - condition.askedAt) <= SYSTEM_EVERY)
    return known;
  // first: it finds one that answers
  condition.servers = await orthanc.servers(signal);
  const system = await orthanc.system(signal);
  condition.askedAt = clock.now();
  condition.orthancAnswered();
  if (known?.recycling !== system.recycling && system.recycling !== undefined)
    log.error(recyclingWarning(system.recycling), { code: 'ORTHANC_RECYCLES' });
  condition.system = system;
  return system;
}

/** Whether this streamer is the one that reads what Orthanc reports. Who becomes it looks at everything once. */
async function leading({ ledger, condition, clock, log, wakes }: IntakeDeps): Promise<boolean> {
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
  { ledger, condition, settings, wakes }: IntakeDeps,
  signal: AbortSignal,
): Promise<void> {
  const { seq = condition.seq, gaps = NO_GAPS } = (await ledger.read(readCursor)) ?? {};
  const missed = gaps.open.length;
  if (seq !== condition.seq || missed !== condition.missed) wakes.store.notify();
  condition.seq = seq;
  condition.missed = missed;
  await new Wake().wait(Math.max(settings.pollMs, ledger.leaseMs * FOLLOW_PART), signal);
}

/** Too many numbers were missing to remember each: everything is compared once none of them can appear any more. */
async function compareForgotten(
  { condition, ledger, wakes, log }: IntakeDeps,
  cursor: Cursor,
  now: Millis,
): Promise<void> {
  const { gaps = NO_GAPS } = cursor;
  const from = comparedFrom(gaps);
  if (from === undefined || now < from) return;
  if (condition.compared >= from)
    await ledger.write(setCursor, { ...cursor, gaps: comparedAt(gaps, condition.compared) });
  else if (condition.comparing < from) {
    if (condition.comparisonFrom !== from)
      log.info('compares everything in Orthanc: many of its changes were missing');
    condition.comparisonFrom = from;
    wakes.reconcile.notify();
  }
}

/**
 * Reads all changes behind the cursor. Each page's series get their quiet timers in the transaction that moves the
 * cursor. Answers with undefined if the database is another one than before: then everything has to be looked at again.
 *
 * @param last when it was read the last time; 0: not yet
 */
async function readChanges(
  deps: IntakeDeps,
  system: SystemInfo,
  last: Millis,
  signal: AbortSignal,
): Promise<Cursor | undefined> {
  const { orthanc, ledger, log, clock } = deps;
  const { database } = system;
  const known = await ledger.read(readCursor);
  let cursor: Cursor = known ?? { seq: 0, database };
  if (isOther(cursor, database)) {
    log.warn('another database', { code: 'ORTHANC_REPLACED', before: cursor.database, now: database });
    await ledger.write(setCursor, { seq: 0, database });
    return undefined;
  }
  for (;;) {
    const now = clock.now();
    const page = await orthanc.changes(cursor.seq, PAGE, signal);
    if (page.changes.length > 0) reached('changes-read', { changes: page.changes.length });
    if (page.last < cursor.seq && (await isWiped(page, deps, signal))) {
      log.warn('database wiped', { code: 'ORTHANC_WIPED', cursor: cursor.seq, last: page.last });
      await ledger.write(setCursor, { seq: 0, database });
      return undefined;
    }
    const next = after(cursor, page, system, now);
    if (next.seq !== cursor.seq || next.database !== cursor.database || known === undefined)
      await take(page.changes, next, deps, signal);
    cursor = next;
    if (page.done || page.changes.length === 0) return readLate(deps, cursor, last, signal);
  }
}

const isOther = (cursor: Cursor, database: string | undefined): boolean =>
  cursor.database !== undefined && database !== undefined && databaseOf(cursor.database) !== database;

/** Numbers never begin anew in one database. But its "last" one may be the late one of another Orthanc: others stand above it. */
const isWiped = async (
  { last }: ChangePage,
  { orthanc }: IntakeDeps,
  signal: AbortSignal,
): Promise<boolean> => (await orthanc.changes(last, 1, signal)).changes.length === 0;

/** The cursor after a page. What the page lacks may still appear, unless Orthanc has one writer. */
function after(cursor: Cursor, page: ChangePage, { database, ordered }: SystemInfo, now: Millis): Cursor {
  const seq = Math.max(page.last, cursor.seq);
  const numbers = page.changes.map((change) => change.seq);
  const { gaps = NO_GAPS } = cursor;
  return {
    seq,
    database: database ?? cursor.database,
    gaps: ordered ? NO_GAPS : missedIn(gaps, { after: cursor.seq, through: seq, numbers }, now),
  };
}

/** Reads missing numbers again, and drops those that cannot appear any more. */
async function readLate(deps: IntakeDeps, start: Cursor, last: Millis, signal: AbortSignal): Promise<Cursor> {
  const { ledger, clock } = deps;
  const now = clock.now();
  let cursor = start;
  for (const stretch of toRead(start.gaps ?? NO_GAPS, last, now, PAGE))
    cursor = await readStretch(deps, cursor, stretch, signal);
  const { gaps = NO_GAPS } = cursor;
  const left = aged(gaps, now);
  if (left === gaps) return cursor;
  cursor = { ...cursor, gaps: left };
  await ledger.write(setCursor, cursor);
  return cursor;
}

async function readStretch(
  deps: IntakeDeps,
  start: Cursor,
  { from, to }: Stretch,
  signal: AbortSignal,
): Promise<Cursor> {
  let cursor = start;
  for (let at = from - 1; at < to;) {
    const { changes, done } = await deps.orthanc.changes(at, Math.min(PAGE, to - at), signal);
    const { gaps = NO_GAPS } = cursor;
    const late = changes.filter(({ seq }) => isMissed(gaps, seq));
    if (late.length > 0) {
      const numbers = late.map(({ seq }) => seq);
      cursor = { ...cursor, gaps: filled(gaps, numbers) };
      await take(late, cursor, deps, signal);
      deps.wakes.store.notify();
      reached('late-changes-recorded', { changes: late.length });
    }
    at = done ? to : (changes.at(-1)?.seq ?? to);
  }
  return cursor;
}

async function take(
  changes: readonly Change[],
  cursor: Cursor,
  deps: IntakeDeps,
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
  { orthanc, log }: IntakeDeps,
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
