/** How a service is: the pages that say so, and the same as metrics. */
import type { FastifyInstance } from 'fastify';
import { Gauge, type Registry } from 'prom-client';
import manifest from '../package.json' with { type: 'json' };
import type { Log } from './log.ts';

/** Something is wrong. No label and no patient attribute: anybody may ask. */
export interface Fault {
  /** `failing`: a person has to act. `degraded`: the work goes on, with old data or without a part of it. */
  readonly state: 'failing' | 'degraded';
  readonly code: string;
  /** What happened, to what, and what to do. */
  readonly message: string;
  /** As in ISO 8601. */
  readonly since?: string;
}

export interface Health {
  /** A fault that is failing makes it false. */
  readonly ok: boolean;
  /** Whether the service can do its own work, by itself. As `ok` where it is not given. */
  readonly ready?: boolean;
  /** It waits to take over from another process, which does the work: not ready, and nothing is wrong. */
  readonly standby?: boolean;
  /** What a person wants to know when it is not, and a machine may read. No patient attribute: anybody may ask. */
  readonly detail: Readonly<Record<string, unknown>>;
  readonly faults?: readonly Fault[];
}

interface HealthOptions {
  readonly health: () => Health | Promise<Health>;
  readonly registry: Registry;
  readonly log: Log;
}

type WholeHealth = Required<Health>;

/** A health check that fails is bad health. */
async function healthOf({ health, log }: HealthOptions): Promise<WholeHealth> {
  try {
    const { ok: good, ready, standby = false, detail, faults = [] } = await health();
    const ok = good && faults.every(({ state }) => state !== 'failing');
    return { ok, ready: !standby && (ready ?? ok), standby, detail, faults };
  } catch (error) {
    log.error('the health check fails', { error });
    const detail = { reason: 'the health check fails; the log says why' };
    return { ok: false, ready: false, standby: false, detail, faults: [] };
  }
}

/** Three questions, since whoever asks does different things with the answer: docs/operations.md, Health. */
export function addHealth(app: FastifyInstance, options: HealthOptions): void {
  const { version } = manifest;
  const { registry } = options;
  const look = (): Promise<WholeHealth> => healthOf(options);
  const named = (faults: readonly Fault[]): object => (faults.length === 0 ? {} : { faults });
  // that it answers is the answer
  app.get('/livez', () => ({ version, status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const { ready, standby, faults } = await look();
    const status = standby ? 'standby' : ready ? 'ready' : 'not ready';
    return reply.code(ready ? 200 : 503).send({ ...named(faults), version, status });
  });
  app.get('/healthz', async (_request, reply) => {
    const { ok, standby, detail, faults } = await look();
    const status = !ok ? 'failing' : standby ? 'standby' : 'ok';
    return reply.code(ok ? 200 : 503).send({ ...detail, ...named(faults), version, status });
  });
  // all gauges of a scrape are collected at the same time: one look serves them all
  let looking: Promise<WholeHealth> | undefined;
  const once = (): Promise<WholeHealth> => (looking ??= look().finally(() => (looking = undefined)));
  addGauge(registry, 'scanflow_healthy', '1 where /healthz answers 200, else 0.', async (gauge) =>
    gauge.set(Number((await once()).ok)),
  );
  addGauge(registry, 'scanflow_ready', '1 where /readyz answers 200, else 0.', async (gauge) =>
    gauge.set(Number((await once()).ready)),
  );
  const help = 'What is wrong, by code; state is failing or degraded. Absent where nothing is.';
  const collect = async (gauge: Gauge): Promise<void> => {
    const { faults } = await once();
    gauge.reset();
    for (const { code, state } of faults) gauge.inc({ code, state });
  };
  addGauge(registry, 'scanflow_faults', help, collect, 'code', 'state');
}

/** Of a service of which one leads and others stand by; looked at with each scrape. */
export function addLeadMetric(registry: Registry, leads: () => boolean): void {
  const help = '1 where this process leads, 0 where it stands by. Always 1 where it can have no standby.';
  addGauge(registry, 'scanflow_leads', help, (gauge) => gauge.set(Number(leads())));
}

/** A gauge that is looked at with each scrape. */
export function addGauge(
  registry: Registry,
  name: string,
  help: string,
  collect: (gauge: Gauge) => void | Promise<void>,
  ...labelNames: string[]
): void {
  new Gauge({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      return collect(this);
    },
  });
}
