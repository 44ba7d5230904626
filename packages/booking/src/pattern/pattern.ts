/**
 * Patterns of the configuration: ECMAScript syntax with the `u` flag, run by an engine without backtracking. What that
 * engine cannot express runs in V8's engine under a time limit, for one more minor version (decision 18).
 */
import { RE2JS } from 're2js';
import { createContext, Script, type Context } from 'node:vm';
import { Untranslatable, translate } from './translate.ts';

/** Anything that finds like a regular expression without `g` and `y`; a RegExp is one. */
export interface Matcher {
  readonly source: string;
  /** Throws PatternTooSlow where a time limit ends it. */
  exec(text: string): Match | null;
}

/** A pattern of the configuration, compiled. */
export interface Pattern extends Matcher {
  /** `linear`: time grows with the text only. `backtracking`: V8's engine under a time limit. */
  readonly engine: 'linear' | 'backtracking';
  /** Names of its groups. */
  readonly names: readonly string[];
  /** Why it is not linear, and what to write instead; undefined where it is. */
  readonly advice?: string | undefined;
}

/**
 * Throws a SyntaxError where the text is no ECMAScript pattern.
 *
 * @example
 * ```ts
 * import { compilePattern } from '@scanflow/booking';
 *
 * const pattern = compilePattern('^(?<subject>sub-\\d+)');
 * pattern.exec('sub-001 ses-mri01')?.groups?.['subject']; // → 'sub-001'
 * compilePattern('(?<=sub-)x').engine; // → 'backtracking'
 * compilePattern('t1w', { ignoreCase: true }).exec('T1W')?.[0]; // → 'T1W'
 * ```
 */
export function compilePattern(source: string, { ignoreCase = false } = {}): Pattern {
  const native = new RegExp(source, ignoreCase ? 'diu' : 'du');
  try {
    return linear(source, RE2JS.compile(translate(source), ignoreCase ? RE2JS.CASE_INSENSITIVE : 0));
  } catch (error) {
    const reason = error instanceof Untranslatable ? error.message : 'it is too large for the linear engine';
    return {
      source,
      engine: 'backtracking',
      names: namesOf(native),
      advice: suggestion(source, reason, isLinear),
      exec: backtracking(native),
    };
  }
}

function linear(source: string, compiled: RE2JS): Pattern {
  const names = Object.keys(compiled.namedGroups());
  return {
    source,
    engine: 'linear',
    names,
    exec(text) {
      // half of a surrogate pair is no character, and the engine takes code points
      const matcher = compiled.matcher(text.toWellFormed());
      if (!matcher.find()) return null;
      const groups = Object.fromEntries(names.map((name) => [name, matcher.group(name) ?? undefined]));
      const places = Object.fromEntries(
        names
          .filter((name) => groups[name] !== undefined)
          .map((name) => [name, [matcher.start(name), matcher.end(name)] as const]),
      );
      return { 0: matcher.group() ?? '', index: matcher.start(), groups, indices: { groups: places } };
    },
  };
}

/** With an empty alternative it matches anything, and a match names all groups. */
const namesOf = ({ source }: RegExp): string[] =>
  Object.keys(new RegExp(`(?:${source})|`, 'u').exec('')?.groups ?? {});

function isLinear(source: string): boolean {
  try {
    RE2JS.compile(translate(source));
    return true;
  } catch {
    return false;
  }
}

// from here on: what to write instead of a pattern that the linear engine does not take

/** Only named groups count, so what stands at an end may take the character that was only looked at. */
const ENDS: readonly (readonly [RegExp, (inside: string) => string])[] = [
  [/^\(\?<=(?<inside>[^()]*)\)/u, (inside) => `(?:${inside})`],
  [/^\(\?<!(?<inside>\[\^?[^\]]*\]|\\[dswDSW]|[^()\\[\]])\)/u, (inside) => `(?:^|${other(inside)})`],
];
const LAST: readonly (readonly [RegExp, (inside: string) => string])[] = [
  [/\(\?=(?<inside>[^()]*)\)$/u, (inside) => `(?:${inside})`],
  [/\(\?!(?<inside>\[\^?[^\]]*\]|\\[dswDSW]|[^()\\[\]])\)$/u, (inside) => `(?:$|${other(inside)})`],
];

/** A sentence with the reason, and the pattern rewritten where that can be done by rule. */
function suggestion(source: string, reason: string, isLinear: (source: string) => boolean): string {
  const rewritten = [...ENDS, ...LAST].reduce(
    (text, [form, write]) => text.replace(form, (...found) => write(insideOf(found))),
    source,
  );
  const why = `the pattern ${reason}, so it runs with a time limit, until 0.3.0`;
  if (rewritten !== source && isLinear(rewritten)) return `${why}; write ${rewritten}`;
  return `${why}; write it without, and read docs/decisions/0018-patterns.md for ways`;
}

const insideOf = (found: readonly unknown[]): string =>
  String((found.at(-1) as Readonly<Record<string, unknown>>)['inside']);

/** The class of all other characters. */
function other(one: string): string {
  if (/^\\[dswDSW]$/u.test(one)) return one === one.toLowerCase() ? one.toUpperCase() : one.toLowerCase();
  if (one.startsWith('[^')) return `[${one.slice(2)}`;
  return one.startsWith('[') ? `[^${one.slice(1)}` : `[^${one}]`;
}

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
