/** The name by which people follow a series through logs. */
import { isDerivedAccession } from '@scanflow/booking';

/**
 * The accession number of a series for the log, where it is one that a booking got: it derives from a hash. A number that somebody typed
 * at a console may be a label or a name, which no log gets.
 */
export function named(accession: string | null | undefined): { readonly accession?: string } {
  const text = (accession ?? '').trim();
  return isDerivedAccession(text) ? { accession: text } : {};
}
