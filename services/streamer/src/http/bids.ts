/**
 * Sessions for `scanflow bids` and the board: GET /api/bids lists them, GET /api/bids/plan says what one becomes, POST /api/bids/redo
 * hands them to the bids service again.
 */
import { LABELS } from '@scanflow/booking';
import { BIDS } from '@scanflow/config';
import { takes, type FastifyInstance } from '@scanflow/runtime';
import { defined } from '@scanflow/failure/defined';
import { Answer, byWhom, fieldIn, rowsOf } from './request.ts';
import type { SeriesView, SessionView } from '../ledger/rows.ts';
import { findSessions } from '../ledger/search.ts';
import { findSession } from '../ledger/views.ts';
import { sessionReport, bidsReports } from '../reports/session.ts';
import { listSessions } from '../sessions/step.ts';
import type { LoopDeps } from '../work/deps.ts';
import { askPlan, requestOf } from '../hooks/bids.ts';
import { redoSession } from '../hooks/bids-units.ts';
import { deliveriesOf } from '../ledger/deliveries.ts';

interface BidsDeps extends Pick<LoopDeps, 'ledger' | 'context' | 'settings' | 'clock' | 'log' | 'hooks'> {
  readonly wake: () => void;
}

type Query = Readonly<Record<'of' | 'limit', string | undefined>>;

const DEFAULT_ROWS = 1_000;
const MOST_REDONE = 1_000;
const MOST_BYTES = 65_536;

/** GET /api/bids?of=PROJECT|SUBJECT|SESSION|ACCESSION|ID: the sessions, what became of their conversion, and what the bids service is asked. */
export function bidsRoutes(app: FastifyInstance, deps: BidsDeps): void {
  app.get<{ Querystring: Query }>('/api/bids', takes('of', 'limit'), async ({ query }) => ({
    sessions: await sessionsOf(query, deps),
  }));
  app.get<{ Querystring: Readonly<Record<'session', string | undefined>> }>(
    '/api/bids/plan',
    takes('session'),
    ({ query }) => plan(query.session, deps),
  );
  app.post('/api/bids/redo', { bodyLimit: MOST_BYTES }, async ({ body, ip }) => redo(body, ip, deps));
}

async function sessionsOf(query: Query, deps: BidsDeps): Promise<object[]> {
  const { ledger, context } = deps;
  const limit = rowsOf(query, DEFAULT_ROWS);
  const views = (await viewsOf(query.of?.trim(), limit, deps)).slice(0, limit);
  const told = await ledger.read(
    deliveriesOf,
    views.map(({ id }) => id),
  );
  const bids = bidsReports(views, told);
  return views.map((view) => {
    const report = sessionReport(view, context);
    const { id, accessionNumber, labels, complete, updated } = report;
    const more = defined({ labels, request: requestOf(report, deps), bids: bids.get(id) });
    return { id, accessionNumber, complete, updated, ...more };
  });
}

/** Whoever looks at a page waits for it. */
const PLAN_MS = 3_500;

/** GET /api/bids/plan?session=ID: the bids service's own answer, which has a plan, how far it is, or why there is none. */
async function plan(id: string | undefined, deps: BidsDeps): Promise<object> {
  const run = deps.hooks.find(({ name }) => name === BIDS)?.run;
  if (run?.kind !== 'bids') throw new Answer(409, OFF);
  if (!isId(id)) throw new Answer(400, 'expected session: the id of a session');
  const view = await deps.ledger.read(findSession, id);
  const request = view && requestOf(sessionReport(view, deps.context), deps);
  if (request === undefined) throw new Answer(404, 'there is no such session, or nothing of it is stored');
  return askPlan({ ...run, request, timeoutMs: PLAN_MS });
}

const OFF = 'nothing is converted to BIDS here: the configuration has no section bids';

/** By whatever `findSessions` knows; else by project, subject or session label. */
async function viewsOf(of: string | undefined, limit: number, { ledger }: BidsDeps): Promise<SessionView[]> {
  if (of === undefined) return ledger.read(listSessions, limit);
  const found = await ledger.read(findSessions, of);
  if (found.length > 0) return found;
  const all = await ledger.read(listSessions, MOST_ROWS);
  return all.filter((view) => isLabelled(view, of));
}

/** Whether a label of one of its series is this. Pure. */
export const isLabelled = (
  { series }: { readonly series: readonly Pick<SeriesView, 'labels'>[] },
  of: string,
): boolean => series.some(({ labels }) => LABELS.some((name) => labels?.[name] === of));

const MOST_ROWS = 10_000;

/** The body: {sessions: [ID, …], by}. Complete sessions alone: the others are handed over by themselves. */
async function redo(
  body: unknown,
  ip: string,
  { ledger, context, clock, log, wake }: BidsDeps,
): Promise<object> {
  if (context.hooks?.has(BIDS) !== true) throw new Answer(409, OFF);
  const ids = fieldIn(body, 'sessions');
  if (!Array.isArray(ids) || ids.length === 0 || ids.length > MOST_REDONE || !ids.every(isId))
    throw new Answer(400, `expected sessions: a list of 1 to ${MOST_REDONE} ids of sessions`);
  const opened: string[] = [];
  const left: { id: string; reason: string }[] = [];
  for (const id of ids) {
    const reason = await ledger.write(redoSession, id, clock.now());
    if (reason === undefined) opened.push(id);
    else left.push({ id, reason });
  }
  if (opened.length > 0) {
    log.info('sessions are converted to BIDS again by hand', {
      sessions: opened.length,
      ...byWhom(body, ip),
    });
    wake();
  }
  return { opened, left };
}

const isId = (id: unknown): id is string => typeof id === 'string' && /^[0-9a-f]{8,64}$/.test(id);
