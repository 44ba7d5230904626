/** POST /api/against, for `scanflow check FILE --against`: stored series that another configuration would have quarantined. */
import { formatIssue, parseConfig } from '@scanflow/config';
import type { FastifyInstance } from '@scanflow/runtime';
import { Answer } from './request.ts';
import type { Ledger } from '../ledger/tx.ts';
import { routeRules } from '../settings.ts';
import type { Clock } from '../model/settings.ts';
import { type Bookings, decide } from '../store/place/place.ts';
import type { SeriesView } from '../ledger/rows.ts';
import type { RouteRules } from '../store/place/route.ts';
import { SENT_BY } from '../model/rule.ts';
import { listSeries } from '../ledger/views.ts';

export interface AgainstDeps {
  readonly ledger: Ledger;
  readonly bookings: Bookings;
  readonly clock: Pick<Clock, 'now'>;
}

/** The body: the text of the configuration, and how far back, in milliseconds. */
export function againstRoute(app: FastifyInstance, { ledger, bookings, clock }: AgainstDeps): void {
  app.post('/api/against', async ({ body }) => {
    const { config, within } = body as { readonly config?: unknown; readonly within?: unknown };
    if (typeof config !== 'string' || typeof within !== 'number')
      throw new Answer(400, 'expected config, the text of a configuration, and within, in milliseconds');
    const parsed = parseConfig(config, 'the configuration');
    if (!parsed.ok) throw new Answer(400, parsed.issues.map(formatIssue).join('\n'));
    return lookAgainst(routeRules(parsed.config), clock.now() - within, { ledger, bookings });
  });
}

export interface Against {
  readonly id: string;
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

export interface AgainstReport {
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
export async function lookAgainst(
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
): Promise<{ readonly code: string; readonly message: string } | undefined> {
  const aet = attributes[SENT_BY];
  const sender = aet === undefined ? undefined : { aet };
  const decided = await decide(attributes, bookings, { route, unmatched: undefined }, sender);
  return decided.kind === 'quarantine' && CODES.has(decided.reason.code) ? decided.reason : undefined;
}
