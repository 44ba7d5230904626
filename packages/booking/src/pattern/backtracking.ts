/** V8's own engine under a time limit: V8 ends a script at its limit, also inside a regular expression. */
import { createContext, Script, type Context } from 'node:vm';

/** What a pattern found: the text, where it begins, the named groups, and where those begin and end. */
export interface Match {
  readonly 0: string;
  readonly index: number;
  readonly groups?: Readonly<Record<string, string | undefined>> | undefined;
  readonly indices?:
    | { readonly groups?: Readonly<Record<string, readonly [number, number] | undefined>> | undefined }
    | undefined;
}

/** Bookings and images that a pattern takes too long for are refused with this. */
export class PatternTooSlow extends Error {
  override readonly name = 'PatternTooSlow';
  readonly source: string;

  constructor(source: string) {
    super('the pattern takes too long on this text');
    this.source = source;
  }
}

/** A good pattern needs microseconds. */
const LIMIT_MS = 250;
/** Once so much time is lost within a minute, a text gets less of it: a hostile calendar costs others nothing then. */
const LOST_MS = 1000;
const SHORT_MS = 20;
const MINUTE_MS = 60_000;
/** Slow texts that are remembered, so that the next pass does not try them again. */
const MOST_REMEMBERED = 1000;

/** Tries of one text, where the time went to other programs: a limit counts by the clock, also while we wait for it. */
const MOST_TRIES = 4;

const ONCE = new Script('pattern.exec(text)');

/** The search as a function that throws PatternTooSlow at its limit. */
export function backtracking(pattern: RegExp): (text: string) => Match | null {
  const context = createContext({ pattern });
  const slow = new Set<string>();
  let lost = { since: 0, ms: 0 };
  return (text) => {
    if (slow.has(text)) throw new PatternTooSlow(pattern.source);
    const now = performance.now();
    if (now - lost.since > MINUTE_MS) lost = { since: now, ms: 0 };
    const limit = lost.ms < LOST_MS ? LIMIT_MS : SHORT_MS;
    for (let turn = 0; turn < MOST_TRIES; turn += 1) {
      const tried = search(context, text, limit);
      if (tried.ended) return tried.match;
      lost.ms += tried.cpuMs;
      if (tried.cpuMs > limit / 2) break;
    }
    if (slow.size >= MOST_REMEMBERED) slow.clear();
    slow.add(text);
    throw new PatternTooSlow(pattern.source);
  };
}

type Tried =
  { readonly ended: true; readonly match: Match | null } | { readonly ended: false; readonly cpuMs: number };

function search(context: Context, text: string, limit: number): Tried {
  const before = process.threadCpuUsage();
  context['text'] = text;
  try {
    return { ended: true, match: ONCE.runInContext(context, { timeout: limit }) as RegExpExecArray | null };
  } catch (error) {
    if (!isTimeout(error)) throw error;
    const { user, system } = process.threadCpuUsage(before);
    return { ended: false, cpuMs: (user + system) / 1000 };
  }
}

/** The error is one of the context, and no instance of our Error. */
const isTimeout = (error: unknown): boolean =>
  typeof error === 'object' &&
  error !== null &&
  'code' in error &&
  error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
