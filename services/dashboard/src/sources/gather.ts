/** Asks the other services for what a day needs. A service that does not answer leaves its part away, not the page broken. */
import { FailureError, messageOf } from '@scanflow/failure';
import type { z } from 'zod';
import type { DayFacts } from '../day/board.ts';
import type { Away } from '../journey/facts.ts';
import { bookingsAnswer, hooksAnswer, performedAnswer, sessionsAnswer, worklistAnswer } from './answers.ts';
import { spanOf } from '../day/span.ts';
import { bookingsOf, examsOf, itemsOf, sessionsOf } from './read.ts';

/** GET of one service's page as JSON. Throws a FailureError where the service does not answer, or answers something else. */
export type Ask = (path: string) => Promise<unknown>;

export interface Services {
  readonly cal2wl: Ask;
  readonly worklist: Ask;
  readonly streamer: Ask;
}

const TIMEOUT_MS = 5_000;
const MOST_BYTES = 32 * 1024 * 1024;

/** `headers`: reads the internal token anew at each request, so that a new one counts at once. */
export const asking =
  (url: string, headers: () => Promise<Readonly<Record<string, string>>>): Ask =>
  async (path) => {
    try {
      const response = await fetch(`${url}${path}`, {
        headers: await headers(),
        signal: AbortSignal.timeout(TIMEOUT_MS),
        redirect: 'error',
      });
      if (!response.ok) {
        await response.body?.cancel();
        throw new Error(`it answered ${response.status}`);
      }
      return JSON.parse(await bounded(response)) as unknown;
    } catch (error) {
      throw new FailureError(
        { kind: 'transient', code: 'SERVICE_AWAY', message: `${url} does not answer (${messageOf(error)})` },
        error,
      );
    }
  };

async function bounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > MOST_BYTES) throw new Error('the answer is larger than 32 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

export interface Gatherer {
  /** What all services know of a day. Never rejects. */
  readonly day: (day: Temporal.PlainDate) => Promise<DayFacts>;
}

export interface GatherOptions {
  readonly services: Services;
  readonly timezone: string;
  readonly scanners: readonly string[];
  readonly now: () => number;
  /** A part that could not be read, for the log. */
  readonly onAway: (part: string, error: unknown) => void;
}

export function createGatherer({ services, timezone, scanners, now, onAway }: GatherOptions): Gatherer {
  const since = new Map<string, number>();
  const part = async <T>(name: string, read: () => Promise<T>): Promise<T | Away> => {
    try {
      const value = await read();
      since.delete(name);
      return value;
    } catch (error) {
      if (!since.has(name)) onAway(name, error);
      const first = since.get(name) ?? now();
      since.set(name, first);
      return { since: first };
    }
  };
  const asked = async <T>(ask: Ask, path: string, schema: z.ZodType<T>): Promise<T> =>
    schema.parse(await ask(path));
  return {
    day: async (day) => {
      const span = spanOf(day, timezone);
      const { cal2wl, worklist, streamer } = services;
      const [bookings, items, exams, sessions] = await Promise.all([
        part('bookings', async () => bookingsOf(await asked(cal2wl, '/api/bookings', bookingsAnswer), span)),
        part('items', async () => itemsOf(await asked(worklist, '/api/worklist', worklistAnswer))),
        part('exams', async () => examsOf(await asked(worklist, '/api/performed', performedAnswer), span)),
        part('sessions', async () => {
          const [list, hooks] = await Promise.all([
            asked(streamer, '/api/sessions?limit=10000', sessionsAnswer),
            asked(streamer, '/api/hooks?limit=10000', hooksAnswer),
          ]);
          return sessionsOf(list, hooks);
        }),
      ]);
      return { day, timezone, scanners, bookings, items, exams, sessions };
    },
  };
}
