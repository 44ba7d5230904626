/** Whether labels are used again: another study, of another day, has images under them. Pure. */
import type { Attributes } from './attributes.ts';

/** A series that is stored under labels. */
export interface EarlierStudy {
  readonly attributes: Attributes;
  /** Milliseconds since the epoch. */
  readonly firstSeen: number;
}

/**
 * A study of the same accession number goes on; without one, that of the same Study Instance UID. What was scanned on the same
 * day is one session that was booked, or entered at the console, twice.
 */
export function studyOfAnotherDay(
  attributes: Attributes,
  earlier: readonly EarlierStudy[],
  timeZone: string,
): { readonly day: string; readonly accession: string } | undefined {
  const day = dayOf(attributes);
  if (day === undefined) return undefined;
  for (const one of earlier) {
    if (isSameStudy(attributes, one.attributes)) continue;
    const other = dayOf(one.attributes) ?? dayOfArrival(one.firstSeen, timeZone);
    if (other !== day) return { day: other, accession: valueOf(one.attributes, 'AccessionNumber') || 'none' };
  }
  return undefined;
}

function isSameStudy(one: Attributes, other: Attributes): boolean {
  const accessions = [one, other].map((attributes) => valueOf(attributes, 'AccessionNumber'));
  const keyword = accessions.includes('') ? 'StudyInstanceUID' : 'AccessionNumber';
  return valueOf(one, keyword) === valueOf(other, keyword);
}

const valueOf = (attributes: Attributes, keyword: string): string => (attributes[keyword] ?? '').trim();

/** As YYYY-MM-DD. A study that runs past midnight keeps its date. */
function dayOf(attributes: Attributes): string | undefined {
  const [, year, month, day] = DATE.exec(valueOf(attributes, 'StudyDate')) ?? [];
  return year === undefined ? undefined : `${year}-${month ?? ''}-${day ?? ''}`;
}

const DATE = /^(\d{4})\.?(\d{2})\.?(\d{2})$/;

const dayOfArrival = (firstSeen: number, timeZone: string): string =>
  Temporal.Instant.fromEpochMilliseconds(firstSeen).toZonedDateTimeISO(timeZone).toPlainDate().toString();
