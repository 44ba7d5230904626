/**
 * Tells browsers that something changed. While somebody watches, it follows the event streams of the other services; those that
 * have none, being older, are compared every two seconds.
 */
import { sleep } from '@scanflow/runtime';
import { bytesOf } from './service.ts';

export interface Watch {
  /** Calls back after each change until the returned function is called. */
  readonly follow: (changed: () => void) => () => void;
  /** Grows with each change; undefined while a change might go unheard. */
  readonly revision: () => number | undefined;
  readonly close: () => void;
}

interface WatchOptions {
  readonly streams: readonly Stream[];
  /** A text that differs whenever something that pages show differs. Never rejects. */
  readonly digest: () => Promise<string>;
  /** Milliseconds between two looks, and the shortest time between two calls. */
  readonly everyMs: number;
  /** Milliseconds for which the streams stay open after the last one left: whoever changes pages comes back at once. */
  readonly lingerMs?: number;
}

const LINGER_MS = 10_000;

/** All who follow share the streams. */
export function createWatch(options: WatchOptions): Watch {
  const followers = new Set<() => void>();
  const bell = createBell(options.everyMs, () => {
    for (const changed of followers) changed();
  });
  let open: Listening | undefined;
  let lingering: NodeJS.Timeout | undefined;
  const shut = (): void => {
    open?.close();
    open = undefined;
  };
  return {
    follow: (changed) => {
      followers.add(changed);
      clearTimeout(lingering);
      open ??= listen(options, bell.ring);
      return () => {
        followers.delete(changed);
        if (followers.size > 0) return;
        clearTimeout(lingering);
        lingering = setTimeout(shut, options.lingerMs ?? LINGER_MS).unref();
      };
    },
    revision: () => (open?.hearsAll() === true ? bell.rung() : undefined),
    close: () => {
      followers.clear();
      clearTimeout(lingering);
      shut();
      bell.close();
    },
  };
}

/** Calls at once after a silence, and otherwise once in `everyMs`, however often it rings. */
function createBell(everyMs: number, call: () => void) {
  let rung = 0;
  let timer: NodeJS.Timeout | undefined;
  let due = false;
  const sound = (): void => {
    due = false;
    call();
    timer = setTimeout(() => {
      timer = undefined;
      if (due) sound();
    }, everyMs).unref();
  };
  const ring = (): void => {
    rung += 1;
    due = true;
    if (timer === undefined) sound();
  };
  return { ring, rung: () => rung, close: () => clearTimeout(timer) };
}

interface Listening {
  /** Whether each stream runs. */
  readonly hearsAll: () => boolean;
  readonly close: () => void;
}

function listen({ streams, digest, everyMs }: WatchOptions, ring: () => void): Listening {
  const ending = new AbortController();
  const { signal } = ending;
  const states = new Map<Stream, 'begun' | 'lost' | 'missing'>();
  let last: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  const compare = async (): Promise<void> => {
    const now = await digest();
    if (signal.aborted) return;
    if (last !== undefined && now !== last) ring();
    last = now;
    timer = [...states.values()].includes('missing')
      ? setTimeout(() => void compare(), everyMs).unref()
      : undefined;
  };
  for (const stream of streams)
    void stream((what) => {
      const before = states.get(stream);
      if (what !== 'changed') states.set(stream, what);
      if (what === 'missing') timer ??= setTimeout(() => void compare(), 0);
      // a service that stays away is no news
      else if (what !== 'lost' || before === 'begun') ring();
    }, signal);
  return {
    hearsAll: () => streams.every((stream) => states.get(stream) === 'begun'),
    close: () => {
      ending.abort();
      clearTimeout(timer);
    },
  };
}

// Follows `/api/events` of one service: reads what it says until the stream breaks, then begins anew.

/** What happens to a stream. After `begun` nothing that was read before is known to be true still. */
export type Heard = 'begun' | 'changed' | 'lost' | 'missing';

/** Follows until the signal aborts; never rejects. `missing`: the service has no such page, being older; it is looked for again. */
export type Stream = (heard: (what: Heard) => void, signal: AbortSignal) => Promise<void>;

export interface StreamOptions {
  /** Without a slash at the end. */
  readonly url: string;
  /** Reads the internal token anew at each connection. */
  readonly headers: () => Promise<Readonly<Record<string, string>>>;
  /** A stream that says nothing for so long is dead, in milliseconds. Services say something every 4 s. */
  readonly silenceMs?: number;
  /** The first wait before a connection anew; it doubles up to `mostMs`. */
  readonly leastMs?: number;
  readonly mostMs?: number;
}

const SILENCE_MS = 12_000;
const LEAST_MS = 500;
const MOST_MS = 5_000;
/** An event has some 60 bytes. */
const MOST_LINE = 4_096;

export function streamAt(options: StreamOptions): Stream {
  const { leastMs = LEAST_MS, mostMs = MOST_MS } = options;
  return async (heard, signal) => {
    for (let wait = leastMs; !signal.aborted; wait = Math.min(wait * 2, mostMs)) {
      const began = await followOnce(options, heard, signal);
      if (began) wait = leastMs;
      // many boards do not come back at the same moment
      await sleep(wait * (0.75 + Math.random() / 2), signal);
    }
  };
}

/** One connection; whether it began. */
async function followOnce(
  { url, headers, silenceMs = SILENCE_MS }: StreamOptions,
  heard: (what: Heard) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const ending = new AbortController();
  const watchdog = setTimeout(() => ending.abort(), silenceMs);
  let began = false;
  try {
    const either = AbortSignal.any([signal, ending.signal]);
    const response = await fetch(`${url}/api/events`, {
      headers: await headers(),
      signal: either,
      redirect: 'error',
    });
    if (response.status === 404) {
      await response.body?.cancel();
      heard('missing');
      return false;
    }
    if (response.status !== 200 || response.body === null) throw new Error(`it answered ${response.status}`);
    let rest = '';
    for await (const chunk of bytesOf(response)) {
      watchdog.refresh();
      const lines = (rest + Buffer.from(chunk).toString('latin1')).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MOST_LINE) throw new Error('no stream of events');
      for (const line of lines)
        if (line === 'event: begin') {
          began = true;
          heard('begun');
        } else if (line === 'event: change') heard('changed');
    }
  } catch {
    // told below; the next connection follows
  } finally {
    clearTimeout(watchdog);
  }
  if (!signal.aborted) heard('lost');
  return began;
}
