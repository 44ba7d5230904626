/** One service's life: configuration, start, signals, orderly stop. */
import { parseArgs } from 'node:util';
import { codeOf, messageOf } from '@scanflow/failure';
import manifest from '../package.json' with { type: 'json' };
import { createLog, type Log, type LogLevel } from './log.ts';
import { requireFinishedRestore } from './restore.ts';

/** The part of a configuration that this file reads itself. */
export interface ServiceConfig {
  /** The folder that services share. */
  readonly data: string;
  readonly log: { readonly level: LogLevel };
  /** In whose zone people read times. */
  readonly facility: { readonly timezone: string };
}

/** A configuration and the warnings about it, or one line for each mistake in it. */
export type LoadedConfig<C extends ServiceConfig> =
  | {
      readonly ok: true;
      readonly config: C;
      readonly warnings: readonly { readonly path: string; readonly message: string }[];
    }
  | { readonly ok: false; readonly mistakes: readonly string[] };

export interface ServiceContext<C extends ServiceConfig> {
  readonly config: C;
  /** The file that it came from. */
  readonly configFile: string;
  readonly log: Log;
  /** Aborts when the service is to stop. */
  readonly signal: AbortSignal;
}

export interface Service<C extends ServiceConfig> {
  readonly name: string;
  /** Reads the configuration file; `configLoader` of packages/config is one. */
  readonly load: (file: string) => Promise<LoadedConfig<C>>;
  readonly start: (context: ServiceContext<C>) => Promise<RunningService>;
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
 * `--version` prints the version, and ends.
 * `argv` are the arguments after the script's name; LOG_FORMAT in `env` may be json or text.
 */
export async function runService<C extends ServiceConfig>(
  { name, load, start }: Service<C>,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const configFile = configPath(name, argv);
  const loaded = await load(configFile);
  if (!loaded.ok) {
    for (const mistake of loaded.mistakes) process.stderr.write(`${mistake}\n`);
    process.exit(EXIT.notStarted);
  }
  const { config, warnings } = loaded;
  const format = env['LOG_FORMAT'];
  const log = createLog({
    service: name,
    level: config.log.level,
    timezone: config.facility.timezone,
    ...(format === 'json' || format === 'text' ? { format } : {}),
  });
  const fail = (event: string, error: unknown): never => {
    log.error(event, { error, ...remedyFor(error) });
    log.flush();
    process.exit(EXIT.failed);
  };
  process.on('unhandledRejection', (error) => fail('unhandled rejection', error));
  process.on('uncaughtException', (error) => fail('uncaught exception', error));
  // signals alone do not keep a process alive; it ends by process.exit
  setInterval(() => undefined, LONGEST_TIMER_MS);
  const { signal, ended } = listenForStop((name) => {
    log.info('stopping', { signal: name });
    // counts from the signal, also while the service still starts
    const late = new Error(`it did not stop within ${STOP_MS / 1000} s and was ended`);
    setTimeout(() => fail('did not stop in time', late), STOP_MS);
  });
  for (const { path, message } of warnings) log.warn('configuration', { path, message });
  const begin = async (): Promise<RunningService> => {
    await requireFinishedRestore(config.data);
    return start({ config, configFile, log, signal });
  };
  const running = await begin().catch((error: unknown) => {
    // a start that was interrupted because it was asked to stop has not failed
    if (signal.aborted) process.exit(EXIT.stopped);
    return fail('could not start', error);
  });
  if (!signal.aborted) log.info('started', { pid: process.pid });
  running.broken?.catch((error: unknown) => fail('cannot go on', error));
  await ended;
  await running.stop().catch((error: unknown) => fail('could not stop in order', error));
  log.flush();
  log.info('stopped');
  process.exit(EXIT.stopped);
}

/** What a person does on the host about a folder or file that this process may not use. */
function remedyFor(error: unknown): { readonly todo?: string } {
  const path = error instanceof Error && 'path' in error ? String(error.path) : undefined;
  const me = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  switch (path === undefined ? undefined : codeOf(error)) {
    case 'EACCES':
    case 'EPERM':
      return {
        todo: `This process runs as ${me}. On the host: chown ${me} FOLDER, the folder that is mounted at ${path}.`,
      };
    case 'EROFS':
      return { todo: `Mount ${path} read-write.` };
    default:
      return {};
  }
}

/** The first SIGTERM or SIGINT asks to stop, the second ends the process. */
function listenForStop(onAsked: (name: string) => void): { signal: AbortSignal; ended: Promise<void> } {
  const stopping = new AbortController();
  const { promise: ended, resolve } = Promise.withResolvers<undefined>();
  for (const name of ['SIGTERM', 'SIGINT'] as const)
    process.on(name, () => {
      if (stopping.signal.aborted) process.exit(EXIT.failed);
      onAsked(name);
      stopping.abort();
      resolve(undefined);
    });
  return { signal: stopping.signal, ended };
}

/** The value of --config. Ends the process for --version, and, with the reason on stderr, where the arguments are wrong. */
function configPath(name: string, argv: readonly string[]): string {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        config: { type: 'string', default: DEFAULT_CONFIG },
        version: { type: 'boolean', default: false },
      },
    });
    if (!values.version) return values.config;
  } catch (error) {
    process.stderr.write(`${name}: ${messageOf(error)}\nUsage: ${name} [--config FILE] [--version]\n`);
    process.exit(EXIT.notStarted);
  }
  process.stdout.write(`${name} ${manifest.version}\n`);
  process.exit(EXIT.stopped);
}
