/**
 * Rebuilds the ledger, or updates an older one that was put back: from project storage, its copy, and Orthanc. It runs before any
 * other work, where a person or a restored backup asks for it. It stores and sends nothing, and runs no hook. It may be ended at any
 * moment and begun again.
 */
import { askRebuild, readRebuild, type RebuildRequest, rebuildDone } from '@scanflow/runtime';
import type { Orthanc, SystemInfo } from '@scanflow/orthanc';
import { failureOf } from '../model/failure.ts';
import { SERIES_STATES } from '../model/series.ts';
import { Wake } from '../work/wake.ts';
import { NO_GAPS } from '../intake/gaps.ts';
import { lead, readCursor, setCursor } from '../ledger/claims.ts';
import { summarise } from '../ledger/views.ts';
import type { SeriesRecord, RecordedSeries } from '../store/types.ts';
import { joinableOf, membersIn } from '../joining/parts.ts';
import type { Joinable } from '../joining/rule.ts';
import { readFirst } from '../store/image.ts';
import type { Settings } from '../model/settings.ts';
import { reached } from '../work/trace.ts';
import { awaitUnknown, doubtSent, quietSessions, recover, type RecoveredSeries } from './sql.ts';
import { rejoin } from '../ledger/joined.ts';
import { digestOf, keyOf, attributesOf, differingIn, targetsOf } from '../store/record.ts';
import type { LoopDeps } from '../work/deps.ts';

const AGAIN_MS = 2_000;

/** Resolves once there is nothing to rebuild. What stands in the way is logged and waited out. */
export async function rebuildWhereAsked(deps: LoopDeps, signal: AbortSignal): Promise<void> {
  const { condition, log } = deps;
  const stopped = (): boolean => signal.aborted;
  while (!stopped()) {
    try {
      const request = await readRebuild(deps.data);
      if (request === undefined) break;
      condition.rebuilding ??= 0;
      if (await ready(deps)) {
        await rebuild(await asItIs(request, deps), deps, signal);
        break;
      }
    } catch (error) {
      if (stopped()) break;
      log.error('rebuilding the ledger fails', { ...failureOf(error) });
    }
    await new Wake().wait(AGAIN_MS, signal);
  }
  condition.rebuilding = undefined;
}

/** Of several streamers, the one that reads what Orthanc reports does it. */
const ready = ({ ledger, clock }: LoopDeps): Promise<boolean> => ledger.write(lead, clock.now());

/** A ledger without series is a new one. That is written down, since a rebuild that is begun again finds some. */
async function asItIs(request: RebuildRequest, { ledger, data }: LoopDeps): Promise<RebuildRequest> {
  const { series } = await ledger.read(summarise);
  if (request.lost || SERIES_STATES.some((state) => series[state] > 0)) return request;
  const lost = { ...request, lost: true };
  await askRebuild(data, lost);
  return lost;
}

const PAGE = 500;

/** The lease of reading what Orthanc reports has to be held: whoever reads meanwhile takes every series for a new one. */
async function rebuild(request: RebuildRequest, deps: LoopDeps, signal: AbortSignal): Promise<void> {
  const { ledger, orthanc, clock, settings, log, data } = deps;
  const system = await orthanc.system(signal);
  const present = await seriesOf(orthanc, signal);
  await startFeed(system, deps, signal);
  // a person who requests a rebuild vouches for these roots; a look at each reports one that may not be taken
  for (const spec of deps.keeper.specs) await deps.keeper.take(spec);
  // what an older ledger has waiting: before anything newer is known
  const doubted = request.lost ? await ledger.write(doubtSent, clock.now()) : 0;
  const copies = await copiesOf(deps, signal);
  const { found, counts } = await takeOver(present, copies, deps, signal);
  const left = [...present].filter((id) => !found.has(id));
  const joinable = request.lost ? await joinableIn(left, deps, signal) : undefined;
  const now = clock.now();
  const waiting = request.lost
    ? await ledger.write(awaitUnknown, left, now, now + settings.quietMs, joinable)
    : 0;
  await ledger.write(quietSessions);
  reached('ledger-rebuilt');
  await rebuildDone(data);
  log.info('ledger rebuilt', { ...counts, waiting, doubted });
}

async function seriesOf(orthanc: Orthanc, signal: AbortSignal): Promise<Set<string>> {
  const present = new Set<string>();
  for (let since = 0; ; since += PAGE) {
    const page = await orthanc.seriesPage(since, PAGE, signal);
    for (const { id } of page) present.add(id);
    if (page.length < PAGE) return present;
  }
}

/** A new ledger begins at Orthanc's latest change: what came before is compared as a whole. */
async function startFeed(
  { database, ordered }: SystemInfo,
  { ledger, orthanc, clock }: LoopDeps,
  signal: AbortSignal,
): Promise<void> {
  if ((await ledger.read(readCursor)) !== undefined) return;
  const seq = await orthanc.lastChange(signal);
  // a lower number that appears after the comparison is found by another one
  const gaps = ordered ? NO_GAPS : { open: [], forgotten: clock.now() };
  await ledger.write(setCursor, { seq, database, gaps });
}

/** The series that it was joined from count as it again. */
async function rejoinParts(record: SeriesRecord, ledger: LoopDeps['ledger']): Promise<string[]> {
  const parts = membersIn(record);
  await ledger.write(rejoin, record.orthancSeries, parts);
  return parts.map(({ series }) => series);
}

/** What came since its series was last stored may be a part of that series. */
async function joinableIn(
  left: readonly string[],
  { orthanc, settings }: LoopDeps,
  signal: AbortSignal,
): Promise<Joinable | undefined> {
  if (settings.join === undefined) return undefined;
  return joinableOf(await readFirst(left, { orthanc, settings }, signal), settings);
}

type Copies = ReadonlyMap<string, NonNullable<RecoveredSeries['copy']>>;

/** Undefined where there is no copy of everything. */
async function copiesOf({ copies }: LoopDeps, signal: AbortSignal): Promise<Copies | undefined> {
  if (copies === undefined) return undefined;
  const found = new Map<string, NonNullable<RecoveredSeries['copy']>>();
  for await (const { below, record, missing } of copies.recorded(signal))
    if (record.state === 'stored' && missing === 0)
      found.set(record.orthancSeries, { path: below, images: record.instances.length });
  return found;
}

interface Counts {
  readonly series: number;
  readonly added: number;
  readonly grown: number;
  readonly incomplete: number;
  readonly doubles: number;
}

async function takeOver(
  present: ReadonlySet<string>,
  copies: Copies | undefined,
  { ledger, store, settings, clock, log, condition }: LoopDeps,
  signal: AbortSignal,
): Promise<{ found: ReadonlyMap<string, number>; counts: Counts }> {
  const found = new Map<string, number>();
  const counts = { series: 0, added: 0, grown: 0, incomplete: 0, doubles: 0 };
  for await (const one of store.recorded(signal)) {
    const { orthancSeries: id } = one.record;
    // a folder that was kept when the series was moved
    if (one.record.movedTo !== undefined) continue;
    if (found.has(id)) {
      counts.doubles += 1;
      log.warn('a series has two folders in project storage', { code: 'REBUILD_DOUBLE', series: id });
    }
    if ((found.get(id) ?? -1) >= writtenAt(one.record)) continue;
    const now = clock.now();
    // the lease of reading what Orthanc reports goes on
    await ledger.write(lead, now);
    const copying = copies !== undefined;
    const around = { settings, inOrthanc: present.has(id), copying, copy: copies?.get(id), now };
    const outcome = await ledger.write(recover, recovered(one, around), now);
    counts.series += found.has(id) ? 0 : 1;
    if (outcome === 'new') counts.added += 1;
    if (outcome === 'grown') counts.grown += 1;
    if (one.missing > 0) counts.incomplete += 1;
    found.set(id, writtenAt(one.record));
    for (const part of await rejoinParts(one.record, ledger)) found.set(part, writtenAt(one.record));
    condition.rebuilding = counts.series;
    reached('series-recovered');
  }
  return { found, counts };
}

interface Around {
  readonly settings: Pick<Settings, 'destinations'>;
  /** Whether Orthanc has it still. */
  readonly inOrthanc: boolean;
  /** Of the copy of everything: whether one is wanted, and where that of this series is. */
  readonly copying: boolean;
  readonly copy: RecoveredSeries['copy'];
  readonly now: number;
}

/** A record that only claims its folder was left by a pull that did not end: storing goes on. */
function recovered(
  { below, record, missing }: RecordedSeries,
  { settings, inOrthanc, copying, copy, now }: Around,
): RecoveredSeries {
  const begun = record.state !== 'stored';
  return {
    id: record.orthancSeries,
    attributes: attributesOf(record),
    labels: record.labels,
    decision: record.decision,
    doubts: record.doubts,
    moved: record.moved,
    warnings: record.warnings,
    path: below,
    increment: begun ? 0 : Math.max(0, ...record.instances.map(({ increment }) => increment)),
    inOrthanc: record.counts.inOrthanc,
    stored: record.instances.length,
    untagged: record.counts.untagged,
    differing: differingIn(record),
    digest: digestOf(filesOf(record.instances)),
    firstSeen: momentOf(record.provenance?.begun ?? record.updated) ?? now,
    targets: begun ? [] : targetsOf(settings, record),
    copy,
    again: begun || missing > 0 || (inOrthanc && copying && (copy?.images ?? -1) < record.counts.inOrthanc),
    // what is missing in project storage, too, is lost, and has to show
    gone: !inOrthanc && missing === 0 && !begun,
  };
}

/** What Orthanc has of it, should nothing have come since: see digestOfFiles(). */
const filesOf = (instances: SeriesRecord['instances']): string[] => [
  ...new Set(instances.map(({ orthancId }) => orthancId)),
  ...instances.filter(({ version }) => version !== undefined).map(keyOf),
];

/** When its record was written last; of two folders of one series, the later one counts. */
const writtenAt = (record: SeriesRecord): number => momentOf(record.updated) ?? 0;

function momentOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  try {
    return Temporal.Instant.from(text).epochMilliseconds;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
