/** Every service's HTTP side: /healthz, /metrics, and what routes it adds. */
import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import manifest from '../package.json' with { type: 'json' };
import { openToken, tokenFileOf, type Admits, type TokenPlace } from './api-token.ts';
import { codeOf, FailureError, messageOf } from '@scanflow/failure';
import { OPEN_PAGES, ownNames, refusal, type Binding } from './http-guard.ts';
import type { Log } from './log.ts';

export interface Health {
  readonly ok: boolean;
  /** What a person wants to know when it is not, and a machine may read. No patient attribute: anybody may ask. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Who may use the pages beside /healthz and /metrics. */
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
  readonly health: () => Health;
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
 * Listens. 200 or 503 on /healthz; Prometheus text on /metrics; errors as JSON without a stack trace.
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
  app.get('/healthz', (_request, reply) => {
    const { ok, detail } = healthOf(health, log);
    return reply
      .code(ok ? 200 : 503)
      .send({ ...detail, version: manifest.version, status: ok ? 'ok' : 'failing' });
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
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

/** A health check that fails is bad health. */
function healthOf(health: () => Health, log: Log): Health {
  try {
    return health();
  } catch (error) {
    log.error('the health check fails', { error });
    return { ok: false, detail: { reason: 'the health check fails; the log says why' } };
  }
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

const cannotListen = (bind: string, port: number, error: unknown) =>
  ({
    kind: 'permanent',
    code: 'HTTP_LISTEN',
    message: `cannot listen on ${bind} port ${port}: ${LISTEN_HINTS[codeOf(error) ?? ''] ?? messageOf(error)}`,
  }) as const;

const LISTEN_HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there; stop it, or give this service another port under http.ports',
  EADDRNOTAVAIL: 'this machine has no such address; correct http.bind',
  EACCES: 'ports below 1024 need a privilege; give this service a higher one under http.ports',
};
