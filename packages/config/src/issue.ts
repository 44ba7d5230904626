/** A mistake in the configuration, where it is, and what may have been meant. Pure. */
export interface ConfigIssue {
  readonly file: string;
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
  /** Dotted, `scanners.prisma.aet`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

/** `file:line:column: path: message`, which editors and terminals turn into links. */
export const formatIssue = ({ file, line, column, path, message }: ConfigIssue): string =>
  `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`;

export interface ConfigWarning {
  /** Dotted, `bookings.patterns.0`. */
  readonly path: string;
  /** What is so, and what to write. */
  readonly message: string;
}

/** The keys that lead to a value, and numbers in lists. */
export type Path = readonly (string | number)[];

/** A mistake before its line is known. `atKey`: the key itself is the mistake, not its value. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
  readonly atKey?: boolean;
}

/** `; did you mean port?`: the closest of `known` within two edits (one for short words). Empty where none is. */
export function didYouMean(
  word: string,
  known: readonly string[],
  shown = (candidate: string): string => candidate,
): string {
  const allowed = word.length <= 4 ? 1 : 2;
  const [closest] = known
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ distance }) => distance <= allowed)
    .toSorted((a, b) => a.distance - b.distance);
  return closest === undefined ? '' : `; did you mean ${shown(closest.candidate)}?`;
}

/** A rule for two keys of which neither makes sense alone, such as `username` and `passwordFile`. */
export const pairRule = (
  path: Path,
  first: string,
  second: string,
  section: object | undefined,
): Finding[] => {
  const given = section as Readonly<Record<string, unknown>> | undefined;
  const [one, other] = [given?.[first] !== undefined, given?.[second] !== undefined];
  if (one === other) return [];
  return [{ path, message: one ? `${first} needs a ${second}` : `${second} needs a ${first}` }];
};

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of Array.from(a).entries()) {
    const next = [i + 1];
    for (const [j, other] of Array.from(b).entries()) {
      const change = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
