/**
 * The record folders of Scanflow's data folder: one JSON file per record, `<key>.json`. Writers replace a file by a rename,
 * so each is whole. Further files that cal2wl exchanges with others: `rejected.json`, and a person's word for lost bookings.
 */
import { unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, messageOf } from '@scanflow/failure';
import { namesIn, readBounded } from '@scanflow/runtime';
import {
  parseBookingRecord,
  parseExamSummary,
  parseRejected,
  examSummaryFromHead,
  type BookingRecord,
  type ExamSummary,
  type Parsed,
  type Rejected,
} from '@scanflow/booking';

/** A record, or what is wrong with its file. */
export interface Loaded<T> {
  readonly record?: T;
  readonly damage?: string;
  /** The system did not give the file; it may do so later, although the file stays the same. */
  readonly mayPass?: boolean;
}

/** What the files of a folder hold. */
export interface RecordFormat<T> {
  /** Whether a file of this key can be a record. */
  readonly isKey: (key: string) => boolean;
  readonly keyOf: (record: T) => string;
  readonly parse: (text: string) => Parsed<T>;
  /** Bytes of the largest file. */
  readonly maxBytes: number;
  /**
   * A complete record from the first bytes of a large file, without its long last part; undefined where the first bytes
   * do not reach that part.
   */
  readonly fromHead?: (head: Buffer) => string | undefined;
}

export interface RecordFilesOptions<T> {
  readonly folder: string;
  readonly format: RecordFormat<T>;
  /** Reports a file that holds no record, or that the system does not give: its name and the reason. */
  readonly onDamaged?: ((file: string, reason: string) => void) | undefined;
  /**
   * `damaged`, the default: a file that the system does not give counts as damaged. `throw`: the read fails, for callers
   * to whom a wrong "there is no record" would do harm.
   */
  readonly onSystemError?: 'damaged' | 'throw' | undefined;
}

/** One chunk of `readBounded`: nearly every record fits, and of a large exam all but the images' names. */
const HEAD_BYTES = 65_536;

/** Reads the records of one folder. */
export class RecordFiles<T> {
  readonly #options: RecordFilesOptions<T>;

  constructor(options: RecordFilesOptions<T>) {
    this.#options = options;
  }

  get folder(): string {
    return this.#options.folder;
  }

  path(key: string): string {
    return join(this.folder, `${key}.json`);
  }

  /** Keys of all files that can be records, in order. A folder that does not exist yet holds none. */
  async keys(): Promise<string[]> {
    return (await namesIn(this.folder))
      .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
      .map((name) => name.slice(0, -'.json'.length))
      .filter(this.#options.format.isKey)
      .sort();
  }

  /**
   * The record under a key; undefined where there is none, or where the file is damaged (then `onDamaged` reports it).
   *
   * @throws the system's error, where `onSystemError` is `throw`
   */
  async read(key: string): Promise<T | undefined> {
    const found = await this.load(key);
    if (found?.damage !== undefined) this.report(key, found.damage);
    return found?.record;
  }

  /** As `read`, but the caller decides whether to report the damage. */
  async load(key: string): Promise<Loaded<T> | undefined> {
    const { format, onSystemError = 'damaged' } = this.#options;
    if (!format.isKey(key)) return undefined;
    try {
      return this.#judge(key, await this.#parse(this.path(key)));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      if (onSystemError === 'throw') throw error;
      // the code alone: the system's text repeats the path
      return { damage: codeOf(error) ?? messageOf(error), mayPass: true };
    }
  }

  report(key: string, damage: string): void {
    this.#options.onDamaged?.(`${key}.json`, damage);
  }

  /** The record in a file's bytes, for a caller who has them already; undefined where they are damaged. */
  decode(key: string, bytes: Uint8Array): T | undefined {
    return this.#judge(key, this.#options.format.parse(Buffer.from(bytes).toString('utf8')))?.record;
  }

  /** All records, one after the other; files that are damaged are left out. */
  async *all(): AsyncGenerator<T> {
    for (const key of await this.keys()) {
      const record = await this.read(key);
      if (record !== undefined) yield record;
    }
  }

  /** A record counts only under the name that it gives itself. */
  #judge(key: string, parsed: Parsed<T>): Loaded<T> | undefined {
    if (!parsed.ok) return { damage: parsed.reason };
    const found = this.#options.format.keyOf(parsed.record);
    if (found === key) return { record: parsed.record };
    // a file system that folds case answers with the file of another key
    const isFolded = found.toLowerCase() === key.toLowerCase();
    return isFolded ? undefined : { damage: 'holds another record than its name says' };
  }

  async #parse(path: string): Promise<Parsed<T>> {
    const { parse, maxBytes, fromHead } = this.#options.format;
    if (fromHead !== undefined) {
      const head = await readBounded(path, HEAD_BYTES);
      const text = head.length > HEAD_BYTES ? fromHead(head) : head.toString('utf8');
      const parsed = text === undefined ? undefined : parse(text);
      if (parsed !== undefined && (parsed.ok || head.length <= HEAD_BYTES)) return parsed;
    }
    const bytes = await readBounded(path, maxBytes);
    return bytes.length > maxBytes
      ? { ok: false, reason: `larger than ${maxBytes} bytes` }
      : parse(bytes.toString('utf8'));
  }
}

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

const acceptanceOf = (folder: string, calendar: string): string => join(folder, `accept-${calendar}`);

/**
 * A person accepts the removals of a calendar that cal2wl holds back. cal2wl sees it at its next pass.
 *
 * @param folder `cal2wl/` of the data folder
 * @throws the system's error
 */
export const acceptRemovals = (folder: string, calendar: string): Promise<void> =>
  writeFile(acceptanceOf(folder, calendar), '');

/**
 * Whether somebody accepted the removals of a calendar. The acceptance is used up: the next call answers false.
 *
 * @param folder the state folder of cal2wl
 */
export const takeAcceptance = (folder: string, calendar: string): Promise<boolean> =>
  unlink(acceptanceOf(folder, calendar)).then(
    () => true,
    () => false,
  );
