/** What a person should look at in a series that is stored. Pure. */
import type { Doubt } from '../domain/evidence.ts';
import { lackingIn, type CountedImage } from './lacking.ts';

export interface Warning {
  readonly code: string;
  readonly message: string;
}

const INCOMPLETE = 'SERIES_INCOMPLETE';

/** Of the record of a series. */
export function warningsOf(instances: readonly CountedImage[], doubts: readonly Doubt[] = []): Warning[] {
  const lacking = lackingIn(instances);
  const again = doubts.find(({ kind }) => kind === 'labels');
  return [
    ...(lacking.length === 0 ? [] : [{ code: INCOMPLETE, message: sentence(lacking) }]),
    ...(again === undefined ? [] : [{ code: 'LABELS_AGAIN', message: again.message }]),
  ];
}

const sentence = (lacking: readonly string[]): string =>
  `Images seem to be missing: ${lacking.join('; ')}. Look at the scanner, and send the series again: what is there already does no harm.`;

/** What the scanner reported (MPPS) counts, and not what its images say. */
export const stillWarned = (warnings: readonly Warning[], expected: number | undefined): readonly Warning[] =>
  warnings.filter(({ code }) => code !== INCOMPLETE || expected === undefined);
