/** A booking as the record that is published for it. */
import { identify, type Booking, type BookingRecord, type Labels } from '@scanflow/booking';

export interface RecordOptions {
  /** DICOM modality of the booking's scanner. */
  readonly modality: string;
  /** Templates with `{project}`, `{subject}` and `{session}`. */
  readonly patientId: string;
  readonly patientName: string;
}

export function toRecord(
  booking: Booking,
  { modality, patientId, patientName }: RecordOptions,
): BookingRecord {
  const { scanner, start, end, labels, title, operator, source } = booking;
  return {
    version: 1,
    ...identify(source, labels),
    status: 'scheduled',
    scanner,
    modality,
    start: start.round('second').toString(),
    end: end.round('second').toString(),
    labels,
    title,
    ...(operator === undefined ? {} : { operator }),
    patientId: fill(patientId, labels),
    patientName: fill(patientName, labels),
    source,
  };
}

const fill = (template: string, labels: Labels): string =>
  template.replaceAll(/\{(project|subject|session)\}/g, (_, name: keyof Labels) => labels[name]);
