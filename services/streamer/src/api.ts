/** The streamer's pages: what became of each series. */
import type { FastifyInstance } from '@scanflow/chassis';
import { SERIES_STATES } from './domain/series.ts';
import type { Ledger } from './ports.ts';
import { seriesReport, toCsv, type ReportContext, type SeriesReport } from './report.ts';

const DEFAULT_ROWS = 1000;
const MOST_ROWS = 10_000;

interface Query {
  readonly state?: string;
  readonly limit?: string;
}

/** GET /api/series and /api/series.csv; `?state=failed&limit=50`, newest activity first. */
export function routes(app: FastifyInstance, ledger: Ledger, context: ReportContext): void {
  const reports = async ({ state, limit }: Query): Promise<SeriesReport[]> => {
    const known = SERIES_STATES.find((one) => one === state);
    const rows = Math.min(Math.max(Number.parseInt(limit ?? '', 10) || DEFAULT_ROWS, 1), MOST_ROWS);
    const views = await ledger.list({ limit: rows, ...(known === undefined ? {} : { state: known }) });
    return views.map((view) => seriesReport(view, context));
  };
  app.get<{ Querystring: Query }>('/api/series', async ({ query }) => ({ series: await reports(query) }));
  app.get<{ Querystring: Query }>('/api/series.csv', async ({ query }, reply) =>
    reply.type('text/csv; charset=utf-8').send(toCsv(await reports(query))),
  );
}
