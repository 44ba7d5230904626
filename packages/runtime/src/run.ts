/** One service's life: configuration, start, signals, orderly stop. */
import { parseArgs } from 'node:util';
import type { KnownAttributes } from './config/attributes.ts';
import { formatIssue } from './config/issue.ts';
import { loadConfig } from './config/load.ts';
import type { Config } from './config/schema.ts';
import { configWarnings } from './config/warnings.ts';
import { createLog, type Log } from './log.ts';

export interface ServiceContext {
  readonly config: Config;
  /** The file that it came from. */
  readonly configFile: string;
  readonly log: Log;
  /** Aborts when the service is to stop. */
  readonly signal: AbortSignal;
}

export interface Service {
  readonly name: string;
  /** Keywords of DICOM attributes with their VR; without them, those in the configuration are checked for their form. */
  readonly attributes?: KnownAttributes;
  readonly start: (context: ServiceContext) => Promise<RunningService>;
}

export interface RunningService {
  stop(): Promise<void>;
  /** Rejects where the service cannot go on; the process then ends at once, with 1. */
  readonly broken?: Promise<never> | undefined;
}

const DEFAULT_CONFIG = '/etc/scanflow/scanflow.yaml';
const STOP_MS = 8_000;
const LONGEST_TIMER_MS = 2_147_483_647;
const EXIT = { stopped: 0, failed: 1, notStarted: 2 } as const;

/**
 * Runs a service until SIGTERM or SIGINT, and then ends the process: 0 when it was asked to stop and did, 1 when it
 * failed or did not stop within 8 s, 2 when it did not start for its usage or configuration. A second signal ends it at once.
 * `argv` are the arguments after the script's name; LOG_FORMAT in `env` may be json or text.
 */
export async function runService(
  { name, start, attributes }: Service,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const read = await readConfig(name, argv, attributes);
  if (read === undefined) process.exit(EXIT.notStarted);
  const { config, configFile } = read;
  const format = env['LOG_FORMAT'];
  const log = createLog({
    service: name,
    level: config.log.level,
    ...(format === 'json' || format === 'text' ? { format } : {}),
  });
  const fail = (event: string, error: unknown): never => {
    log.error(event, { error });
    log.flush();
    process.exit(EXIT.failed);
  };
  process.on('unhandledRejection', (error) => fail('unhandled rejection', error));
  process.on('uncaughtException', (error) => fail('uncaught exception', error));
  // signals alone do not keep a process alive; it ends by process.exit
  setInterval(() => undefined, LONGEST_TIMER_MS);
  const { signal, asked } = listenForStop((name) => {
    log.info('stopping', { signal: name });
    // counts from the signal, also while the service still starts
    const late = new Error(`it did not stop within ${STOP_MS / 1000} s and was ended`);
    setTimeout(() => fail('did not stop in time', late), STOP_MS);
  });
  for (const { path, message } of configWarnings(config)) log.warn('configuration', { path, message });
  const running = await start({ config, configFile, log, signal }).catch((error: unknown) => {
    // a start that was interrupted because it was asked to stop has not failed
    if (signal.aborted) process.exit(EXIT.stopped);
    return fail('could not start', error);
  });
  if (!signal.aborted) log.info('started', { pid: process.pid });
  running.broken?.catch((error: unknown) => fail('cannot go on', error));
  await asked;
  await running.stop().catch((error: unknown) => fail('could not stop in order', error));
  log.flush();
  log.info('stopped');
  process.exit(EXIT.stopped);
}

/** The first SIGTERM or SIGINT asks to stop, the second ends the process. */
function listenForStop(onAsked: (name: string) => void): { signal: AbortSignal; asked: Promise<void> } {
  const stopping = new AbortController();
  const { promise: asked, resolve } = Promise.withResolvers<undefined>();
  for (const name of ['SIGTERM', 'SIGINT'] as const)
    process.on(name, () => {
      if (stopping.signal.aborted) process.exit(EXIT.failed);
      onAsked(name);
      stopping.abort();
      resolve(undefined);
    });
  return { signal: stopping.signal, asked };
}

/** The configuration that the arguments name; undefined, with the reasons on stderr, where there is none. */
async function readConfig(
  name: string,
  argv: readonly string[],
  known: KnownAttributes | undefined,
): Promise<Pick<ServiceContext, 'config' | 'configFile'> | undefined> {
  const configFile = configPath(name, argv);
  if (configFile === undefined) return undefined;
  const loaded = await loadConfig(configFile, known);
  if (loaded.ok) return { config: loaded.config, configFile };
  for (const issue of loaded.issues) process.stderr.write(`${formatIssue(issue)}\n`);
  return undefined;
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
