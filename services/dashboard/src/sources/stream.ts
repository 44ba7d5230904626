/** Follows `/api/events` of one service: reads what it says until the stream breaks, then begins anew. */
import { sleep } from '@scanflow/runtime';
import { bytesOf } from './service.ts';

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
