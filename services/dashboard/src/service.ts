/** The dashboard put together: pages for people on one port; health, metrics and users for programs on another. */
import { Server } from 'node:https';
import fastify, { type FastifyInstance } from 'fastify';
import { BIDS, bidsOf, bidsUrl, sendersOf, type Config } from '@scanflow/config';
import { codeOf, FailureError, messageOf } from '@scanflow/failure';
import {
  addLeadMetric,
  addMachineMetrics,
  certificatesIn,
  addGauge,
  headersOf,
  httpAccess,
  type Health,
  Registry,
  startHttp,
  tokenFileOf,
  type Log,
  readCertificates,
} from '@scanflow/runtime';
import { createLimiter } from './access/passwords.ts';
import type { IdentityProvider } from './access/oidc.ts';
import { openStores, type Lead } from './access/open.ts';
import type { AccessStore } from './access/store.ts';
import { addUsers } from './access/users.ts';
import { judgeBy } from './bookings/page.ts';
import { addLinks, type LinkOptions, watchConsoles } from './console/routes.ts';
import { createWatch, type Watch, streamAt, type StreamOptions } from './sources/watch.ts';
import { createGatherer } from './sources/gather.ts';
import { createPlans } from './sources/plan.ts';
import { serviceAt, type Service } from './sources/service.ts';
import { addPages, type AppOptions } from './web/app.ts';
import { openBoardTls } from './web/tls.ts';

/** The context that runService passes. */
interface Context {
  readonly config: Config;
  readonly log: Log;
}

interface Place {
  /** The other services are reached by their names. */
  readonly inContainer: boolean;
}

/** With a second of the services' own looks and what is spread over browsers, a change is seen within 5 s. */
const WATCH_MS = 1_500;
const now = (): number => Temporal.Now.instant().epochMilliseconds;

/** Starts the service, and resolves once it listens on both ports. The other services need not answer yet. */
export async function startDashboard(
  { config, log }: Context,
  place: Place,
): Promise<{ port: number; stop(): Promise<void> }> {
  const { store, consoles, lead } = await openStores(config, log);
  store.keepIssuer(config.dashboard.oidc?.issuer);
  const places = placesOf(config, place);
  const at = (name: Names): Service => serviceAt(places[name].url, places[name].headers);
  const services = { cal2wl: at('cal2wl'), worklist: at('worklist'), streamer: at('streamer') };
  const receiver = at('receiver');
  const bids = config.bids && serviceAt(bidsUrl(config.bids, place.inContainer), places.streamer.headers);
  const { gatherer, watch } = liveOf({ config, log }, services, places);
  const consoleWatch = watchConsoles({ worklist: services.worklist, receiver, now, everyMs: WATCH_MS });
  const app = await appOf(config, log);
  const shared = { store, consoles, gatherer, watch, consoleWatch, services, receiver, bids };
  addPages(app, {
    ...(await pagesOf(config, log)),
    plans: createPlans(services.streamer, now),
    ...shared,
    ...standbyOf(lead),
  });
  const port = await listen(app, config);
  const internal = await startHttp({
    bind: config.http.bind,
    port: config.http.ports.dashboard,
    access: await httpAccess('dashboard', config, log),
    health: () => healthOf(store, port, lead),
    registry: metricsOf(store, config, lead),
    routes: programs(config, { store, consoles, now, address: addressOf(config, port) }),
    log,
  });
  log.info('listening', { port, http: internal.port });
  return {
    port,
    stop: async () => {
      watch.close();
      consoleWatch.close();
      await Promise.all([app.close(), internal.close()]);
      await lead?.close();
      await Promise.all([store.close(), consoles.close()]);
    },
  };
}

/** What the `scanflow` command asks for. */
const programs =
  ({ scanners }: Config, options: Omit<LinkOptions, 'scanners'> & { readonly store: AccessStore }) =>
  (api: FastifyInstance): void => {
    addUsers(api, options);
    addLinks(api, { ...options, scanners: Object.keys(scanners) });
  };

/** What the services know, and when it changes. */
function liveOf({ config, log }: Context, services: LiveServices, places: ReturnType<typeof placesOf>) {
  const gatherer = createGatherer({
    services,
    revision: () => watch.revision(),
    timezone: config.facility.timezone,
    scanners: Object.keys(config.scanners),
    now,
    onAway: (part, error) => log.warn('a service does not answer', { part, error: messageOf(error) }),
  });
  const watch: Watch = createWatch({
    streams: [streamAt(places.cal2wl), streamAt(places.worklist), streamAt(places.streamer)],
    digest: gatherer.mark,
    everyMs: WATCH_MS,
  });
  return { gatherer, watch };
}

type LiveServices = Readonly<Record<'cal2wl' | 'worklist' | 'streamer', Service>>;

const standbyOf = (lead: Lead | undefined): Pick<AppOptions, 'standby'> =>
  lead === undefined ? {} : { standby: () => (lead.holds() ? undefined : lead.refusal()) };

/** Without its database, nobody can use the board. One that stands by is well. */
async function healthOf(store: AccessStore, port: number, lead: Lead | undefined): Promise<Health> {
  try {
    const detail = { port, users: (await store.users()).length };
    if (lead === undefined || lead.holds()) return { ok: true, detail };
    const { code, message } = lead.refusal();
    if (code === 'STANDBY') return { ok: true, standby: true, detail: { ...detail, why: message } };
    return { ok: false, detail, faults: [{ state: 'failing', code, message }] };
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    const { code, message } = error;
    const faults = [{ state: 'failing', code, message }] as const;
    return { ok: false, detail: { port, code, reason: message }, faults };
  }
}

async function appOf({ dashboard }: Config, log: Log): Promise<FastifyInstance> {
  const tls = dashboard.tls && (await openBoardTls(dashboard.tls, log));
  const app = fastify({
    logger: false,
    trustProxy: dashboard.proxies,
    forceCloseConnections: true,
    ...(tls && { https: tls.credentials }),
  });
  if (tls !== undefined && app.server instanceof Server) tls.follow(app.server);
  app.server.once('close', () => tls?.close());
  return app;
}

type Names = keyof Config['dashboard']['services'];

/** Where the other services are, and what they want to see. */
function placesOf(config: Config, { inContainer }: Place): Readonly<Record<Names, StreamOptions>> {
  const { dashboard, http } = config;
  const host = inContainer ? undefined : hostOf(http.bind);
  const at = (name: Names): StreamOptions => ({
    url: dashboard.services[name] ?? `http://${host ?? name}:${http.ports[name]}`,
    headers: () => headersOf(tokenFileOf(config)),
  });
  return {
    cal2wl: at('cal2wl'),
    worklist: at('worklist'),
    streamer: at('streamer'),
    receiver: at('receiver'),
  };
}

/** How this machine reaches what listens there. */
function hostOf(bind: string): string {
  if (bind === '0.0.0.0') return '127.0.0.1';
  if (bind === '::') return '[::1]';
  return bind.includes(':') ? `[${bind}]` : bind;
}

/** What speaks to a provider takes 8 MB: only where one is configured. */
async function providerOf({ dashboard: { oidc } }: Config, log: Log): Promise<IdentityProvider | undefined> {
  if (oidc === undefined) return undefined;
  const { createProvider } = await import('./access/oidc.ts');
  return createProvider(oidc, {
    now,
    onFailure: (failure) => log.warn('the identity provider is of no use', { ...failure }),
  });
}

const pagesOf = async (
  config: Config,
  log: Log,
): Promise<
  Omit<
    AppOptions,
    | 'store'
    | 'consoles'
    | 'gatherer'
    | 'watch'
    | 'consoleWatch'
    | 'services'
    | 'receiver'
    | 'plans'
    | 'bids'
    | 'standby'
  >
> => ({
  provider: await providerOf(config, log),
  limiter: createLimiter(),
  now,
  hosts: new Set(config.dashboard.hosts.map((host) => host.toLowerCase())),
  facility: {
    name: config.facility.name,
    timezone: config.facility.timezone,
    titleOf: (name) => titleOf(config.scanners[name]),
    hasDataset: (project) => config.bids !== undefined && bidsOf(config.bids, project) !== undefined,
  },
  targets: ['storage', ...Object.keys(config.destinations)],
  hooks: [...Object.keys(config.hooks), ...(config.bids === undefined ? [] : [BIDS])],
  scannerOf: sendersOf(config.scanners),
  destinations: Object.keys(config.destinations),
  ownMachine: async () => ({
    disks: [],
    certificates: await readCertificates(certificatesIn({ dashboard: config.dashboard })),
  }),
  calendars: Object.keys(config.calendars),
  scanners: Object.keys(config.scanners),
  silentAfterMs: config.dashboard.silentAfter,
  judge: judgeBy(config, now),
  // the route, not the address: that may name a person
  onError: (route, error) => log.error('request failed', { route, error }),
});

const titleOf = (scanner: Config['scanners'][string] | undefined): string | undefined =>
  scanner && [scanner.aet, scanner.location].filter(Boolean).join(' · ');

async function listen(app: FastifyInstance, { dashboard, http }: Config): Promise<number> {
  const host = dashboard.bind ?? http.bind;
  try {
    await app.listen({ host, port: dashboard.port });
  } catch (error) {
    await app.close();
    const hint =
      codeOf(error) === 'EADDRINUSE'
        ? 'another program listens there; choose another dashboard.port'
        : messageOf(error);
    throw new FailureError(
      {
        kind: 'permanent',
        code: 'HTTP_LISTEN',
        message: `cannot listen on ${host} port ${dashboard.port}: ${hint}`,
      },
      error,
    );
  }
  const address = app.server.address();
  return address === null || typeof address === 'string' ? dashboard.port : address.port;
}

/** Where browsers find the board, for links. */
function addressOf({ dashboard: { hosts, tls } }: Config, port: number): string {
  const [host] = hosts;
  // without TLS of its own, a proxy stands in front of the named host
  if (tls === undefined) return host === undefined ? `http://127.0.0.1:${port}` : `https://${host}`;
  return `https://${host ?? '127.0.0.1'}${port === 443 ? '' : `:${port}`}`;
}

function metricsOf(store: AccessStore, { data, dashboard }: Config, lead: Lead | undefined): Registry {
  const registry = new Registry();
  addLeadMetric(registry, () => lead?.holds() !== false);
  addMachineMetrics(registry, { folders: { data }, certificates: certificatesIn({ dashboard }) });
  addGauge(registry, 'scanflow_dashboard_users', 'Users who may sign in.', async (gauge) => {
    // a database that is away shows in the health; the last number stays
    const users = await store.users().catch(() => undefined);
    if (users !== undefined) gauge.set(users.filter(({ hasPassword }) => hasPassword).length);
  });
  return registry;
}
