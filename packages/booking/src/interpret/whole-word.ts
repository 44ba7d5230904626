/** Words in any alphabet: `\b` knows the Latin one only. */

/** Matches the alternatives where they are words of their own, and not the end of another: `noise-cancelled`. */
export const word = (alternatives: string): RegExp => new RegExp(wordSource(alternatives), 'iu');

export const wordSource = (alternatives: string): string =>
  `(?<![\\p{L}\\p{N}]|\\p{L}[-_])(?:${alternatives})(?![\\p{L}\\p{N}])`;
