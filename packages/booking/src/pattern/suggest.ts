/** What to write instead of a pattern that the linear engine does not take. */

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
export function suggestion(source: string, reason: string, isLinear: (source: string) => boolean): string {
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
