/** What Patient IDs, names and Study Instance UIDs stand for, by the booking records that there are. */
import type { BookingRecord } from '@scanflow/booking';
import type { KnownBooking, KnownBookings } from './evidence.ts';
import { nameText, plain } from './spelling.ts';

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
    // no more than is asked for: there may be a hundred thousand of them
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
