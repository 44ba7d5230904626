/** The HTTP interface of the streamer, for the commands that ask it. */
import { userInfo } from 'node:os';
import { given } from '@scanflow/failure/defined';
import { loadConfig } from '@scanflow/config';
import { tokenFileOf } from '@scanflow/runtime';
import { addressOfService, apiAt, notAdmitted, type Api, cannotUse, IN_CONTAINER } from '../installation.ts';
import { EXIT, UsageError, type ExitCode, type Io, requireHttp } from '../command.ts';

export interface Labels {
  readonly project: string;
  readonly subject: string;
  readonly session: string;
}

export interface LegRow {
  readonly target: string;
  readonly state: string;
  readonly attempts: number;
  readonly nextTry?: string;
  readonly failure?: { readonly code: string; readonly message: string };
  readonly done: number;
  readonly total: number;
  readonly path?: string;
  /** Outside the hours of its destination, or its destination is paused. */
  readonly waits?: { readonly until?: string; readonly message: string };
}

/** What reading its files again found, in project storage (`storage`) or in the copy. */
export interface VerificationRow {
  readonly place: string;
  readonly good?: string;
  readonly looked?: string;
  readonly due?: string;
  readonly files: number;
  readonly failure?: { readonly code: string; readonly message: string };
  readonly since?: string;
  readonly findings?: readonly { readonly file: string; readonly kind: string }[];
  readonly acknowledged?: { readonly by: string; readonly at: string; readonly reason: string };
  readonly trouble?: { readonly code: string; readonly message: string };
}

export interface SeriesRow {
  readonly id: string;
  readonly seriesInstanceUid: string;
  readonly accessionNumber: string;
  /** AE title that sent its first image. */
  readonly sender?: string;
  /** When it was deleted from Orthanc. */
  readonly cleaned?: string;
  /** Of a quarantined one: when its images were made, as they say. */
  readonly acquired?: string;
  readonly modality: string;
  readonly seriesNumber: string;
  readonly seriesDescription: string;
  readonly state: string;
  readonly outcome: string;
  readonly reason?: string;
  readonly reasonCode?: string;
  readonly labels?: Labels;
  /** Of a quarantined one: what its images say. */
  readonly attributes?: Readonly<Record<string, string>>;
  readonly warnings?: readonly { readonly code: string; readonly message: string }[];
  readonly doubts?: readonly { readonly kind: string; readonly message: string }[];
  readonly decision?: {
    readonly kind: string;
    readonly at: string;
    readonly by: string;
    readonly reason?: string;
  };
  readonly moved?: readonly {
    readonly at: string;
    readonly by: string;
    readonly reason: string;
    readonly from: { readonly path: string };
    readonly kept?: boolean;
    readonly left?: readonly string[];
  }[];
  readonly moving?: { readonly labels: Labels; readonly reason: string };
  readonly firstSeen: string;
  readonly expected?: number;
  readonly images: {
    readonly inOrthanc: number;
    readonly stored: number;
    /** Other bytes of images that are stored. */
    readonly differing?: number;
  };
  /** Of one series alone: the same Series Instance UID under another patient or study. */
  readonly sameUid?: readonly {
    readonly id: string;
    readonly state: string;
    readonly labels?: Labels | undefined;
  }[];
  /** Of one series alone: images that came with different bytes, the last that came last. */
  readonly versions?: readonly {
    readonly sopInstanceUid: string;
    readonly files: readonly { readonly file: string }[];
  }[];
  readonly legs: readonly LegRow[];
  /** Why it is still in Orthanc. */
  readonly notCleaned?: { readonly code: string; readonly message: string };
  readonly verification?: readonly VerificationRow[];
  /** Destinations to which it does not go. */
  readonly notSent?: readonly { readonly target: string; readonly code: string; readonly message: string }[];
  /** Those of its session among them: their event is `complete`. */
  readonly hooks?: readonly (LegRow & { readonly event?: string; readonly output?: string })[];
}

/** The streamer cannot be reached, or does not know the series: nothing was done. */
export class NotAsked extends Error {
  override name = 'NotAsked';
}
/** Nobody answered. A retry may help. */
export class Unreachable extends NotAsked {
  override name = 'Unreachable';
}
/** The streamer refused, or failed. */
export class Refused extends Error {
  override name = 'Refused';
}

const TIMEOUT_MS = 30_000;

/** Asks a page of the streamer; with a body, it is a change. */
export type Ask = (path: string, body?: object, limitMs?: number) => Promise<Record<string, unknown>>;

/** Its function throws NotAsked and Refused, with what to do. */
export function createAsk(api: Api, stop: AbortSignal): Ask {
  const { url } = api;
  return async (path: string, body?: object, limitMs = TIMEOUT_MS): Promise<Record<string, unknown>> => {
    let response: Response;
    let answer: unknown;
    try {
      response = await fetch(`${url}${path}`, {
        signal: AbortSignal.any([stop, AbortSignal.timeout(limitMs)]),
        headers: api.headers,
        ...given(body, (body) => ({
          method: 'POST',
          headers: { ...api.headers, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        })),
      });
      answer = await response.json().catch(() => undefined);
    } catch (error) {
      throw new Unreachable(
        `the streamer does not answer at ${url} (${reasonOf(error)}). Does it run there? See --url`,
      );
    }
    const fields = typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>) : {};
    if (response.ok) return fields;
    if (response.status === 401) throw new NotAsked(notAdmitted(api));
    const said = typeof fields['error'] === 'string' ? fields['error'] : `it answered ${response.status}`;
    throw response.status === 404 || response.status === 400 ? new NotAsked(said) : new Refused(said);
  };
}

/** The pages of the streamer that more than one command asks. */
export function createClient(api: Api, stop: AbortSignal) {
  const ask = createAsk(api, stop);
  /** Of the facility; of this machine where there is no configuration. */
  const timezone = api.timezone ?? Temporal.Now.timeZoneId();
  const of = (id: string): string => `/api/series/${encodeURIComponent(id)}`;
  return {
    /** Any other page. */
    ask,
    timezone,
    /** `query`: filters of the streamer, and `limit`. */
    list: async (query: Readonly<Record<string, string>>): Promise<readonly SeriesRow[]> => {
      const wanted = new URLSearchParams(query);
      const { series } = await ask(`/api/series?${wanted.toString()}`);
      if (!Array.isArray(series)) throw new NotAsked(`what answers at ${api.url} is no streamer`);
      return series as SeriesRow[];
    },
    one: async (id: string): Promise<SeriesRow> => (await ask(of(id)))['series'] as SeriesRow,
    /** A change: `release`, `move`, `retry` or `skip`. */
    change: (id: string, action: string, body: object) => ask(`${of(id)}/${action}`, body),
  };
}

export type Client = ReturnType<typeof createClient>;

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : error.message;
}

const DEFAULT_PORT = 9103;

/** The options of commands that talk to the streamer. */
export const STREAMER = {
  url: { type: 'string' },
  config: { type: 'string' },
  'token-file': { type: 'string' },
} as const;

export const STREAMER_HELP = `--url URL          address of the streamer (default: from the configuration, else http://127.0.0.1:${DEFAULT_PORT})
  --config FILE      the configuration (default ${IN_CONTAINER}, if it exists)
  --token-file FILE  the internal token of the streamer (default: from the configuration)`;

interface Where {
  readonly url?: string | undefined;
  readonly config?: string | undefined;
  readonly 'token-file'?: string | undefined;
}

/** The streamer of the options, otherwise of the configuration, otherwise of this machine. Throws UsageError. */
export async function streamerApi(where: Where): Promise<Api> {
  const { url, config } = where;
  if (url !== undefined) requireHttp('url', url, DEFAULT_PORT);
  const loaded = await loadConfig(config ?? IN_CONTAINER);
  if (!loaded.ok && config !== undefined) throw cannotUse(config);
  const own = loaded.ok ? addressOfService(loaded.config, 'streamer') : `http://127.0.0.1:${DEFAULT_PORT}`;
  const at = url ?? own;
  const asked = where['token-file'];
  const zone = loaded.ok ? { timezone: loaded.config.facility.timezone } : {};
  if (asked === undefined && !isOurs(at, own))
    return { ...(await apiAt(at, undefined)), ...zone, trouble: elsewhere(at) };
  return { ...(await apiAt(at, asked ?? (loaded.ok ? tokenFileOf(loaded.config) : undefined))), ...zone };
}

/** The token allows everything, so it goes only to this machine and to the configured address. */
function isOurs(url: string, own: string): boolean {
  const { hostname, origin } = new URL(url);
  return origin === new URL(own).origin || LOOPBACK.test(hostname);
}

const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

const elsewhere = (url: string): string =>
  `${url} is another machine, so the configuration's token was not sent there. --token-file FILE sends one`;

type Action = (args: readonly string[], io: Io) => Promise<ExitCode>;

/** A command that runs the action that its first argument names. */
export const actionsOf =
  (command: string, actions: Readonly<Record<string, Action>>): Action =>
  ([name = '', ...args], io) => {
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined)
      throw new UsageError(
        `${command} takes one of ${Object.keys(actions).join(', ')}: scanflow ${command} list`,
      );
    return asking(io, () => action(args, io));
  };

/** Runs work with the streamer. Reports what the streamer refused, and makes it the exit code. */
export async function asking(io: Io, work: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof NotAsked || error instanceof Refused)) throw error;
    io.err.write(`scanflow: ${error.message}\n`);
    return error instanceof NotAsked ? EXIT.notStarted : EXIT.failed;
  }
}

/** The user of this command, for the streamer's log. */
export function user(): string {
  try {
    return userInfo().username;
  } catch {
    // the user of a container may have no name
    return 'unknown';
  }
}
