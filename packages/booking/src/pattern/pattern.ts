/**
 * Patterns of the configuration: ECMAScript syntax with the `u` flag, run by an engine without backtracking. What that
 * engine cannot express runs in V8's engine under a time limit, for one more minor version (decision 18).
 */
import { RE2JS } from 're2js';
import { backtracking, type Match } from './backtracking.ts';
import { suggestion } from './suggest.ts';
import { Untranslatable, translate } from './translate.ts';

export type { Match };

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
 * ```
 */
export function compilePattern(source: string): Pattern {
  const native = new RegExp(source, 'du');
  try {
    return linear(source, RE2JS.compile(translate(source)));
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
