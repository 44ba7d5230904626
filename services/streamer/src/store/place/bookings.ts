/** Booking records: `bookings/<accession>.json`, written by cal2wl. */
import type { BookingRecord, Labels } from '@scanflow/booking';
import { bookingFiles, RecordWatch } from '@scanflow/records';
import type { KnownBookings } from './evidence.ts';
import { BookingIndex } from './known-bookings.ts';

/**
 * A superseded record is given as it is, never the one that took its place: images carry the accession number under
 * which somebody was scanned, and belong to the labels that the console showed.
 */
export interface Bookings {
  /** An accession number of any form; one that cannot be a file's name has no record. */
  readonly byAccession: (accession: string) => Promise<BookingRecord | undefined>;
  readonly byStudy: (studyInstanceUid: string) => Promise<BookingRecord | undefined>;
  /** All that there are now, to tell what an identifier reads as. */
  readonly known: () => Promise<KnownBookings>;
  /** All records whose labels are wanted. */
  readonly labelled: (wanted: (labels: Labels) => boolean) => Promise<readonly BookingRecord[]>;
}

/**
 * @param unreadable reports a damaged record (file name and reason); it counts as absent
 */
export function createBookings(
  folder: string,
  unreadable: (file: string, reason: string) => void = () => undefined,
): Bookings {
  // a record that the disk withholds is not absent: its images would go to the wrong place
  const files = bookingFiles(folder, { onDamaged: unreadable, onSystemError: 'throw' });
  /** A record's Study Instance UID derives from the same key as its accession number, so it never changes. */
  const studies = new Map<string, string>();
  const index = new BookingIndex();
  const add = (record: BookingRecord): true => {
    studies.set(record.studyInstanceUid, record.accessionNumber);
    index.add(record);
    return true;
  };
  const watch = new RecordWatch(files, add, { replaced: false });

  return {
    byAccession: (accession) => files.read(accession),
    byStudy: async (studyInstanceUid) => {
      if (studyInstanceUid === '') return undefined;
      if (!studies.has(studyInstanceUid)) await watch.look();
      const accession = studies.get(studyInstanceUid);
      return accession === undefined ? undefined : files.read(accession);
    },
    known: async () => {
      await watch.look();
      return index;
    },
    labelled: async (wanted) => {
      const found: BookingRecord[] = [];
      for await (const record of files.all()) if (wanted(record.labels)) found.push(record);
      return found;
    },
  };
}
