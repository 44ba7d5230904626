/** The published files `worklist/<AET>/<accession>.wl` and `bookings/<accession>.json`. Each is whole or absent. */
import { mkdir, readdir, stat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeBookingRecord, isDerivedAccession, type BookingRecord } from '@scanflow/booking';
import { fsyncFolder, removeLeftovers, stampOf } from '@scanflow/runtime';
import { bookingFiles, type RecordFiles } from '@scanflow/records';
import type { Action, Published } from '../domain/reconcile.ts';
import { OWN_FILES, type Files } from '../lead.ts';

interface ShelfOptions {
  /** Folder of the worklist items of one SCP; its name is the SCP's AE title. */
  readonly worklist: string;
  /** Folder of the booking records. */
  readonly bookings: string;
  readonly files?: Files;
}

export interface Shelf {
  /**
   * Call it before each pass. It notices missing and replaced files at once, and files changed in place within
   * five minutes.
   */
  look(): Promise<void>;
  /** Accession numbers of the items on the worklist. */
  list(): Promise<string[]>;
  /** The files under these accession numbers. */
  read(accessionNumbers: readonly string[]): Promise<ReadonlyMap<string, Published>>;
  /** All readable booking records, including those of bookings that left the worklist long ago. */
  records(): AsyncIterable<BookingRecord>;
  apply(action: Action): Promise<void>;
  /** Removes records and items for good, and returns the number of bookings. */
  erase(isErased: (record: BookingRecord) => boolean): Promise<number>;
}

/** Other users' programs read the worklist. Records name the people who booked. */
const ITEM_MODE = 0o644;
const RECORD_MODE = 0o640;

/**
 * Opens the two folders, makes missing ones, and removes leftovers of killed runs. wlmscpfs serves a folder
 * only if it holds a `lockfile`, which it locks while it reads.
 */
export async function openShelf({ worklist, bookings, files = OWN_FILES }: ShelfOptions): Promise<Shelf> {
  await prepare(worklist, bookings, files);
  const itemPath = (accession: string): string => join(worklist, `${accession}.wl`);
  const seen = new KnownFiles({ folders: [worklist, bookings] });
  const place: Place = { worklist, seen, files };
  const records = bookingFiles(bookings);
  const known = parsedOnce(records);
  let listed: ReadonlySet<string> = new Set();
  const writeRecord = (record: BookingRecord): Promise<void> =>
    writeChanged(place, records.path(record.accessionNumber), encoded(record), RECORD_MODE);
  return {
    look: () => seen.look(),
    async list() {
      const names = await itemsIn(worklist);
      listed = new Set(names);
      return names;
    },
    async read(accessionNumbers) {
      const published = new Map<string, Published>();
      for (const accessionNumber of accessionNumbers) {
        // a file that the listing lacks must not come from memory, whatever the folder's time says
        if (!listed.has(accessionNumber)) seen.forget(itemPath(accessionNumber));
        const item = await seen.read(itemPath(accessionNumber));
        const record = known(accessionNumber, await seen.read(records.path(accessionNumber)));
        published.set(accessionNumber, { accessionNumber, record, item });
      }
      return published;
    },
    records: () => ours(records),
    erase: (isErased) => eraseFrom(place, records, isErased),
    async apply(action) {
      if (action.kind === 'keep' || action.kind === 'unchanged') return;
      // the record first: images of an item that a scanner shows must find their project, and were the item gone when
      // this run is killed, nothing would lead back to the record
      if (action.kind === 'publish') {
        await writeRecord(action.wanted.record);
        await writeChanged(
          place,
          itemPath(action.wanted.record.accessionNumber),
          action.wanted.item,
          ITEM_MODE,
        );
        return;
      }
      if (action.kind !== 'withdraw') await writeRecord(action.record);
      await remove(itemPath(action.accessionNumber), worklist, files);
    },
  };
}

const encoded = (record: BookingRecord): Uint8Array => Buffer.from(encodeBookingRecord(record));

async function itemsIn(worklist: string): Promise<string[]> {
  const names = (await readdir(worklist)).filter((name) => name.endsWith('.wl'));
  return names.map((name) => name.slice(0, -'.wl'.length)).filter(isDerivedAccession);
}

interface Place {
  readonly worklist: string;
  readonly seen: KnownFiles;
  readonly files: Files;
}

async function eraseFrom(
  { worklist, seen, files }: Place,
  records: RecordFiles<BookingRecord>,
  isErased: (record: BookingRecord) => boolean,
): Promise<number> {
  let erased = 0;
  for await (const record of ours(records)) {
    if (!isErased(record)) continue;
    const item = join(worklist, `${record.accessionNumber}.wl`);
    const file = records.path(record.accessionNumber);
    // the record last: it leads to the item
    await remove(item, worklist, files);
    await remove(file, records.folder, files);
    seen.forget(item);
    seen.forget(file);
    erased += 1;
  }
  return erased;
}

async function prepare(worklist: string, bookings: string, files: Files): Promise<void> {
  await files.mayAct();
  await mkdir(worklist, { recursive: true, mode: 0o755 });
  await mkdir(bookings, { recursive: true, mode: 0o750 });
  await removeLeftovers(worklist);
  await removeLeftovers(bookings);
  const lockfile = join(worklist, 'lockfile');
  if ((await stat(lockfile).catch(() => undefined)) === undefined) await files.write(lockfile, '', ITEM_MODE);
}

/** Records of this service; a file that somebody else put there is not ours to change. */
async function* ours(records: RecordFiles<BookingRecord>): AsyncGenerator<BookingRecord> {
  for await (const record of records.all()) if (isDerivedAccession(record.accessionNumber)) yield record;
}

/** Parses each content once: its bytes stay the same object while the file stays the same. */
function parsedOnce(records: RecordFiles<BookingRecord>) {
  const parsed = new WeakMap<Uint8Array, BookingRecord>();
  return (accessionNumber: string, bytes: Uint8Array | undefined): BookingRecord | undefined => {
    if (bytes === undefined) return undefined;
    const record = parsed.get(bytes) ?? records.decode(accessionNumber, bytes);
    if (record !== undefined) parsed.set(bytes, record);
    return record;
  };
}

async function writeChanged(
  { seen, files }: Place,
  path: string,
  bytes: Uint8Array,
  mode: number,
): Promise<void> {
  const there = await seen.read(path);
  if (there !== undefined && Buffer.compare(there, bytes) === 0) return;
  seen.forget(path);
  await files.write(path, bytes, mode);
}

async function remove(path: string, folder: string, files: Files): Promise<void> {
  await files.remove(path);
  await fsyncFolder(folder);
}

interface KnownFilesOptions {
  readonly folders: readonly string[];
  /** A clock in milliseconds. */
  readonly clock?: () => number;
  /** From 0 up to 1. */
  readonly random?: () => number;
}

interface Known {
  readonly stamp: string;
  readonly bytes: Uint8Array;
  /** The look at the folders that last checked this file. */
  readonly look: number;
  /** When to check the file again, whatever the folders say. */
  readonly due: number;
}

/** A change in place shows within this time. Each file waits between half of it and all of it, to spread the checks. */
const LONGEST_MS = 300_000;
const MOST = 20_000;

/**
 * A file that comes, goes or is replaced changes its folder, and then all files are checked. A change in
 * place does not, so each file is checked every few minutes. The least used files are forgotten.
 */
export class KnownFiles {
  readonly #options: KnownFilesOptions;
  readonly #clock: () => number;
  readonly #files = new Map<string, Known>();
  #folders: string | undefined;
  #look = 0;

  constructor(options: KnownFilesOptions) {
    this.#options = options;
    this.#clock = options.clock ?? ((): number => performance.now());
  }

  /** Call it before each round of reads. It checks whether a file came, went or was replaced. */
  async look(): Promise<void> {
    const found = await Promise.all(this.#options.folders.map(stampIfAny));
    const folders = found.join();
    if (folders !== this.#folders || found.includes(undefined)) this.#look += 1;
    this.#folders = folders;
  }

  /** Undefined if the file is missing or unreadable. An unchanged file gives the same object. */
  async read(path: string): Promise<Uint8Array | undefined> {
    const known = this.#files.get(path);
    this.#files.delete(path);
    if (known?.look === this.#look && this.#clock() < known.due) {
      this.#files.set(path, known);
      return known.bytes;
    }
    const look = this.#look;
    const stamp = await stampIfAny(path);
    if (stamp === undefined) return undefined;
    const bytes = known?.stamp === stamp ? known.bytes : await readFile(path).catch(() => undefined);
    // an unreadable file counts as missing: the service writes it again, and reports if that fails
    if (bytes === undefined) return undefined;
    const due = this.#clock() + LONGEST_MS * (0.5 + 0.5 * (this.#options.random ?? Math.random)());
    this.#files.set(path, { stamp, bytes, look, due });
    const [oldest] = this.#files.keys();
    if (this.#files.size > MOST && oldest !== undefined) this.#files.delete(oldest);
    return bytes;
  }

  /** Call it before you write a file, so that the next read checks the disk. */
  forget(path: string): void {
    this.#files.delete(path);
  }
}

/** A file without a readable status counts as missing. */
const stampIfAny = (path: string): Promise<string | undefined> => stampOf(path).catch(() => undefined);
