/** When a series was acquired, as its images say. */
import type { Attributes } from './attributes.ts';

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
