/** Every service's HTTP side: /livez, /readyz, /healthz, /metrics, and what routes it adds. */
import type { FastifyInstance, RouteShorthandOptions } from 'fastify';
import { Gauge, type Registry } from 'prom-client';
import { codeOf, FailureError, messageOf, permanent, type Failure } from '@scanflow/failure';
import manifest from '../package.json' with { type: 'json' };
import { openToken, tokenFileOf, type Admits, type TokenPlace } from './api-token.ts';
import { addHealth, type Health } from './health.ts';
import type { Log } from './log.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Names of the parameters that a page takes after `?`; see `takes`. */
    readonly query?: readonly string[];
  }
}

/** Options of a page that takes these parameters after `?`. A page without them takes none: a filter that nobody reads would mislead. */
export const takes = (...query: readonly string[]): RouteShorthandOptions => ({ config: { query } });

/** Who may use the pages beside the open ones. */
export interface HttpAccess {
  /** Names and addresses by which the service may be asked. */
  readonly names: ReadonlySet<string>;
  readonly admits: Admits;
}

export interface HttpOptions {
  readonly bind: string;
  /** 0: any free port. */
  readonly port: number;
  readonly access: HttpAccess;
  readonly health: () => Health | Promise<Health>;
  readonly registry: Registry;
  /** Adds pages. What they throw becomes a 500 without its message; with a `statusCode` below 500, that and its message. */
  readonly routes?: (app: FastifyInstance) => void;
  readonly log: Log;
}

export interface RunningHttp {
  readonly port: number;
  /** At once: requests that are being answered are cut off. */
  close(): Promise<void>;
}

const BODY_LIMIT = 65_536;
const REQUEST_MS = 10_000;
/** Who is silent after an answer gives its place up: 256 who stay would keep all others out. */
const KEEP_ALIVE_MS = 5_000;
const MOST_CONNECTIONS = 256;

/** Who may use the pages of this service, by the configuration. `service`: its name in the compose stack. */
export const httpAccess = async (
  service: string,
  config: TokenPlace & { readonly http: Binding },
  log: Log,
): Promise<HttpAccess> => ({
  names: ownNames(service, config.http),
  admits: await openToken(tokenFileOf(config), log),
});

/**
 * Listens. 200 on /livez; 200 or 503 on /readyz and /healthz; Prometheus text on /metrics; errors as JSON without a stack trace.
 * Throws a FailureError HTTP_LISTEN where the address cannot be had.
 */
export async function startHttp({
  bind,
  port,
  access,
  health,
  registry,
  routes,
  log,
}: HttpOptions): Promise<RunningHttp> {
  // only now: what a service does first does not wait for it to be loaded
  const { default: fastify } = await import('fastify');
  const app = fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_MS,
    connectionTimeout: REQUEST_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: true,
    // how often requestTimeout is looked at
    http: { connectionsCheckingInterval: 2_000 },
  });
  app.server.maxConnections = MOST_CONNECTIONS;
  app.addHook('onSend', async (_request, reply) => {
    // states of this moment, some of them with labels: nothing between may keep them
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });
  guard(app, access);
  refuseUnknown(app);
  addHealth(app, { health, registry, log });
  app.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
  addBuild(registry);
  answerErrors(app, log);
  routes?.(app);
  await app.listen({ host: bind, port }).catch(async (error: unknown) => {
    await app.close();
    throw new FailureError(cannotListen(bind, port, error), error);
  });
  const address = app.server.address();
  return {
    port: address === null || typeof address === 'string' ? port : address.port,
    close: () => app.close(),
  };
}

function addBuild(registry: Registry): void {
  const name = 'scanflow_build_info';
  if (registry.getSingleMetric(name) !== undefined) return;
  const help = 'Always 1. The label is the version of Scanflow.';
  new Gauge({ name, help, labelNames: ['version'], registers: [registry] }).set(
    { version: manifest.version },
    1,
  );
}

/** Before anything of a request is looked at, also of one for a page that is not there. */
function guard(app: FastifyInstance, { names, admits }: HttpAccess): void {
  app.addHook('onRequest', async ({ method, headers, socket, routeOptions }, reply) => {
    if (routeOptions.url !== undefined && OPEN_PAGES.has(routeOptions.url)) return undefined;
    const asked = { method, headers, localAddress: socket.localAddress };
    const refused = refusal(asked, names, await admits(headers.authorization));
    if (refused === undefined) return undefined;
    if (refused.status === 401) reply.header('www-authenticate', 'Bearer');
    return reply.code(refused.status).send({ error: refused.error });
  });
}

/** A parameter that the page does not take is a mistake: what it should leave out would be shown. */
function refuseUnknown(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ query, routeOptions: { url, config } }, reply) => {
    if (url?.startsWith('/api/') !== true) return undefined;
    const { query: known = [] } = config;
    const unknown = Object.keys(query as object).find((name) => !known.includes(name));
    if (unknown === undefined) return undefined;
    const error = `${url} takes no ${JSON.stringify(unknown.slice(0, 50))}: it takes ${known.length === 0 ? 'no filter' : known.join(', ')}`;
    return reply.code(400).send({ error });
  });
}

function answerErrors(app: FastifyInstance, log: Log): void {
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'there is no such page' }));
  app.setErrorHandler((error, request, reply) => {
    const status =
      error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
        ? error.statusCode
        : 500;
    if (status < 500) return reply.code(status).send({ error: messageOf(error) });
    // the route, not the address: that may name a person
    log.error('request failed', { route: request.routeOptions.url ?? 'unknown', error });
    return reply.code(status).send({ error: 'it failed; the log says why' });
  });
}

const cannotListen = (bind: string, port: number, error: unknown): Failure =>
  permanent(
    'HTTP_LISTEN',
    `cannot listen on ${bind} port ${port}: ${LISTEN_HINTS[codeOf(error) ?? ''] ?? messageOf(error)}`,
  );

const LISTEN_HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there; stop it, or give this service another port under http.ports',
  EADDRNOTAVAIL: 'this machine has no such address; correct http.bind',
  EACCES: 'ports below 1024 need a privilege; give this service a higher one under http.ports',
};

/**
 * Who may use a service's pages: a program that has the internal token, by a name of the service, and nobody's web page.
 * `OPEN_PAGES` are open: they hold no label, and what asks for them knows addresses only. Pure.
 */
interface Asked {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The address of this machine on which the request came. */
  readonly localAddress: string | undefined;
}

interface Refusal {
  readonly status: 401 | 403 | 415;
  readonly error: string;
}

/** Pages for probes and Prometheus. */
const OPEN_PAGES: ReadonlySet<string> = new Set(['/livez', '/readyz', '/healthz', '/metrics']);

const LOOPBACK = ['localhost', '127.0.0.1', '::1'];
const ANY_ADDRESS: readonly string[] = ['0.0.0.0', '::'];

/** Where a service listens, and the further names by which it is reached. */
interface Binding {
  readonly bind: string;
  readonly hosts: readonly string[];
}

/** The names under which a service is reached, in small letters. */
export const ownNames = (service: string, { bind, hosts }: Binding): ReadonlySet<string> =>
  new Set(
    [...LOOPBACK, service, ...(ANY_ADDRESS.includes(bind) ? [] : [bind]), ...hosts].map((name) =>
      name.toLowerCase(),
    ),
  );

/** Why a request is refused; undefined where it may pass. `admitted`: it brought the token. */
export function refusal(
  { method, headers, localAddress }: Asked,
  names: ReadonlySet<string>,
  admitted: boolean,
): Refusal | undefined {
  // a name that leads here today may have led to an attacker's page a moment ago (DNS rebinding)
  const host = hostIn(text(headers['host']));
  if (!names.has(host) && host !== unmapped(localAddress))
    return {
      status: 403,
      error:
        'this service does not go by that name: ask by its address, like 127.0.0.1, or add the name to http.hosts of the configuration',
    };
  if (!admitted)
    return {
      status: 401,
      error:
        'this page takes the internal token: use the scanflow command, which has it, or send "Authorization: Bearer TOKEN". docs/security.md says where TOKEN lies',
    };
  // browsers add one of these to whatever a page sends, and a page cannot leave them out; programs send neither
  if (headers['origin'] !== undefined || headers['sec-fetch-site'] !== undefined)
    return { status: 403, error: 'web pages may not use this; use the scanflow command' };
  // what a page's form can send without being asked is never JSON
  if (changes(method) && !/^application\/json\s*(?:;|$)/i.test(text(headers['content-type'])))
    return { status: 415, error: 'expected content-type: application/json' };
  return undefined;
}

const changes = (method: string): boolean => method !== 'GET' && method !== 'HEAD';

const text = (value: string | string[] | undefined): string => (typeof value === 'string' ? value : '');

/** The name or address of a Host header, without its port; empty where it is none. */
function hostIn(header: string): string {
  const { six, other } =
    /^(?:\[(?<six>[0-9a-f:.]+)\]|(?<other>[^:[\]]+))(?::\d{1,5})?$/i.exec(header)?.groups ?? {};
  return (six ?? other ?? '').toLowerCase();
}

/** An IPv4 address as itself where the socket speaks IPv6. */
const unmapped = (address: string | undefined): string | undefined => address?.replace(/^::ffff:/i, '');
