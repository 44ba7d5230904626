/** One service's life: configuration, start, signals, orderly stop. */
import { parseArgs } from 'node:util';
import { formatIssue } from './config/issue.ts';
import { loadConfig } from './config/load.ts';
import type { Config } from './config/schema.ts';
import { createLog, type Log } from './log.ts';

export interface ServiceContext {
  readonly config: Config;
  readonly log: Log;
  /** Aborts when the service is to stop. */
  readonly signal: AbortSignal;
}

export interface Service {
  readonly name: string;
  readonly start: (context: ServiceContext) => Promise<{ stop(): Promise<void> }>;
}

const DEFAULT_CONFIG = '/etc/scanflow/scanflow.yaml';
const STOP_MS = 8_000;
const EXIT = { stopped: 0, failed: 1, notStarted: 2 } as const;

/**
 * Runs a service until SIGTERM or SIGINT, and then ends the process: 0 when it was asked to stop and did, 1 when it
 * failed or did not stop within 8 s, 2 when it did not start for its usage or configuration. A second signal ends it at once.
 */
export async function runService(
  { name, start }: Service,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const path = configPath(name, argv);
  const loaded = path === undefined ? undefined : await loadConfig(path);
  if (loaded?.ok !== true) {
    for (const issue of loaded?.issues ?? []) process.stderr.write(`${formatIssue(issue)}\n`);
    process.exit(EXIT.notStarted);
  }
  const { config } = loaded;
  const format = env['LOG_FORMAT'];
  const log = createLog({
    service: name,
    level: config.log.level,
    ...(format === 'json' || format === 'text' ? { format } : {}),
  });
  const stopping = new AbortController();
  const asked = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.on(signal, () => {
        if (stopping.signal.aborted) process.exit(EXIT.failed);
        stopping.abort();
        resolve(signal);
      });
  });
  const fail = (event: string, error: unknown): never => {
    log.error(event, { error });
    process.exit(EXIT.failed);
  };
  process.on('unhandledRejection', (error) => fail('unhandled rejection', error));
  process.on('uncaughtException', (error) => fail('uncaught exception', error));
  const running = await start({ config, log, signal: stopping.signal }).catch((error: unknown) =>
    fail('could not start', error),
  );
  log.info('started', { pid: process.pid });
  log.info('stopping', { signal: await asked });
  setTimeout(
    () => fail('did not stop in time', new Error(`${name} was given ${STOP_MS / 1000} s`)),
    STOP_MS,
  ).unref();
  await running.stop().catch((error: unknown) => fail('could not stop in order', error));
  log.info('stopped');
  process.exit(EXIT.stopped);
}

/** The value of --config; undefined, with the reason on stderr, where the arguments are wrong. */
function configPath(name: string, argv: readonly string[]): string | undefined {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: { config: { type: 'string', default: DEFAULT_CONFIG } },
    });
    return values.config;
  } catch (error) {
    process.stderr.write(
      `${name}: ${error instanceof Error ? error.message : String(error)}\nUsage: ${name} [--config FILE]\n`,
    );
    return undefined;
  }
}
