/** Booking records, written by cal2wl: `bookings/<accession>.json`. Which identifiers are known, and what `series.json` keeps of a booking. */
import { defined } from '@scanflow/failure/defined';
import type { BookingRecord, Labels } from '@scanflow/booking';
import { bookingFiles, RecordWatch } from '@scanflow/records';
import type { KnownBookings, KnownBooking } from './evidence.ts';
import { nameText, plain } from './reading.ts';
import type { RecordedBooking } from '../types.ts';

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

/** Grows with the records; a record's labels never change under its accession number. */
export class BookingIndex implements KnownBookings {
  readonly projects = new Set<string>();
  readonly #studies = new Map<string, KnownBooking>();
  readonly #ids = new Map<string, KnownBooking[]>();
  readonly #names = new Map<string, KnownBooking[]>();
  readonly #spellings = new Map<string, KnownBooking[]>();

  add(record: BookingRecord): void {
    const id = record.patientId.trim();
    const name = nameText(record.patientName);
    // only the requested ones: there may be a hundred thousand of them
    const { accessionNumber, labels } = record;
    const known = { accessionNumber, labels };
    this.projects.add(labels.project);
    this.#studies.set(record.studyInstanceUid, known);
    put(this.#ids, id, known);
    put(this.#names, name, known);
    for (const spelling of new Set([plain(id), plain(name)])) put(this.#spellings, spelling, known);
  }

  byStudy(studyInstanceUid: string): KnownBooking | undefined {
    return this.#studies.get(studyInstanceUid);
  }

  byPatientId(value: string): readonly KnownBooking[] {
    return this.#ids.get(value) ?? [];
  }

  byPatientName(value: string): readonly KnownBooking[] {
    return this.#names.get(value) ?? [];
  }

  spelled(value: string): readonly KnownBooking[] {
    return this.#spellings.get(plain(value)) ?? [];
  }
}

function put(map: Map<string, KnownBooking[]>, key: string, record: KnownBooking): void {
  if (key === '') return;
  const there = map.get(key);
  if (there === undefined) map.set(key, [record]);
  else there.push(record);
}

export const recordedBooking = ({
  accessionNumber,
  studyInstanceUid,
  status,
  scanner,
  start,
  end,
  source,
  operator,
}: BookingRecord): RecordedBooking => ({
  accessionNumber,
  studyInstanceUid,
  status,
  scanner,
  start,
  end,
  calendar: source.calendar,
  event: source.uid,
  ...defined({ operator }),
});
