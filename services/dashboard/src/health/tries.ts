/** What services try out when somebody presses "Check now", and what came of it last. */
import { FailureError } from '@scanflow/failure';
import { triedAnswer } from '../sources/answers.ts';
import type { Answered, Services } from '../sources/service.ts';
import { t } from '../texts/pages.ts';
import type { Check } from './checks.ts';

/** The sections in which something is tried, and the service that tries it. */
const OWNERS = {
  calendars: 'cal2wl',
  worklist: 'worklist',
  orthanc: 'streamer',
  storage: 'streamer',
  destinations: 'streamer',
} as const satisfies Readonly<Record<string, keyof Services>>;
export type TriedSection = keyof typeof OWNERS;

export const TRIED = Object.keys(OWNERS) as readonly TriedSection[];
export const isTried = (section: string): section is TriedSection => Object.hasOwn(OWNERS, section);

export interface Tried {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly checks: readonly Check[];
}

/** A service tries one section after the other, and each check ends after seconds. */
const PATIENCE_MS = 60_000;
/** An older result says nothing of now. */
const SHOWN_MS = 900_000;

export function createTries({ services, now }: { readonly services: Services; readonly now: () => number }) {
  const last = new Map<TriedSection, Tried>();
  return {
    /** Has it tried. Returns how that went, in a word for the audit log. Never rejects. */
    run: async (section: TriedSection): Promise<string> => {
      const tried = await ask(services, section, now);
      last.set(section, tried);
      return worst(tried.checks);
    },
    last: (section: string): Tried | undefined => {
      const tried = isTried(section) ? last.get(section) : undefined;
      return tried !== undefined && now() - tried.at < SHOWN_MS ? tried : undefined;
    },
  };
}

export type Tries = ReturnType<typeof createTries>;

async function ask(services: Services, section: TriedSection, now: () => number): Promise<Tried> {
  const owner = OWNERS[section];
  const unknown = (text: string): Tried => ({ at: now(), checks: [{ name: owner, state: 'unknown', text }] });
  let answer: Answered;
  try {
    answer = await services[owner].post(`/api/try/${section}`, {}, PATIENCE_MS);
  } catch (error) {
    if (error instanceof FailureError) return unknown(t.health.silent);
    throw error;
  }
  // a service of a version before has no such page
  if (answer.status !== 200) return unknown(t.health.triesNothing);
  const parsed = triedAnswer.safeParse(answer.body);
  if (!parsed.success) return unknown(t.health.triesNothing);
  const { at, results } = parsed.data;
  const checks = results.map(({ check, state, message, code, todo }): Check => {
    const text = code === undefined ? message : `${message} (${code})`;
    return { name: check, state: STATES[state], text, todo };
  });
  return { at, checks };
}

const STATES = { ok: 'good', warning: 'warn', failed: 'bad', skipped: 'unknown' } as const;

const worst = (checks: readonly Check[]): string =>
  (['bad', 'warn', 'unknown'] as const).find((state) => checks.some((one) => one.state === state)) ?? 'good';
