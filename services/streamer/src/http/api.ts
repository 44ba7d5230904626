/** The streamer's API: the state of each series, session, hook and root; stored series that another configuration would quarantine. */
import { defined } from '@scanflow/failure/defined';
import { takes, type FastifyInstance } from '@scanflow/runtime';
import { formatIssue, parseConfig } from '@scanflow/config';
import { FILTERS, filterOf } from './board.ts';
import { changeRoutes, toldOf, type ChangeDeps } from './changes.ts';
import { find, Answer, byWhom, rowsOf, textIn } from './request.ts';
import { type Attributes, type Reason, iso } from '../model/series.ts';
import type { Ledger } from '../ledger/tx.ts';
import { hookReport, seriesReport, toCsv, type SeriesReport } from '../reports/series.ts';
import { verifyRoutes, type VerifyApiDeps } from '../verify/api.ts';
import { sentAgain } from '../store/sent-again.ts';
import { sessionCsv, sessionReport, type SessionReport, bidsReports } from '../reports/session.ts';
import { searchSeries } from '../ledger/search.ts';
import { listSeries, knownSenders } from '../ledger/views.ts';
import { listSessions } from '../sessions/step.ts';
import { deliveriesOf } from '../ledger/deliveries.ts';
import { failureOf } from '../model/failure.ts';
import { WATCHED, type RootState } from '../roots/keeper.ts';
import { routeRules } from '../settings.ts';
import { decide } from '../store/place/place.ts';
import { acquiredAt } from '../store/place/reading.ts';
import type { SeriesView } from '../ledger/rows.ts';
import type { RouteRules } from '../store/place/route.ts';
import { SENT_BY } from '../model/rule.ts';
import type { Bookings } from '../store/place/bookings.ts';
import type { LoopDeps } from '../work/deps.ts';

const DEFAULT_ROWS = 1000;
const DEFAULT_SESSIONS = 100;

interface ApiDeps extends ChangeDeps, Pick<LoopDeps, 'bookings' | 'keeper' | 'settings'> {
  /** Whether images of this AE title go to projects. */
  readonly admits: (aet: string) => boolean;
  readonly verify: Omit<VerifyApiDeps, keyof ChangeDeps>;
}

type Query = Readonly<Record<string, string | undefined>>;

/**
 * GET /api/series, /api/series.csv: `?state=failed&project=…&limit=50` (FILTERS); /api/sessions, /api/sessions.csv: `?limit=50`; newest
 * activity first. GET /api/series/ID: one, with the deliveries for it and for its session.
 */
export function routes(app: FastifyInstance, deps: ApiDeps): void {
  const { ledger, context } = deps;
  const series = async (query: Query): Promise<SeriesReport[]> => {
    const filter = filterOf(query, deps);
    const sort = filter.state === undefined ? 'activity' : 'came';
    const page = { offset: 0, limit: rowsOf({ limit: query['limit'] }, DEFAULT_ROWS), sort } as const;
    const found = await ledger.read(searchSeries, filter, page);
    return found.series.map((view) => seriesReport(view, context));
  };
  const sessions = (query: Query): Promise<SessionReport[]> => sessionsIn(query, deps);

  const filters = takes(...FILTERS, 'limit');
  app.get<{ Querystring: Query }>('/api/series', filters, async ({ query }) => ({
    series: await series(query),
  }));
  app.get<{ Querystring: Query }>('/api/series.csv', filters, async ({ query }, reply) =>
    reply.type('text/csv; charset=utf-8').send(toCsv(await series(query))),
  );
  app.get<{ Params: { id: string } }>('/api/series/:id', async ({ params }) => {
    const view = await find(params.id, ledger);
    const told = await ledger.read(deliveriesOf, toldOf(view));
    const hooks = [...told.values()].flat().map((one) => hookReport(one, context));
    // a person who decides where the series belongs needs these
    const { attributes } = view;
    return {
      series: {
        ...seriesReport(view, context),
        hooks,
        ...(await sentAgain(view, deps)),
        ...(view.state === 'quarantined' ? { attributes, ...acquiredIn(attributes, deps) } : {}),
      },
    };
  });
  app.get<{ Querystring: Query }>('/api/sessions', takes('limit'), async ({ query }) => ({
    sessions: await sessions(query),
  }));
  app.get<{ Querystring: Query }>('/api/sessions.csv', takes('limit'), async ({ query }, reply) =>
    reply.type('text/csv; charset=utf-8').send(sessionCsv(await sessions(query))),
  );
  senderRoute(app, deps);
  againstRoute(app, deps);
  changeRoutes(app, deps);
  rootRoutes(app, deps);
  verifyRoutes(app, { ...deps, ...deps.verify });
}

async function sessionsIn(query: Query, { ledger, context }: ApiDeps): Promise<SessionReport[]> {
  const views = await ledger.read(listSessions, rowsOf({ limit: query['limit'] }, DEFAULT_SESSIONS));
  const ids = views.map(({ id }) => id);
  const bids = bidsReports(views, await ledger.read(deliveriesOf, ids));
  return views.map((view) => sessionReport(view, context, bids.get(view.id)));
}

/** When the images were made, as they say. */
function acquiredIn(attributes: Attributes, { settings }: Pick<ApiDeps, 'settings'>): { acquired?: string } {
  const at = acquiredAt(attributes, settings.route.timeZone);
  return defined({ acquired: at?.toString() });
}

/** GET /api/senders: the AE titles that sent images, the latest first. */
function senderRoute(app: FastifyInstance, { ledger, admits }: ApiDeps): void {
  app.get('/api/senders', async () => ({
    senders: (await ledger.read(knownSenders)).map(({ aet, called, address, firstSeen, lastSeen }) => ({
      aet,
      called,
      address,
      firstSeen: iso(firstSeen),
      lastSeen: iso(lastSeen),
      admitted: admits(aet),
    })),
  }));
}

function rootRoutes(app: FastifyInstance, deps: ApiDeps): void {
  app.get('/api/storage', () => ({ roots: deps.keeper.states().map(rootReport) }));
  app.post('/api/storage/take', ({ body, ip }) => take(body, ip, deps));
}

const rootReport = ({ name, path, failure, known }: RootState): object => ({
  name,
  root: path,
  ...defined({ id: known?.id, heartbeat: known?.sequence, code: failure?.code, message: failure?.message }),
});

/** `watching`: it is not known yet whether another owner is at work. Ask again. */
async function take(
  body: unknown,
  ip: string,
  { keeper, log, wake }: ApiDeps,
): Promise<{ readonly said: string } | { readonly watching: string }> {
  const root = textIn(body, 'root') ?? '';
  const spec = keeper.specs.find(({ path }) => path === root.replace(/(?<=.)\/+$/, ''));
  if (spec === undefined) {
    const known = keeper.specs.map(({ path }) => path).join(', ');
    throw new Answer(400, `expected one of the roots of the configuration: ${known}`);
  }
  const refused = await keeper.take(spec).catch((error: unknown) => {
    throw new Answer(503, failureOf(error).message);
  });
  if (refused === WATCHED) return { watching: WATCHED };
  if (refused !== undefined) throw new Answer(409, refused);
  log.warn('a root was taken by hand', { root: spec.path, ...byWhom(body, ip) });
  wake();
  return {
    said: `${spec.path} is the root now. Series that were stored there are looked at; what is missing is pulled while Orthanc has it.`,
  };
}

/** POST /api/against, for `scanflow check FILE --against`. The body: the text of a configuration, and how far back, in milliseconds. */
function againstRoute(app: FastifyInstance, { ledger, bookings, clock }: ApiDeps): void {
  app.post('/api/against', async ({ body }) => {
    const { config, within } = body as { readonly config?: unknown; readonly within?: unknown };
    if (typeof config !== 'string' || typeof within !== 'number')
      throw new Answer(400, 'expected config, the text of a configuration, and within, in milliseconds');
    const parsed = parseConfig(config, 'the configuration');
    if (!parsed.ok) throw new Answer(400, parsed.issues.map(formatIssue).join('\n'));
    return lookAgainst(routeRules(parsed.config), clock.now() - within, { ledger, bookings });
  });
}

interface Against {
  readonly id: string;
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

interface AgainstReport {
  /** Number of series that were judged. */
  readonly judged: number;
  /** Number of series whose labels a person decided. They are not judged. */
  readonly decided: number;
  /** There are more series than the limit; the latest were judged. */
  readonly more: boolean;
  readonly series: readonly Against[];
}

const MOST = 10_000;
/** The other reasons depend on booking records and patterns, which may have changed since. */
const CODES: ReadonlySet<string> = new Set(['ROUTE_CONTRADICTION', 'ROUTE_DOUBT', 'ROUTE_UNKNOWN_SENDER']);

/** Stored series that were updated since this moment, as the ledger describes them. */
async function lookAgainst(
  rules: RouteRules,
  since: number,
  { ledger, bookings }: { readonly ledger: Ledger; readonly bookings: Bookings },
): Promise<AgainstReport> {
  const views = await ledger.read(listSeries, { limit: MOST });
  const stored = views.filter(
    (view) => view.updated >= since && view.stored > 0 && view.labels !== undefined,
  );
  const judged = stored.filter(({ decision }) => decision === undefined);
  const series: Against[] = [];
  for (const view of judged) {
    const reason = await reasonOf(view, rules, bookings);
    if (reason !== undefined) series.push({ id: view.id, path: view.path ?? '', ...reason });
  }
  const more = views.length === MOST && (views.at(-1)?.updated ?? 0) >= since;
  return { judged: judged.length, decided: stored.length - judged.length, more, series };
}

async function reasonOf(
  { attributes }: SeriesView,
  route: RouteRules,
  bookings: Bookings,
): Promise<Reason | undefined> {
  const aet = attributes[SENT_BY];
  const sender = aet === undefined ? undefined : { aet };
  const decided = await decide(attributes, bookings, { route, unmatched: undefined }, sender);
  return decided.kind === 'quarantine' && CODES.has(decided.reason.code) ? decided.reason : undefined;
}
