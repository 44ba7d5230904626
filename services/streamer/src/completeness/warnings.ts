/** What a person should look at in a series that is stored. Pure. */
import type { Doubt } from '../store/place/evidence.ts';
import { lackingIn, type CountedImage } from './lacking.ts';

export interface Warning {
  readonly code: string;
  readonly message: string;
}

const INCOMPLETE = 'SERIES_INCOMPLETE';

/** Of the images in the record of a series. */
export function warningsOf(instances: readonly CountedImage[]): Warning[] {
  const lacking = lackingIn(instances);
  return lacking.length === 0 ? [] : [{ code: INCOMPLETE, message: sentence(lacking) }];
}

const sentence = (lacking: readonly string[]): string =>
  `Images seem to be missing: ${lacking.join('; ')}. Look at the scanner, and send the series again: what is there already does no harm.`;

/** What people see. What the scanner reported (MPPS) counts, and not what its images say. */
export function shownWarnings({
  warnings = [],
  doubts = [],
  expected,
}: {
  readonly warnings?: readonly Warning[];
  readonly doubts?: readonly Doubt[];
  readonly expected: number | undefined;
}): Warning[] {
  const again = doubts.filter(({ kind }) => kind === 'labels');
  return [
    ...warnings.filter(({ code }) => code !== INCOMPLETE || expected === undefined),
    ...again.map(({ message }) => ({ code: 'LABELS_AGAIN', message })),
  ];
}
