/** Booking records: `bookings/<accession>.json`, written by cal2wl. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { KnownBookings } from './evidence.ts';
import { parseBookingRecord, type BookingRecord, type Labels } from '@scanflow/booking';
import { errnoOf } from '../../model/failure.ts';
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

/** What may stand in a file's name; an accession number of another system may be anything. `rejected.json` is no record. */
const SAFE_ACCESSION = /^(?!rejected$)[A-Za-z0-9_-]{1,64}$/;

/**
 * @param unreadable is told of a record that cannot be read (file name and reason); it counts as absent
 */
export function createBookings(
  folder: string,
  unreadable: (file: string, reason: string) => void = () => undefined,
): Bookings {
  /** A record's Study Instance UID is derived from the same key as its accession number, so it never changes. */
  const studies = new Map<string, string>();
  const index = new BookingIndex();
  const seen = new Set<string>();

  const read = (accession: string): Promise<BookingRecord | undefined> =>
    readBooking(folder, accession, unreadable);

  let listed: FolderTime | undefined;
  const look = async (): Promise<void> => {
    const time = await folderTime(folder);
    if (listed?.settled === true && listed.changed === time.changed) return;
    for (const name of await names(folder)) {
      const accession = name.slice(0, -'.json'.length);
      if (seen.has(accession) || !SAFE_ACCESSION.test(accession)) continue;
      const record = await read(accession);
      if (record === undefined) continue;
      seen.add(accession);
      studies.set(record.studyInstanceUid, accession);
      index.add(record);
    }
    listed = time;
  };
  /** One after the other: whoever comes while the folder is read waits until all of it is known. */
  let turn: Promise<void> = Promise.resolve();
  const refresh = (): Promise<void> => (turn = turn.then(look, look));

  return {
    byAccession: async (accession) => (SAFE_ACCESSION.test(accession) ? read(accession) : undefined),
    byStudy: async (studyInstanceUid) => {
      if (studyInstanceUid === '') return undefined;
      if (!studies.has(studyInstanceUid)) await refresh();
      const accession = studies.get(studyInstanceUid);
      return accession === undefined ? undefined : read(accession);
    },
    known: async () => {
      await refresh();
      return index;
    },
    labelled: async (wanted) => (await allOf(folder, read)).filter(({ labels }) => wanted(labels)),
  };
}

async function readBooking(
  folder: string,
  accession: string,
  unreadable: (file: string, reason: string) => void,
): Promise<BookingRecord | undefined> {
  const file = `${accession}.json`;
  let content: string;
  try {
    content = await readFile(join(folder, file), 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const parsed = parseBookingRecord(content);
  if (!parsed.ok) {
    unreadable(file, parsed.reason);
    return undefined;
  }
  // on a file system that folds case, another accession's file may answer
  return parsed.record.accessionNumber === accession ? parsed.record : undefined;
}

interface FolderTime {
  readonly changed: bigint;
  /** Long enough ago that a further change would show as another time. */
  readonly settled: boolean;
}

async function folderTime(folder: string): Promise<FolderTime> {
  try {
    const { mtimeNs } = await stat(folder, { bigint: true });
    return { changed: mtimeNs, settled: Temporal.Now.instant().epochNanoseconds - mtimeNs > 2_000_000_000n };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { changed: 0n, settled: false };
    throw error;
  }
}

async function allOf(
  folder: string,
  read: (accession: string) => Promise<BookingRecord | undefined>,
): Promise<BookingRecord[]> {
  const found: BookingRecord[] = [];
  for (const name of await names(folder)) {
    const accession = name.slice(0, -'.json'.length);
    const record = SAFE_ACCESSION.test(accession) ? await read(accession) : undefined;
    if (record !== undefined) found.push(record);
  }
  return found;
}

async function names(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
