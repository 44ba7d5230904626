/** A booking as the record that is published for it. */
import { defined } from '../defined.ts';
import type { Booking, Labels } from '../booking.ts';
import { identify } from '../identity.ts';
import type { BookingRecord } from '../booking-record.ts';
import { reject, warning, type Verdict } from './codes.ts';
import type { Note } from './outcome.ts';
import type { BookingRules } from './rules.ts';

/** Longest Patient ID (LO, PS3.5 table 6.2-1): cut off, two subjects could become one. */
const MAX_ID = 64;
/** Requested Procedure ID is SH: a longer session is shown shortened at the scanner. */
const MAX_SESSION = 16;

export function makeRecord(
  booking: Booking,
  { modalities, patientId, patientName }: Pick<BookingRules, 'modalities' | 'patientId' | 'patientName'>,
): BookingRecord {
  const { scanner, start, end, labels, title, operator, source } = booking;
  return {
    version: 1,
    ...identify(source, labels),
    status: 'scheduled',
    scanner,
    modality: modalities[scanner] ?? '',
    start: start.round('second').toString(),
    end: end.round('second').toString(),
    labels,
    title,
    ...defined({ operator }),
    patientId: fill(patientId, labels),
    patientName: fill(patientName, labels),
    source,
  };
}

/** What DICOM would cut off so that it means something else. */
export function recordProblem({ patientId, patientName }: BookingRecord): Verdict | undefined {
  if (patientId.length <= MAX_ID && patientName.length <= MAX_ID) return undefined;
  return reject(
    'ID_TOO_LONG',
    `Project and subject together are longer than ${MAX_ID} characters. Use shorter names, like “3010000.01” and “sub-001”.`,
  );
}

export function recordWarnings({ labels }: BookingRecord): Note[] {
  if (labels.session.length <= MAX_SESSION) return [];
  return [
    warning(
      'SESSION_SHORTENED',
      `The session has more than ${MAX_SESSION} characters, so the scanner shows only its beginning. Use a shorter one, like “ses-mri01”.`,
    ),
  ];
}

const fill = (template: string, labels: Labels): string =>
  template.replaceAll(/\{(project|subject|session)\}/g, (_, name: keyof Labels) => labels[name]);
