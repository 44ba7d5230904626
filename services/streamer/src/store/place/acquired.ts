/** When a series was acquired, and whether another study of another day has the same labels. Pure. */
import type { Attributes } from '../../model/series.ts';

/** Date and time of the series, the most telling first: reconstructions keep when the data was acquired. */
const TIMES = [
  ['AcquisitionDate', 'AcquisitionTime'],
  ['SeriesDate', 'SeriesTime'],
  ['StudyDate', 'StudyTime'],
] as const;

/** Keywords that `acquiredAt` looks at. */
export const TIME_KEYWORDS = [...TIMES.flat(), 'TimezoneOffsetFromUTC'] as const;

const DATE = /^(\d{4})\.?(\d{2})\.?(\d{2})$/;
/** TM: hours at least (PS3.5 6.2). */
const TIME = /^(\d{2}):?(\d{2})?:?(\d{2})?/;
/** PS3.3 C.12.1.1.8. */
const OFFSET = /^([+-]\d{2})(\d{2})$/;

/** Undefined where no date can be read. In the zone of the facility, unless the images name an offset from UTC. */
export function acquiredAt(attributes: Attributes, timeZone: string): Temporal.Instant | undefined {
  const offset = OFFSET.exec((attributes['TimezoneOffsetFromUTC'] ?? '').trim());
  const zone = offset === null ? timeZone : `${offset[1]}:${offset[2]}`;
  for (const [dateKey, timeKey] of TIMES) {
    const plain = plainTime((attributes[dateKey] ?? '').trim(), (attributes[timeKey] ?? '').trim());
    if (plain !== undefined) return instantOf(plain, zone);
  }
  return undefined;
}

function plainTime(date: string, time: string): Temporal.PlainDateTime | undefined {
  const [, year, month, day] = DATE.exec(date) ?? [];
  const [, hour, minute = '00', second = '00'] = TIME.exec(time) ?? [];
  if (year === undefined || hour === undefined) return undefined;
  try {
    return Temporal.PlainDateTime.from(`${year}-${month ?? ''}-${day ?? ''}T${hour}:${minute}:${second}`);
  } catch {
    // consoles write times that there are not
    return undefined;
  }
}

function instantOf(plain: Temporal.PlainDateTime, zone: string): Temporal.Instant | undefined {
  try {
    return plain.toZonedDateTime(zone).toInstant();
  } catch {
    // an offset that there is not
    return undefined;
  }
}

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

const dayOfArrival = (firstSeen: number, timeZone: string): string =>
  Temporal.Instant.fromEpochMilliseconds(firstSeen).toZonedDateTimeISO(timeZone).toPlainDate().toString();
