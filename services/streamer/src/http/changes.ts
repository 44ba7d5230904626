/** Orders of people: POST /api/series/ID/release, /move, /retry and /skip, for `scanflow series`. */
import type { FastifyInstance } from '@scanflow/runtime';
import type { Labels } from '@scanflow/booking';
import { FailureError } from '@scanflow/failure';
import { remember } from '../store/decisions.ts';
import { type Decision, sameLabels } from '../model/decision.ts';
import { ERASED_LABELS } from '../model/erased.ts';
import { failureOf } from '../model/failure.ts';
import { STORAGE, COPY, named } from '../model/series.ts';
import type { SeriesView } from '../ledger/rows.ts';
import { hookLeft, NOT_CONFIGURED, seriesReport } from '../reports/series.ts';
import { matching } from '../ledger/views.ts';
import { releaseSeries } from '../store/sql.ts';
import { retryLegs, recheck } from '../ledger/leg.ts';
import { orderMove } from '../move/sql.ts';
import { retryDeliveries, skipDeliveries } from '../hooks/sql.ts';
import { openDestination, skipDestination } from '../send/sql.ts';
import { Answer, find, textIn, byWhom, labelIn, fieldIn, reasonIn } from './request.ts';
import type { Store } from '../store/types.ts';
import { isOlder } from '../store/look.ts';
import type { LoopDeps } from '../work/deps.ts';

type Given = 'ledger' | 'store' | 'copies' | 'orthanc' | 'erasures' | 'context' | 'clock' | 'log';

export interface ChangeDeps extends Pick<LoopDeps, Given> {
  /** Why labels break the rules for bookings; undefined if they hold. */
  readonly labelProblem: (labels: Labels) => string | undefined;
  /** Wakes every worker. */
  readonly wake: () => void;
}

interface OfSeries {
  readonly Params: { readonly id: string };
}

/** Project storage cannot be read now; the answer says why. */
function away(error: unknown): never {
  throw new Answer(503, failureOf(error).message);
}

export function changeRoutes(app: FastifyInstance, deps: ChangeDeps): void {
  app.post<OfSeries>('/api/series/:id/release', async ({ params, body, ip }) => ({
    series: await release(await find(params.id, deps.ledger), body, ip, deps),
  }));
  app.post<OfSeries>('/api/series/:id/move', async ({ params, body, ip }) => ({
    series: await move(await find(params.id, deps.ledger), body, ip, deps),
  }));
  app.post<OfSeries>('/api/series/:id/retry', async ({ params, body, ip }) => ({
    targets: await retry(await find(params.id, deps.ledger), body, ip, deps),
  }));
  app.post<OfSeries>('/api/series/:id/skip', async ({ params, body, ip }) => ({
    targets: await skip(await find(params.id, deps.ledger), body, ip, deps),
  }));
}

async function release(series: SeriesView, body: unknown, ip: string, deps: ChangeDeps): Promise<unknown> {
  const { ledger, store, context, clock, log, wake } = deps;
  const decision = await decided('release', body, ip, deps);
  const stored =
    series.path !== undefined && (await store.record(series.path).catch(away))?.orthancSeries === series.id;
  if (stored && !staysByDecision(series, decision))
    throw new Answer(409, 'this series is stored already; to store it elsewhere: scanflow series move');
  if (series.state !== 'quarantined' && series.path === undefined)
    throw new Answer(409, `this series is not quarantined but ${series.state}`);
  await ledger.write(releaseSeries, series.id, decision, clock.now());
  log.info('series released by hand', { series: series.id, ...accessionOf(series), ...byWhom(body, ip) });
  await keep(series, decision, deps);
  wake();
  const [now] = await ledger.read(matching, series.id);
  return now === undefined ? undefined : seriesReport(now, context);
}

/** It was sent again with other identifiers, and a person says that it belongs where it is. */
const staysByDecision = ({ legs, labels }: SeriesView, decision: Decision): boolean =>
  labels !== undefined &&
  sameLabels(decision.labels, labels) &&
  legs.some(({ target, failure }) => target === STORAGE && failure?.code === 'ROUTE_CORRECTED');

/**
 * The ledger has the decision. It is kept in Orthanc and project storage before anything is stored by it; where one of
 * them does not answer now, the step that stores the series does it.
 */
async function keep(
  series: SeriesView,
  decision: Decision,
  { orthanc, store, log }: ChangeDeps,
): Promise<void> {
  try {
    await remember(series.id, decision, { orthanc, store }, AbortSignal.timeout(KEEP_MS));
  } catch (error) {
    log.warn('a decision is kept in the ledger only, until the series is stored', {
      series: series.id,
      code: failureOf(error).code,
    });
  }
}

const KEEP_MS = 5_000;

async function move(series: SeriesView, body: unknown, ip: string, deps: ChangeDeps): Promise<unknown> {
  const { ledger, context, clock, log, wake } = deps;
  const reason = reasonIn(body, 'it is kept with the series');
  const decision = { ...(await decided('move', body, ip, deps)), kind: 'move' as const, reason };
  const order = { decision, keep: flagIn(body, 'keep'), send: flagIn(body, 'send') };
  try {
    await ledger.write(orderMove, series.id, order, clock.now());
  } catch (error) {
    if (error instanceof FailureError && error.code === 'SERIES_NOT_MOVABLE')
      throw new Answer(409, error.message);
    throw error;
  }
  log.info('series is moved by hand', {
    series: series.id,
    ...accessionOf(series),
    keep: order.keep,
    send: order.send,
    ...byWhom(body, ip),
  });
  wake();
  const [now] = await ledger.read(matching, series.id);
  return now === undefined ? undefined : seriesReport(now, context);
}

async function decided(
  kind: Decision['kind'],
  body: unknown,
  ip: string,
  { clock, labelProblem, erasures }: Pick<ChangeDeps, 'clock' | 'labelProblem' | 'erasures'>,
): Promise<Decision> {
  const labels = labelsOf(body);
  const problem = labelProblem(labels);
  if (problem !== undefined) throw new Answer(400, problem);
  await erasures.refresh();
  if (erasures.hasLabels(labels)) throw new Answer(409, `${ERASED_LABELS.code}: ${ERASED_LABELS.message}`);
  const at = Temporal.Instant.fromEpochMilliseconds(clock.now()).toString({ smallestUnit: 'millisecond' });
  return { version: 1, kind, labels, at, ...byWhom(body, ip) };
}

function flagIn(body: unknown, key: string): boolean {
  const value = fieldIn(body, key);
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  throw new Answer(400, `expected true or false as ${key}`);
}

async function retry(
  series: SeriesView,
  body: unknown,
  ip: string,
  deps: ChangeDeps,
): Promise<readonly string[]> {
  const { ledger, clock, log, wake, context } = deps;
  const target = textIn(body, 'target');
  const hook = /^hook:(.*)$/.exec(target ?? '')?.[1];
  if (hook !== undefined && context.hooks?.has(hook) === false) throw new Answer(409, hookLeft(hook).message);
  requireServed(series, target, context);
  const now = clock.now();
  const targets = [...(await ledger.write(retryLegs, series.id, target, now))];
  for (const subject of toldOf(series))
    targets.push(...(await ledger.write(retryDeliveries, subject, target, now, context.hooks)));
  if (targets.length === 0 && target !== undefined && (await sendTo(series, target, deps)))
    targets.push(target);
  if (targets.length === 0) {
    const lacking = await targetsLackingFiles(series, target, deps).catch(away);
    if (lacking.length > 0) targets.push(...(await ledger.write(recheck, series.id, lacking, now)));
  }
  if (targets.length === 0) throw new Answer(409, nothingToRetry(series, target));
  log.info('series tried again by hand', { ...factsOf(series, targets), ...byWhom(body, ip) });
  wake();
  return [...new Set(targets)];
}

/** A stored series goes to a destination that was not there then. Throws Answer where its rule leaves it out. */
async function sendTo(
  series: SeriesView,
  target: string,
  { ledger, context, clock }: ChangeDeps,
): Promise<boolean> {
  const reason = context.outlook?.notSent(series).find((one) => one.target === target);
  if (reason === undefined) return false;
  if (reason.code !== 'DEST_CAME_LATER')
    throw new Answer(409, `this series does not go to ${target}. ${reason.message}`);
  return ledger.write(openDestination, series.id, target, clock.now());
}

async function skip(
  series: SeriesView,
  body: unknown,
  ip: string,
  deps: ChangeDeps,
): Promise<readonly string[]> {
  const { ledger, clock, log, wake } = deps;
  const target = textIn(body, 'target') ?? '';
  if (!target.startsWith('hook:')) return skipSending(series, target, body, ip, deps);
  const targets: string[] = [];
  for (const subject of toldOf(series))
    targets.push(...(await ledger.write(skipDeliveries, subject, target, clock.now())));
  if (targets.length === 0)
    throw new Answer(
      409,
      `${target} of this series and its session has not failed and waits for no next try`,
    );
  log.warn('hook skipped by hand', { ...factsOf(series, targets), ...byWhom(body, ip) });
  wake();
  return [...new Set(targets)];
}

/** Gives a destination up for one series: what it lacks is not sent, and nothing waits for it or for its commitment. */
async function skipSending(
  series: SeriesView,
  target: string,
  body: unknown,
  ip: string,
  { ledger, clock, log, wake }: ChangeDeps,
): Promise<readonly string[]> {
  if (target === '' || target === STORAGE || target === COPY)
    throw new Answer(400, 'expected as target the name of a destination, or hook:NAME');
  const why = reasonIn(body, '', 'no reason was given');
  const who = byWhom(body, ip);
  const reason = {
    code: 'DEST_SKIPPED',
    message: `${who.by} gave this destination up by hand (${why}): what it lacks is not sent, and nothing waits for it. To send it after all: scanflow series retry ID --target ${target}.`,
  };
  const targets = await ledger.write(skipDestination, series.id, target, reason, clock.now());
  if (targets.length === 0) throw new Answer(409, notSkipped(series, target));
  log.warn('destination skipped by hand', { ...factsOf(series, targets), ...who });
  wake();
  return targets;
}

const legsOf = ({ legs }: Pick<SeriesView, 'legs'>, target: string | undefined): SeriesView['legs'] =>
  legs.filter((leg) => leg.target === target);

/** Why giving up does nothing. */
function notSkipped(series: SeriesView, target: string): string {
  const [leg] = legsOf(series, target);
  if (leg === undefined) return `this series has no ${target}: there is nothing to give up`;
  return leg.state === 'done'
    ? `nothing of this series waits for ${target}: it is done`
    : `this series is on its way to ${target} right now: pause it first, with scanflow destination pause ${target}`;
}

/** Throws Answer for a target that the series waits for, and that nobody works on. */
function requireServed(
  series: SeriesView,
  target: string | undefined,
  { destinations }: ChangeDeps['context'],
): void {
  if (target === undefined || target === STORAGE || destinations.has(target)) return;
  if (legsOf(series, target).some(({ state }) => state !== 'done'))
    throw new Answer(409, NOT_CONFIGURED.message);
}

/** The subjects of its deliveries: the series, and the session that it belongs to. */
export const toldOf = ({ id, session }: Pick<SeriesView, 'id' | 'session'>): readonly string[] =>
  session === undefined ? [id] : [id, session];

/** For the log. */
const factsOf = (series: SeriesView, targets: readonly string[]): object => ({
  series: series.id,
  ...accessionOf(series),
  targets,
});

const accessionOf = ({ attributes }: Pick<SeriesView, 'attributes'>): { readonly accession?: string } =>
  named(attributes['AccessionNumber']);

/** As in a booking: each label becomes a part of a path. */
export function labelsOf(body: unknown): Labels {
  const label = (name: keyof Labels): string => labelIn(body, name, /\p{Cc}/u);
  return { project: label('project'), subject: label('subject'), session: label('session') };
}

/** The done legs among STORAGE and COPY whose files are not all there. Checks both without a target. */
async function targetsLackingFiles(
  series: SeriesView,
  target: string | undefined,
  { store, copies }: ChangeDeps,
): Promise<string[]> {
  const isDone = (name: string): boolean =>
    (target ?? name) === name && series.legs.some((leg) => leg.target === name && leg.state === 'done');
  const { increment, stored } = series;
  const places = [
    { name: STORAGE, files: store, path: series.path, known: { increment, stored } },
    { name: COPY, files: copies, path: series.copyPath, known: {} },
  ];
  const lacking: string[] = [];
  for (const { name, files, path, known } of places)
    if (files !== undefined && isDone(name) && (await lacksFiles(series.id, path, known, files)))
      lacking.push(name);
  return lacking;
}

/** A copy from before its folder was recorded is checked by its own step. */
async function lacksFiles(
  id: string,
  path: string | undefined,
  known: Parameters<typeof isOlder>[1],
  files: Store,
): Promise<boolean> {
  const record = path === undefined ? undefined : await files.record(path);
  if (path === undefined || record?.orthancSeries !== id || isOlder(record, known)) return true;
  const { instances, archive } = record;
  const expected = [...instances, ...(archive === undefined ? [] : [archive])];
  return (await files.absent(path, expected)).size > 0;
}

/** Why a retry does nothing. */
function nothingToRetry(series: SeriesView, target: string | undefined): string {
  const what = target === undefined ? 'this series' : `${target} of this series`;
  return `Nothing to retry: ${reasonOf(series, target, what)}.`;
}

function reasonOf({ state, legs, stored }: SeriesView, target: string | undefined, what: string): string {
  if (state === 'quarantined') return 'this series is quarantined; release it';
  if (state === 'collecting') return 'images of this series still arrive; it is stored once they stop';
  const own = legs.filter((leg) => (target ?? leg.target) === leg.target);
  if (own.length === 0) return `this series has no ${target ?? 'leg'}`;
  if (own.some((leg) => leg.state === 'pending')) return `${what} is being worked on now`;
  const files =
    target === undefined || target === STORAGE ? `, and the files of all ${stored} images are there` : '';
  return `nothing of ${what} has failed${files}`;
}
