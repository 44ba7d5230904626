/** The streamer's HTTP interface, as the command needs it. */
import { notAdmitted, type Api } from '../api.ts';

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
  /** Outside the hours of its destination. */
  readonly waits?: { readonly until: string; readonly message: string };
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

/** The streamer could not be asked, or does not know what it was asked for: nothing was done. */
export class NotAsked extends Error {
  override name = 'NotAsked';
}
/** Nobody answered: asked again later, somebody may. */
export class Unreachable extends NotAsked {
  override name = 'Unreachable';
}
/** It was asked and refused, or failed. */
export class Refused extends Error {
  override name = 'Refused';
}

export interface Client {
  readonly list: (query: { state?: string | undefined; limit: number }) => Promise<readonly SeriesRow[]>;
  readonly one: (id: string) => Promise<SeriesRow>;
  /** Any other page of the streamer's; with a body, a change. */
  readonly ask: (path: string, body?: object) => Promise<Readonly<Record<string, unknown>>>;
  /** A change: `release`, `move`, `retry` or `skip`. */
  readonly change: (id: string, action: string, body: object) => Promise<Record<string, unknown>>;
  /** What would be erased, or is to be: `/api/erase/preview`, `/api/erase`. */
  readonly erase: (what: 'preview' | 'begin', body: object) => Promise<Record<string, unknown>>;
  readonly erasure: (id: string) => Promise<Record<string, unknown>>;
}

const TIMEOUT_MS = 30_000;
/** All of project storage is looked at. */
const LONG_MS = 600_000;

/** Asks a page of the streamer's; with a body, it is a change. */
export type Ask = (path: string, body?: object, limitMs?: number) => Promise<Record<string, unknown>>;

/** Throws NotAsked and Refused, with what to do. */
export function createAsk(api: Api, stop: AbortSignal): Ask {
  const { url } = api;
  return async (path: string, body?: object, limitMs = TIMEOUT_MS): Promise<Record<string, unknown>> => {
    let response: Response;
    let answer: unknown;
    try {
      response = await fetch(`${url}${path}`, {
        signal: AbortSignal.any([stop, AbortSignal.timeout(limitMs)]),
        headers: api.headers,
        ...(body === undefined
          ? {}
          : {
              method: 'POST',
              headers: { ...api.headers, 'content-type': 'application/json' },
              body: JSON.stringify(body),
            }),
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

export function createClient(api: Api, stop: AbortSignal): Client {
  const ask = createAsk(api, stop);
  const of = (id: string): string => `/api/series/${encodeURIComponent(id)}`;
  return {
    list: async ({ state, limit }) => {
      const query = new URLSearchParams({ limit: String(limit), ...(state === undefined ? {} : { state }) });
      const { series } = await ask(`/api/series?${query.toString()}`);
      if (!Array.isArray(series)) throw new NotAsked(`what answers at ${api.url} is no streamer`);
      return series as SeriesRow[];
    },
    ask,
    one: async (id) => (await ask(of(id)))['series'] as SeriesRow,
    change: (id, action, body) => ask(`${of(id)}/${action}`, body),
    erase: (what, body) => ask(what === 'preview' ? '/api/erase/preview' : '/api/erase', body, LONG_MS),
    erasure: (id) => ask(`/api/erase/${encodeURIComponent(id)}`),
  };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : error.message;
}
