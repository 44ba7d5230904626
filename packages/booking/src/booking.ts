/**
 * What is booked, the vocabulary that every part of Scanflow shares; and its DICOM identity, derived from what it is and never
 * from when or where it takes place. No I/O.
 */
import { createHash } from 'node:crypto';

/** Names that decide where images go. They are chosen by the booker, verbatim: no padding, no case folding. */
export interface Labels {
  readonly project: string;
  readonly subject: string;
  readonly session: string;
}

export type LabelName = keyof Labels;
export type PartialLabels = Readonly<Partial<Labels>>;
export const LABELS = ['project', 'subject', 'session'] as const satisfies readonly LabelName[];

/** A text for the key of a map: equal labels have the same one, and different labels never do. */
export const labelKey = ({ project, subject, session }: Labels): string =>
  JSON.stringify([project, subject, session]);

/** The calendar of bookings that no calendar has: an operator made them on the day board. */
export const WALK_IN = 'walk-in';

/** Where a booking was read. */
export interface BookingSource {
  /** Id of the calendar: its key under `calendars:` of the configuration, unless that gives another one. */
  readonly calendar: string;
  /** iCalendar UID (RFC 5545 3.8.4.7). */
  readonly uid: string;
  /**
   * Which instance of a recurring event: its original start as a UTC instant, `2026-11-22T08:00:00Z`
   * (RFC 5545 3.8.4.4). Absent for a single event and for the first instance of a series, so that a single
   * event that becomes a series keeps its identity.
   */
  readonly recurrenceId?: string;
}

/** One slot of scanner time for one subject. */
export interface Booking {
  /** Key of the scanner under `scanners:` of the configuration. */
  readonly scanner: string;
  readonly start: Temporal.Instant;
  readonly end: Temporal.Instant;
  readonly labels: Labels;
  readonly title: string;
  /** Who booked, as the calendar names them. */
  readonly operator?: string;
  /** Mail addresses of who booked, in small letters; unproven. Absent where the event is private, or has none. */
  readonly bookers?: readonly string[];
  readonly source: BookingSource;
}

export interface Identity {
  /** SH, 16 characters of Crockford's base 32 (no I, L, O, U): 80 bits of the key's hash. */
  readonly accessionNumber: string;
  /** UI, `2.25.` and a name-based UUID as a decimal number (PS3.5 B.2). */
  readonly studyInstanceUid: string;
}

/** Namespace of Scanflow's booking keys (RFC 9562 5.5), made once at random. Changing it changes every identity. */
const NAMESPACE = Buffer.from('b0c5d1f26a9e4c578d3e2f7a41c6980b', 'hex');
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * Derives accession number and Study Instance UID. The same booking, read again or moved to another time or
 * scanner, gets the same two; another calendar, event, instance or label gets others.
 *
 * @example
 * ```ts
 * import { identify } from '@scanflow/booking';
 *
 * const labels = { project: '3010000.01', subject: 'sub-001', session: 'ses-mri01' };
 * identify({ calendar: 'prisma', uid: 'a@example.org' }, labels).accessionNumber; // → 'GZTB1GNYVNGT6RP4'
 * ```
 */
export function identify(source: BookingSource, labels: Labels): Identity {
  const { calendar, uid, recurrenceId = '' } = source;
  const key = JSON.stringify([calendar, uid, recurrenceId, labels.project, labels.subject, labels.session]);
  const hash = createHash('sha1').update(NAMESPACE).update(key, 'utf8').digest();
  return { accessionNumber: base32(hash.subarray(0, 10)), studyInstanceUid: `2.25.${uuidInteger(hash)}` };
}

const DERIVED = /^[0-9A-HJKMNP-TV-Z]{16}$/;

/** Whether an accession number has the form that `identify` gives, so that the booking is one of ours. */
export const isDerivedAccession = (text: string): boolean => DERIVED.test(text);

/** The 128 bits of a version 5 UUID (RFC 9562 5.5) as an unsigned integer. */
function uuidInteger(sha1: Buffer): bigint {
  const bytes = Buffer.from(sha1.subarray(0, 16));
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return BigInt(`0x${bytes.toString('hex')}`);
}

function base32(bytes: Buffer): string {
  const bits = BigInt(`0x${bytes.toString('hex')}`);
  const length = (bytes.length * 8) / 5;
  const digit = (index: number): string =>
    ALPHABET.charAt(Number((bits >> BigInt(5 * (length - 1 - index))) & 31n));
  return Array.from({ length }, (_, index) => digit(index)).join('');
}
