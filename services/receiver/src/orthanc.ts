/** Orthanc as the receiver needs it: every request resolves with an answer or a reason, and /healthz shows whether it takes images. */
import { codeOf, messageOf } from '@scanflow/failure';
import { collected, orthancClient, type OrthancAccess, type Upload } from '@scanflow/orthanc';
import type { Fault, Log } from '@scanflow/runtime';
import type { Given } from './domain/orthanc.ts';

export interface Orthanc {
  /** That answered last. */
  readonly address: () => string;
  /** Of several addresses, prefers one that answers. */
  readonly survey: () => Promise<unknown>;
  readonly ask: (method: 'GET' | 'POST' | 'PUT', path: string, upload?: Upload) => Promise<Given>;
  /** A body, piece by piece; undefined if there is none. Throws if the connection breaks. */
  readonly stream: (path: string) => Promise<AsyncIterable<Uint8Array> | undefined>;
  readonly close: () => void;
}

/** Leaves some of Orthanc's threads to the streamer. */
const CONNECTIONS = 12;
const SILENT_MS = 60_000;
const MOST_BYTES = 1024 * 1024;
const NOTHING: Upload = { bytes: 0, content: () => [] };

export function orthancAt(access: OrthancAccess): Orthanc {
  const client = orthancClient({ idleMs: SILENT_MS, ...access, connections: CONNECTIONS });
  const { exchange, close } = client;
  return {
    address: () => client.url,
    survey: () => client.survey(AbortSignal.timeout(SILENT_MS)).catch(() => undefined),
    ask: async (method, path, body = NOTHING) => {
      const given = await exchange(path, method === 'GET' ? {} : { method, body });
      if (!given.answered) return { answered: false, why: reason(given.error) };
      const { response, sent } = given;
      try {
        const answer = await collected(response, { url: client.url, most: MOST_BYTES });
        await sent;
        return { answered: true, status: response.statusCode ?? 0, body: answer };
      } catch (error) {
        response.destroy();
        return { answered: false, why: reason(error) };
      }
    },
    stream: async (path) => {
      const given = await exchange(path);
      if (!given.answered) throw given.error;
      if (given.response.statusCode === 200) return given.response as AsyncIterable<Uint8Array>;
      given.response.resume();
      return undefined;
    },
    close,
  };
}

const reason = (error: unknown): string => codeOf(error) ?? messageOf(error);

const EVERY_MS = 10_000;

export interface OrthancWatch {
  /** Resolves when Orthanc was asked for the first time. */
  readonly first: Promise<void>;
  /** Why Orthanc takes no images; undefined if it does, or if that is not known yet. */
  readonly trouble: () => Fault | undefined;
  /** Undefined: it was not asked yet. */
  readonly answers: () => boolean | undefined;
  /** Whether it may replace an instance that is sent again. Then the receiver has to ask first what it has. */
  readonly mayOverwrite: () => boolean;
  readonly close: () => void;
}

/** Asks Orthanc for /system again and again, and logs when that changes. */
export function watchOrthanc(orthanc: Orthanc, log: Log): OrthancWatch {
  let trouble: Fault | undefined;
  let asked = false;
  let mayOverwrite = true;
  const look = async (): Promise<void> => {
    await orthanc.survey();
    const answer = await orthanc.ask('GET', '/system');
    const now = troubleIn(answer);
    if (now?.message !== trouble?.message)
      if (now === undefined) log.info('orthanc.answers');
      else log.warn('orthanc.away', { code: now.code, reason: now.message });
    const since = trouble?.since ?? Temporal.Now.instant().toString({ smallestUnit: 'second' });
    trouble = now && { state: 'failing', since, ...now };
    asked = true;
    if (answer.answered && answer.status === 200) mayOverwrite = overwrites(answer.body);
  };
  const first = look();
  let looking = first;
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, EVERY_MS);
  timer.unref();
  return {
    first,
    trouble: () => trouble,
    answers: () => (asked ? trouble === undefined : undefined),
    mayOverwrite: () => mayOverwrite,
    close: () => clearInterval(timer),
  };
}

function troubleIn(answer: Given): { readonly code: string; readonly message: string } | undefined {
  if (!answer.answered)
    return {
      code: 'ORTHANC_UNREACHABLE',
      message: `Orthanc does not answer: ${answer.why}; check that it runs, and orthanc.url`,
    };
  const { status } = answer;
  if (status === 200) return undefined;
  if (status === 401 || status === 403)
    return {
      code: 'ORTHANC_DENIED',
      message: `Orthanc answers ${status}; correct orthanc.username and orthanc.passwordFile`,
    };
  return { code: 'ORTHANC_ERROR', message: `Orthanc answers ${status}; look into its log` };
}

/** Orthanc 1.10 does not say; 1.13 uses words. */
function overwrites(system: Buffer): boolean {
  try {
    const { OverwriteInstances } = JSON.parse(system.toString('utf8')) as Record<string, unknown>;
    return OverwriteInstances !== false && OverwriteInstances !== 'Never';
  } catch {
    return true;
  }
}
