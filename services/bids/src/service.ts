/** The bids service: checks what it needs, then converts what the streamer brings. */
import { access, constants } from 'node:fs/promises';
import type { Config } from '@scanflow/config';
import { codeOf, FailureError, messageOf, permanent } from '@scanflow/failure';
import {
  addMachine,
  httpAccess,
  Registry,
  sleep,
  startHttp,
  type Health,
  type Log,
  type ServiceContext,
} from '@scanflow/runtime';
import manifest from '../package.json' with { type: 'json' };
import { routes } from './api.ts';
import { converterOf, recoverAll, validatorOf, type JobDeps } from './jobs.ts';
import { createLine, type Line } from './line.ts';
import { createMetrics } from './metrics.ts';
import { createPlans } from './plans.ts';
import { dcm2niixVersion } from './work/dcm2niix.ts';
import { validatorVersion } from './work/validate.ts';

/** Each request that waits holds a connection; the streamer has two at a time. */
const MOST_WAITING = 128;

/** Starts the service. Rejects with FailureError where it could not do its work. */
export async function startBids({
  config,
  log,
  signal,
}: ServiceContext<Config>): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const deps = await openJobs(config, log, signal);
  const { registry, versions, fault } = deps;
  const stopping = new AbortController();
  await recoverAll(
    deps.config,
    (error) => log.warn('what a killed service began is completed later', { error }),
    signal,
  );
  const ending = AbortSignal.any([signal, stopping.signal]);
  const working = { ...deps, log, signal: ending, plans: createPlans(deps, { signal: ending }) };
  const http = await startHttp({
    bind: config.http.bind,
    port: deps.config.bids.port,
    log,
    registry,
    access: await httpAccess('bids', config, log),
    health: () => healthOf(deps.line, versions, fault),
    routes: (app) => {
      routes(app, working);
      addMachine(app, registry, {
        folders: { 'storage.root': config.storage.root },
        certificates: [],
      });
    },
  });
  log.info('bids.listening', { http: http.port, ...versions });
  return {
    port: http.port,
    stop: async () => {
      // ends the programs that run; the streamer sees the connection cut, and hands the session over again
      stopping.abort();
      await http.close();
      await idle(deps.line);
    },
  };
}

interface Opened extends JobDeps {
  readonly registry: Registry;
  readonly versions: Readonly<Record<string, string>>;
  readonly fault: NonNullable<Health['faults']>[number] | undefined;
}

async function openJobs(config: Config, log: Log, signal: AbortSignal): Promise<Opened> {
  const { bids } = config;
  if (bids === undefined) throw new FailureError(OFF);
  await requireWritable(config.storage);
  const dcm2niix = await dcm2niixVersion({ ...converterOf(bids), timeoutMs: START_MS }, signal);
  const validator = await validatorVersion({ ...validatorOf(bids), timeoutMs: START_MS }, signal);
  const fault = untested(dcm2niix);
  if (fault !== undefined) log.warn(fault.message, { code: fault.code });
  const line = createLine(bids.parallel, MOST_WAITING);
  const registry = new Registry();
  return {
    config: { ...config, bids },
    line,
    registry,
    metrics: createMetrics(registry, line),
    version: manifest.version,
    versions: { dcm2niix, validator },
    fault,
  };
}

const START_MS = 60_000;

const OFF = permanent(
  'BIDS_OFF',
  'The configuration has no section bids, so there is nothing to convert. Add it, or do not start this service.',
);

async function requireWritable({ root, projects }: Config['storage']): Promise<void> {
  for (const folder of new Set([root, ...Object.values(projects).map((one) => one.root)]))
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK).catch((error: unknown) => {
      throw new FailureError(
        permanent(
          'BIDS_ROOT',
          `The root of storage ${folder} cannot be written (${codeOf(error) ?? messageOf(error)}). Mount it for the bids service, and let user ${process.getuid?.() ?? 0} write it.`,
        ),
        error,
      );
    });
}

/** Dates in the versions that are expected to work alike. The tests have seen v1.0.20220720, which lies between them. */
const EXPECTED = { from: 20_211_006, to: 20_250_506 };

function untested(version: string): Opened['fault'] {
  const date = Number(/\d{8}$/.exec(version)?.[0]);
  if (date >= EXPECTED.from && date <= EXPECTED.to) return undefined;
  return {
    state: 'degraded',
    code: 'BIDS_DCM2NIIX_UNTESTED',
    message: `dcm2niix ${version} is not among the versions that are expected to work (v1.0.${EXPECTED.from} to v1.0.${EXPECTED.to}; the tests have seen v1.0.20220720). It is used all the same; compare some sessions.`,
  };
}

const healthOf = (line: Line, versions: Opened['versions'], fault: Opened['fault']): Health => ({
  ok: true,
  detail: { ...versions, running: line.running().length, waiting: line.waiting() },
  faults: fault === undefined ? [] : [fault],
});

const IDLE_MS = 6_000;
const LOOK_MS = 50;

/** Resolves once no work runs, or after a while: what is left then is ended with the process. */
async function idle(line: Line): Promise<void> {
  const until = performance.now() + IDLE_MS;
  while (line.running().length > 0 && performance.now() < until) await sleep(LOOK_MS);
}
