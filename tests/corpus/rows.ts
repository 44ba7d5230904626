/** What became of each file, check by check. */

/** Each is one promise of the product. */
export const CHECKS = {
  found: 'The file was found, opened and recognised',
  taken: 'Orthanc takes the image',
  stored: 'The stored image is the original with the tag, byte for byte',
  record: 'series.json says what dcmdump says',
  nifti: 'dcm2niix makes the same files of the originals and of the stored images',
  read: 'The calendar is read without an exception',
  agrees: 'ical.js finds the same events at the same times',
  understood: 'Each event becomes a booking, or a rejection with a reason',
} as const;
export type Check = keyof typeof CHECKS;

/**
 * `held`: the promise held. `broke`: it did not. `refused`: no, with a reason. `differs`: a person decides who is right.
 * `untried`: nothing could be said. `left out`: neither an image nor a calendar, or one that was tried already.
 */
export const OUTCOMES = ['held', 'broke', 'differs', 'refused', 'untried', 'left out'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface Row {
  /** Path as a person finds it: below the folder; `rest.zip:inner.dcm` of an archive. */
  readonly file: string;
  readonly check: Check;
  readonly outcome: Outcome;
  /** Code of the reason; empty where it held. */
  readonly code: string;
  /** For a person. No value of an image or an event stands in it. */
  readonly detail: string;
  /** What the file is: SOP class and transfer syntax of an image, the product of a calendar. */
  readonly kind: string;
}

export const row = (
  { name, kind }: { readonly name: string; readonly kind: string },
  check: Check,
  outcome: Outcome,
  code = '',
  detail = '',
): Row => ({ file: name, check, outcome, code, detail, kind });

export type Counts = Readonly<Record<Outcome, number>>;

const NONE: Counts = { held: 0, broke: 0, differs: 0, refused: 0, untried: 0, 'left out': 0 };

/** How many rows of each outcome there are, by what `by` says of a row, in the order of first appearance. */
export function countBy(rows: readonly Row[], by: (one: Row) => string): ReadonlyMap<string, Counts> {
  const counts = new Map<string, Counts>();
  for (const one of rows) {
    const so = counts.get(by(one)) ?? NONE;
    counts.set(by(one), { ...so, [one.outcome]: so[one.outcome] + 1 });
  }
  return counts;
}

/** 0: all that was tried held. 1: something did not, or could not be tried. */
export const exitCode = (rows: readonly Row[]): 0 | 1 =>
  rows.every(({ outcome }) => outcome === 'held' || outcome === 'left out') ? 0 : 1;
