/** The record folders of Scanflow's data folder. */
import { join } from 'node:path';
import {
  parseBookingRecord,
  parseExamSummary,
  parseRejected,
  examSummaryFromHead,
  type BookingRecord,
  type ExamSummary,
  type Rejected,
} from '@scanflow/booking';
import { readBounded } from '@scanflow/runtime';
import { RecordFiles, type RecordFilesOptions } from './files.ts';

export type FilesOptions = Pick<RecordFilesOptions<unknown>, 'onDamaged' | 'onSystemError'>;

/** A title of the calendar is the longest text in a booking record, and the calendar's reader bounds it. */
const MOST_BOOKING_BYTES = 1_048_576;
/** The largest report that the worklist takes, and what JSON adds to it. */
const MOST_EXAM_BYTES = 67_108_864;
const MOST_REJECTED_BYTES = 16_777_216;

/** What may be a file's name: an accession number of another system may be anything. `rejected.json` is a list. */
const SAFE_ACCESSION = /^(?!rejected$)[A-Za-z0-9_-]{1,64}$/;

/**
 * The booking records of a folder, by accession number (`bookings/<accession>.json`). cal2wl writes them.
 *
 * @example
 * ```ts
 * import { bookingFiles } from '@scanflow/records';
 *
 * const files = bookingFiles('/data/bookings', { onDamaged: (file, reason) => console.warn(file, reason) });
 * await files.read('5TQH8Q2M0N3YFWZX'); // → undefined
 * ```
 */
export const bookingFiles = (folder: string, options: FilesOptions = {}): RecordFiles<BookingRecord> =>
  new RecordFiles({
    folder,
    format: {
      isKey: (key) => SAFE_ACCESSION.test(key),
      keyOf: ({ accessionNumber }) => accessionNumber,
      parse: parseBookingRecord,
      maxBytes: MOST_BOOKING_BYTES,
    },
    ...options,
  });

/**
 * The exam records of a folder, by SOP Instance UID (`performed/<SOP Instance UID>.json`), without their attributes. The
 * worklist service writes them.
 */
export const examFiles = (folder: string, options: FilesOptions = {}): RecordFiles<ExamSummary> =>
  new RecordFiles({
    folder,
    format: {
      isKey: (key) => !key.includes('/'),
      keyOf: ({ sopInstanceUid }) => sopInstanceUid,
      parse: parseExamSummary,
      maxBytes: MOST_EXAM_BYTES,
      fromHead: examSummaryFromHead,
    },
    ...options,
  });

/** The events that cal2wl refused, from `rejected.json` beside the booking records; none where it cannot be read. */
export async function readRejected(bookings: string): Promise<Rejected[]> {
  const bytes = await readBounded(join(bookings, 'rejected.json'), MOST_REJECTED_BYTES).catch(
    () => undefined,
  );
  return bytes === undefined ? [] : parseRejected(bytes.toString('utf8'));
}
