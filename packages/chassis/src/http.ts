/** Every service's HTTP side: /healthz, /metrics, and what routes it adds. */
import fastify, { type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import type { Log } from './log.ts';

export interface Health {
  readonly ok: boolean;
  /** What a person wants to know when it is not, and a machine may read. */
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface HttpOptions {
  readonly bind: string;
  /** 0: any free port. */
  readonly port: number;
  readonly health: () => Health;
  readonly registry: Registry;
  readonly routes?: (app: FastifyInstance) => void;
  readonly log: Log;
}

export interface RunningHttp {
  readonly port: number;
  close(): Promise<void>;
}

const BODY_LIMIT = 65_536;
const REQUEST_MS = 10_000;

/** Listens. 200 or 503 on /healthz; Prometheus text on /metrics; errors as JSON without a stack trace. */
export async function startHttp({
  bind,
  port,
  health,
  registry,
  routes,
  log,
}: HttpOptions): Promise<RunningHttp> {
  const app = fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_MS,
    connectionTimeout: REQUEST_MS,
    forceCloseConnections: true,
  });
  app.get('/healthz', (_request, reply) => {
    const { ok, detail } = health();
    return reply.code(ok ? 200 : 503).send({ status: ok ? 'ok' : 'failing', ...detail });
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'there is no such page' }));
  app.setErrorHandler((error, request, reply) => {
    const status =
      error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
        ? error.statusCode
        : 500;
    if (status >= 500) log.error('request failed', { path: request.routeOptions.url ?? 'unknown', error });
    return reply.code(status).send({
      error:
        status >= 500
          ? 'it failed; the log tells why'
          : String(error instanceof Error ? error.message : error),
    });
  });
  routes?.(app);
  await app.listen({ host: bind, port });
  const address = app.server.address();
  return {
    port: address === null || typeof address === 'string' ? port : address.port,
    close: () => app.close(),
  };
}
