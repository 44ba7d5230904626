/** `POST /api/try/SECTION`: a service tries out what it works with, as `scanflow doctor` does. For the page Health of the board. */
import type { FastifyInstance } from '@scanflow/runtime';
import { failed, runChecks, type Check, type Result } from './check.ts';

/** What a service tries, by the section of the page Health. */
export type Trials = Readonly<Record<string, readonly Check[]>>;

export interface Tried {
  /** When it was tried, in UTC. */
  readonly at: string;
  readonly results: readonly Result[];
}

/** Longest time of one check, in milliseconds. */
export const TRIAL_MS = 6_000;
/** Whoever asks within this time after an answer gets the same one. */
const FRESH_MS = 2_000;

interface Asked {
  readonly answer: Promise<Tried>;
  /** In the time of `performance.now()`; undefined while it runs. */
  ended?: number;
}

/**
 * Adds the route. One section is tried at a time, and the next waits for it. Who asks for the same section meanwhile gets the
 * same answer. Nothing is left behind.
 */
export function addTrials(app: FastifyInstance, trials: Trials, timeoutMs = TRIAL_MS): void {
  const checks = new Map(Object.entries(trials).map(([section, all]) => [section, all.map(patient)]));
  const asked = new Map<string, Asked>();
  const closing = new AbortController();
  app.addHook('preClose', () => closing.abort());
  let turn: Promise<unknown> = Promise.resolve();
  const ask = (section: string, all: readonly Check[]): Promise<Tried> => {
    const known = asked.get(section);
    if (known !== undefined && (known.ended === undefined || performance.now() - known.ended < FRESH_MS))
      return known.answer;
    const options = { timeoutMs, signal: closing.signal };
    const answer = turn.then(async () => ({ at: now(), results: await runChecks(all, options) }));
    const entry: Asked = { answer };
    asked.set(section, entry);
    turn = answer.then(
      () => (entry.ended = performance.now()),
      () => asked.delete(section),
    );
    return answer;
  };
  app.post<{ Params: { section: string } }>('/api/try/:section', ({ params: { section } }, reply) => {
    const all = checks.get(section);
    if (all !== undefined) return ask(section, all);
    const known = [...checks.keys()].join(', ');
    return reply.code(404).send({ error: `there is nothing called ${section} to try here, but ${known}` });
  });
}

const now = (): string => Temporal.Now.instant().toString({ smallestUnit: 'second' });

/** A check that hangs, such as one on a network drive, holds a thread: it runs again only after that. */
function patient({ name, run }: Check): Check {
  let since: string | undefined;
  return {
    name,
    run: async (signal) => {
      if (since !== undefined)
        return failed(
          `the check that began at ${since} still has no answer`,
          'Something hangs there: a network drive, or a machine under load. Look at it by hand.',
        );
      since = now();
      try {
        return await run(signal);
      } finally {
        since = undefined;
      }
    },
  };
}
