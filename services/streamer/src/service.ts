/** The streamer put together from its configuration. */
import { join } from 'node:path';
import { readSecret, startHttp, type Config, type FastifyInstance, type Log } from '@scanflow/chassis';
import { tagOf, type PrivateTag } from '@scanflow/dicom';
import type { Dial } from '@scanflow/dimse';
import { createBookings } from './adapters/bookings.ts';
import { openLedger } from './adapters/ledger/sqlite.ts';
import { createOrthanc } from './adapters/orthanc.ts';
import { createStore } from './adapters/store.ts';
import { Condition } from './condition.ts';
import { parseLayout } from './domain/layout.ts';
import { DEFAULT_RETRY } from './domain/retry.ts';
import { SERIES_STATES } from './domain/series.ts';
import { runLoop } from './loop.ts';
import { createMetrics } from './metrics.ts';
import type { Ledger } from './ports.ts';
import { seriesReport, toCsv, type ReportContext, type SeriesReport } from './report.ts';
import { openSecurity } from './secure.ts';
import { seriesKeywords } from './steps/place.ts';
import type { Chance, Settings } from './steps/settings.ts';

export interface StreamerContext {
  readonly config: Config;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export interface RunningStreamer {
  /** Of its HTTP interface. */
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts all of it; Orthanc need not answer yet. Throws for a setting that cannot work. */
export async function startStreamer({ config, log, signal }: StreamerContext): Promise<RunningStreamer> {
  const security = await openSecurity(config.destinations, log);
  const settings = settingsOf(config, security.dials);
  const { username, passwordFile } = config.orthanc;
  const password = passwordFile === undefined ? undefined : await readSecret(passwordFile);
  const chance: Chance = { now: () => Temporal.Now.instant().epochMilliseconds, jitter: () => Math.random() };
  const ledger = openLedger(join(config.data, 'streamer', 'ledger.sqlite'));
  const orthanc = createOrthanc({ url: config.orthanc.url, username, password });
  const condition = new Condition();
  const metrics = createMetrics(ledger, condition, chance.now);
  const bookings = createBookings(join(config.data, 'bookings'), (file, reason) =>
    log.warn('booking record cannot be read', { code: 'BOOKING_UNREADABLE', file, reason }),
  );
  const store = createStore(config.storage.root);
  const context = {
    root: config.storage.root,
    destinations: new Set(settings.destinations.map(({ name }) => name)),
  };
  const stopping = new AbortController();
  const ending = AbortSignal.any([signal, stopping.signal]);
  const work = runLoop(
    { orthanc, ledger, store, bookings, settings, chance, log, metrics, condition },
    ending,
  );
  const http = await startHttp({
    bind: config.http.bind,
    port: config.http.ports.streamer,
    health: () => condition.health(chance.now()),
    registry: metrics.registry,
    routes: (app) => routes(app, ledger, context),
    log,
  });
  return {
    port: http.port,
    stop: async () => {
      stopping.abort();
      security.close();
      await http.close();
      await work;
      orthanc.close();
      await ledger.close();
    },
  };
}

const RECONCILE_MS = 3_600_000;
const RECHECK_MS = 5_000;
/** Orthanc before 1.12 holds each file that it serves in memory. */
const LIMITS = { count: 4, bytes: 256 * 1024 * 1024 };

/** The configuration as the steps use it. */
export function settingsOf(config: Config, dials: ReadonlyMap<string, Dial> = new Map()): Settings {
  const { arrivals, storage, destinations } = config;
  const settings: Settings = {
    quietMs: arrivals.quiet,
    pollMs: arrivals.poll,
    patterns: arrivals.patterns,
    tag: privateTag(config.tag),
    layout: parseLayout(storage.layout),
    unmatched: storage.unmatched === 'quarantine' ? undefined : parseLayout(storage.unmatched),
    destinations: Object.entries(destinations).map(([name, { host, port, aet, callingAet, when }]) => ({
      name,
      when,
      peer: { host, port, calledAet: aet, callingAet, ...dialOf(dials.get(name)) },
    })),
    limits: LIMITS,
    retry: DEFAULT_RETRY,
    reconcileMs: RECONCILE_MS,
    recheckMs: RECHECK_MS,
  };
  for (const keyword of seriesKeywords(settings)) tagOf(keyword);
  return settings;
}

const dialOf = (dial: Dial | undefined): { dial?: Dial } => (dial === undefined ? {} : { dial });

const privateTag = ({ group, creator, element, value }: Config['tag']): PrivateTag => ({
  group: Number.parseInt(group, 16),
  creator,
  element: Number.parseInt(element, 16),
  vr: 'LO',
  value,
});

const DEFAULT_ROWS = 1000;
const MOST_ROWS = 10_000;

interface Query {
  readonly state?: string;
  readonly limit?: string;
}

/** GET /api/series and /api/series.csv; `?state=failed&limit=50`, newest activity first. */
function routes(app: FastifyInstance, ledger: Ledger, context: ReportContext): void {
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
