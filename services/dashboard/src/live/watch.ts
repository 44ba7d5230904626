/**
 * Tells browsers that something changed. While somebody watches, it follows the event streams of the other services; those that
 * have none, being older, are compared every two seconds.
 */
import type { Stream } from '../sources/stream.ts';

export interface Watch {
  /** Calls back after each change until the returned function is called. */
  readonly follow: (changed: () => void) => () => void;
  /** Grows with each change; undefined while a change might go unheard. */
  readonly revision: () => number | undefined;
  readonly close: () => void;
}

export interface WatchOptions {
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
