/** What is published: `worklist/<AET>/<accession>.wl` and `bookings/<accession>.json`. Each file is whole or absent. */
import { mkdir, readdir, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeBookingRecord, parseBookingRecord, type BookingRecord } from '@scanflow/booking';
import { codeOf } from '@scanflow/failure';
import { fsyncFolder, removeLeftovers, writeFileAtomic } from '@scanflow/runtime';
import type { Action, Published } from '../domain/reconcile.ts';
import { KnownFiles } from '../known-files.ts';

export interface ShelfOptions {
  /** Folder of the worklist items of one SCP; its name is the SCP's AE title. */
  readonly worklist: string;
  /** Folder of the booking records. */
  readonly bookings: string;
}

export interface Shelf {
  /**
   * To be called before each pass: what is missing or was replaced is noticed at once, what was changed in place within
   * five minutes.
   */
  look(): Promise<void>;
  /** Accession numbers of the items on the worklist. */
  list(): Promise<string[]>;
  /** What stands on disk under these accession numbers. */
  read(accessionNumbers: readonly string[]): Promise<ReadonlyMap<string, Published>>;
  /** All booking records that can be read, also of bookings that left the worklist long ago. */
  records(): AsyncIterable<BookingRecord>;
  apply(action: Action): Promise<void>;
  /** Takes records and items away for good, without a trace. How many bookings. */
  erase(isErased: (record: BookingRecord) => boolean): Promise<number>;
}

const RECORD = /^([0-9A-HJKMNP-TV-Z]{16})\.json$/;
const ITEM = /^([0-9A-HJKMNP-TV-Z]{16})\.wl$/;
/** Scanner software and image servers of other users read the worklist; records name who booked. */
const ITEM_MODE = 0o644;
const RECORD_MODE = 0o640;

/**
 * Opens the two folders, made where they are missing, and clears what killed runs left. wlmscpfs serves a folder
 * only where it holds a `lockfile`, which it locks while it reads.
 */
export async function openShelf({ worklist, bookings }: ShelfOptions): Promise<Shelf> {
  await prepare(worklist, bookings);
  const itemPath = (accession: string): string => join(worklist, `${accession}.wl`);
  const recordPath = (accession: string): string => join(bookings, `${accession}.json`);
  const files = new KnownFiles({ folders: [worklist, bookings] });
  const known = knownRecords();
  let listed: ReadonlySet<string> = new Set();
  const publish = async (record: BookingRecord, item: Uint8Array): Promise<void> => {
    // the record first: images of an item that a scanner already shows must find their project
    await writeChanged(
      files,
      recordPath(record.accessionNumber),
      Buffer.from(encodeBookingRecord(record)),
      RECORD_MODE,
    );
    await writeChanged(files, itemPath(record.accessionNumber), item, ITEM_MODE);
  };
  return {
    look: () => files.look(),
    async list() {
      const names = (await readdir(worklist)).flatMap((name) => ITEM.exec(name)?.[1] ?? []);
      listed = new Set(names);
      return names;
    },
    async read(accessionNumbers) {
      const published = new Map<string, Published>();
      for (const accessionNumber of accessionNumbers) {
        // what is not in the folder is not taken from memory, whatever the folder's time says
        if (!listed.has(accessionNumber)) files.forget(itemPath(accessionNumber));
        const item = await files.read(itemPath(accessionNumber));
        const record = known(accessionNumber, await files.read(recordPath(accessionNumber)));
        published.set(accessionNumber, { accessionNumber, record, item });
      }
      return published;
    },
    records: () => recordsIn(bookings),
    erase: (isErased) => eraseFrom(worklist, bookings, files, isErased),
    async apply(action) {
      if (action.kind === 'publish') return publish(action.wanted.record, action.wanted.item);
      if (action.kind === 'cancel' || action.kind === 'supersede') {
        // the record first: were the item gone and this run killed, nothing would lead back to the record
        await writeChanged(
          files,
          recordPath(action.accessionNumber),
          Buffer.from(encodeBookingRecord(action.record)),
          RECORD_MODE,
        );
      }
      if (action.kind === 'cancel' || action.kind === 'supersede' || action.kind === 'withdraw')
        await remove(itemPath(action.accessionNumber), worklist);
    },
  };
}

async function eraseFrom(
  worklist: string,
  bookings: string,
  files: KnownFiles,
  isErased: (record: BookingRecord) => boolean,
): Promise<number> {
  let erased = 0;
  for await (const record of recordsIn(bookings)) {
    if (!isErased(record)) continue;
    const item = join(worklist, `${record.accessionNumber}.wl`);
    const file = join(bookings, `${record.accessionNumber}.json`);
    // the record last: by it the rest is known
    await remove(item, worklist);
    await remove(file, bookings);
    files.forget(item);
    files.forget(file);
    erased += 1;
  }
  return erased;
}

async function prepare(worklist: string, bookings: string): Promise<void> {
  await mkdir(worklist, { recursive: true, mode: 0o755 });
  await mkdir(bookings, { recursive: true, mode: 0o750 });
  await removeLeftovers(worklist);
  await removeLeftovers(bookings);
  const lockfile = join(worklist, 'lockfile');
  if ((await stat(lockfile).catch(() => undefined)) === undefined) await writeFileAtomic(lockfile, '');
}

async function* recordsIn(folder: string): AsyncGenerator<BookingRecord> {
  for (const name of await readdir(folder)) {
    const accession = RECORD.exec(name)?.[1];
    if (accession === undefined) continue;
    const record = recordOf(accession, await readFile(join(folder, name)).catch(() => undefined));
    if (record !== undefined) yield record;
  }
}

/** A record is believed only where it says that it is the one its name promises. */
function recordOf(accessionNumber: string, bytes: Uint8Array | undefined): BookingRecord | undefined {
  if (bytes === undefined) return undefined;
  const parsed = parseBookingRecord(Buffer.from(bytes).toString('utf8'));
  return parsed.ok && parsed.record.accessionNumber === accessionNumber ? parsed.record : undefined;
}

/** recordOf() that parses each content once: its bytes stay the same object while the file stays the same. */
function knownRecords(): typeof recordOf {
  const parsed = new WeakMap<Uint8Array, BookingRecord>();
  return (accessionNumber, bytes) => {
    if (bytes === undefined) return undefined;
    const record = parsed.get(bytes) ?? recordOf(accessionNumber, bytes);
    if (record !== undefined) parsed.set(bytes, record);
    return record;
  };
}

async function writeChanged(files: KnownFiles, path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const there = await files.read(path);
  if (there !== undefined && Buffer.compare(there, bytes) === 0) return;
  files.forget(path);
  await writeFileAtomic(path, bytes, { mode });
}

async function remove(path: string, folder: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  await fsyncFolder(folder);
}
