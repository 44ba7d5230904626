/**
 * Writes exam records (MPPS) to disk: `performed/<SOP Instance UID>.json`. The files are the truth, also of what another
 * worklist over the same folder wrote.
 */
import { mkdir, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { joinExamRecord, type ExamSummary } from '@scanflow/booking';
import { codeOf, messageOf } from '@scanflow/failure';
import {
  absent,
  createFileOnce,
  fsyncFolder,
  KeyedQueue,
  pool,
  readBounded,
  removeLeftovers,
  stampOf,
  writeFileAtomic,
} from '@scanflow/runtime';
import { examFiles, type RecordFiles } from '@scanflow/records';
import { isStale } from '../domain/after-exam.ts';

export interface ExamStoreOptions {
  readonly folder: string;
  /** The owner of a record, by its calling AE title. Each owner has its own quota. */
  readonly countedAs: (callingAet: string) => string;
  /** Records and bytes kept per owner. Its oldest finished records make room. */
  readonly capacity?: number;
  readonly capacityBytes?: number;
  /** Reports damaged files, and records that could not be removed: file name and reason. */
  readonly onProblem: (file: string, reason: string) => void;
}

export interface ExamStore {
  /** In memory, without the attributes. */
  readonly summaries: () => ReadonlyMap<string, ExamSummary>;
  /** The record's text; undefined if there is none. Rejects if its file is no longer readable. */
  readonly read: (sopInstanceUid: string) => Promise<Uint8Array | undefined>;
  /** Takes over what the folder says of one exam: another worklist may have written it. `lookAtAll` still answers that it was new. */
  readonly look: (sopInstanceUid: string) => Promise<void>;
  /** The same for all exams; true if something was new. A folder that cannot be read changes nothing. */
  readonly lookAtAll: () => Promise<boolean>;
  /** Writes the first record of an exam; false where there is one. Otherwise as `write`. */
  readonly create: (summary: ExamSummary, attributes: Uint8Array) => Promise<boolean>;
  /**
   * Writes a record, its attributes as JSON. On disk, for good, once it resolves; unchanged where it rejects. `FullError`:
   * none of the caller's own records could make room.
   */
  readonly write: (summary: ExamSummary, attributes: Uint8Array) => Promise<void>;
  /** Removes records for good, and returns their number. */
  readonly erase: (isErased: (summary: ExamSummary) => boolean) => Promise<number>;
}

/** All records of the caller are of running exams, so none can make room. */
export class FullError extends Error {
  readonly code = 'FULL';
}

/** Records name patients: our group may read them, others may not. */
const FILE_MODE = 0o640;
/** Records read at the same time at the start. */
const PARALLEL = 8;
const FOLDER_MODE = 0o750;
const GIB = 1_073_741_824;
/** Limit of a record: the largest request, and what JSON adds to it. */
const MAX_BYTES = 67_108_864;
/** A valid file name: a UID (PS3.5 9.1), which is digits and dots and begins with a digit. */
const UID = /^(?=.{1,64}$)\d+(?:\.\d+)*$/;

/** No write takes so long. A worklist that was killed left what is older. */
const LEFT_MS = 600_000;

/** A known record: its summary, the length of its file, and the stamp that the file had at the last reading. */
interface Known {
  readonly summary: ExamSummary;
  readonly bytes: number;
  readonly stamp?: string | undefined;
}

/** Reads the existing records. An unreadable folder is reported and counts as empty: the worklist must go on. */
export async function openExamStore(options: ExamStoreOptions): Promise<ExamStore> {
  const store = new Store(options);
  await store.open();
  return store;
}

class Store implements ExamStore {
  readonly #options: ExamStoreOptions;
  readonly #files: RecordFiles<ExamSummary>;
  readonly #known = new Map<string, Known>();
  readonly #summaries = new Map<string, ExamSummary>();
  /** Files that hold no record, or that the system did not give: each is reported once. */
  readonly #useless = new Map<string, { readonly stamp: string; readonly mayPass: boolean }>();
  /** `look` found something new since the last look at all. */
  #hasNews = false;
  readonly #queue = new KeyedQueue();

  constructor(options: ExamStoreOptions) {
    this.#options = options;
    this.#files = examFiles(options.folder, { onDamaged: options.onProblem });
  }

  async open(): Promise<void> {
    const { folder, onProblem } = this.#options;
    try {
      await makeFolder(folder);
      await removeLeftovers(folder, LEFT_MS);
      await this.#readAll();
    } catch (error) {
      onProblem(folder, reasonOf(error));
    }
  }

  summaries(): ReadonlyMap<string, ExamSummary> {
    return this.#summaries;
  }

  async read(sopInstanceUid: string): Promise<Uint8Array | undefined> {
    if (!this.#known.has(sopInstanceUid)) return undefined;
    const bytes = await readBounded(this.#path(sopInstanceUid), MAX_BYTES);
    if (bytes.length > MAX_BYTES) throw new Error(`the record ${sopInstanceUid}.json is too large`);
    return bytes;
  }

  look(sopInstanceUid: string): Promise<void> {
    return this.#inTurn(async () => {
      if (UID.test(sopInstanceUid) && (await this.#readOne(sopInstanceUid))) this.#hasNews = true;
    });
  }

  lookAtAll(): Promise<boolean> {
    return this.#inTurn(() => this.#readAll().catch(() => false));
  }

  create(summary: ExamSummary, attributes: Uint8Array): Promise<boolean> {
    // a file that holds no record is no exam
    const isDamaged = this.#useless.get(summary.sopInstanceUid)?.mayPass === false;
    return this.#write(summary, attributes, isDamaged ? writeFileAtomic : createOnce);
  }

  async write(summary: ExamSummary, attributes: Uint8Array): Promise<void> {
    await this.#write(summary, attributes, writeFileAtomic);
  }

  erase(isErased: (summary: ExamSummary) => boolean): Promise<number> {
    return this.#inTurn(async () => {
      const erased = [...this.#summaries.values()].filter(isErased);
      for (const { sopInstanceUid } of erased) await this.#remove(sopInstanceUid);
      if (erased.length > 0) await fsyncFolder(this.#options.folder);
      return erased.length;
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#queue.run(this.#options.folder, work);
  }

  #path(sopInstanceUid: string): string {
    if (!UID.test(sopInstanceUid)) throw new RangeError('no UID');
    return this.#files.path(sopInstanceUid);
  }

  #write(
    summary: ExamSummary,
    attributes: Uint8Array,
    put: (path: string, bytes: Uint8Array, options: { mode: number }) => Promise<unknown>,
  ): Promise<boolean> {
    const { folder } = this.#options;
    return this.#inTurn(async () => {
      const bytes = joinExamRecord(summary, attributes);
      for (const uid of leaving(this.#known.values(), summary, bytes.length, this.#options))
        await this.#remove(uid);
      await makeFolder(folder);
      const isNew = (await put(this.#path(summary.sopInstanceUid), bytes, { mode: FILE_MODE })) !== false;
      // without a stamp: the next look reads it, in case that another worklist has written since
      if (isNew) {
        this.#keep({ summary, bytes: bytes.length });
        this.#useless.delete(summary.sopInstanceUid);
      }
      return isNew;
    });
  }

  #keep(known: Known): void {
    this.#known.set(known.summary.sopInstanceUid, known);
    this.#summaries.set(known.summary.sopInstanceUid, known.summary);
  }

  #forget(sopInstanceUid: string): boolean {
    this.#known.delete(sopInstanceUid);
    return this.#summaries.delete(sopInstanceUid);
  }

  async #remove(sopInstanceUid: string): Promise<void> {
    const { onProblem } = this.#options;
    this.#forget(sopInstanceUid);
    await unlink(this.#path(sopInstanceUid))
      // another worklist was faster
      .catch(absent)
      .catch((error: unknown) => onProblem(`${sopInstanceUid}.json`, reasonOf(error)));
  }

  /** Whether something was new. Rejects if the folder cannot be read. */
  async #readAll(): Promise<boolean> {
    const keys = await this.#files.keys();
    const news = await pool(keys, PARALLEL, (key) => this.#readOne(key));
    const there = new Set(keys);
    // a folder without any record is more likely one that is not mounted
    const gone = keys.length === 0 ? [] : [...this.#known.keys()].filter((key) => !there.has(key));
    for (const key of gone) this.#forget(key);
    const hasNews = this.#hasNews || gone.length > 0 || news.includes(true);
    this.#hasNews = false;
    return hasNews;
  }

  /** Whether it is new. A file that is gone, damaged or not given keeps what was known of it. */
  async #readOne(key: string): Promise<boolean> {
    const path = this.#files.path(key);
    const stamp = await stampOf(path).catch(() => undefined);
    const useless = this.#useless.get(key);
    // what the system did not give, it may give at the next look
    if (stamp === undefined || (useless?.stamp === stamp && !useless.mayPass)) return false;
    const known = this.#known.get(key);
    if (known?.stamp === stamp) return false;
    const summary = await this.#load(key, stamp);
    if (summary === undefined) return false;
    this.#useless.delete(key);
    const found = await stat(path).catch(() => undefined);
    this.#keep({ summary, bytes: found?.size ?? 0, stamp });
    return !isDeepStrictEqual(known?.summary, summary);
  }

  async #load(key: string, stamp: string): Promise<ExamSummary | undefined> {
    const { record, damage, mayPass = false } = (await this.#files.load(key)) ?? {};
    if (record !== undefined) return record;
    if (damage !== undefined && this.#useless.get(key)?.stamp !== stamp) this.#files.report(key, damage);
    this.#useless.set(key, { stamp, mayPass });
    return undefined;
  }
}

/** What a file system without hard links answers, such as some network volumes: the last one is Linux's for FAT. */
const NO_LINKS: ReadonlySet<string | undefined> = new Set(['ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EPERM']);

/** Without hard links, a request has looked for the record before, and of two in the same moment the later one counts. */
const createOnce: typeof createFileOnce = async (...file) => {
  try {
    return await createFileOnce(...file);
  } catch (error) {
    if (!NO_LINKS.has(codeOf(error))) throw error;
    await writeFileAtomic(...file);
    return true;
  }
};

/** The caller's records that make room for a new or longer one. Throws FullError if they cannot. */
function leaving(
  known: Iterable<Known>,
  wanted: ExamSummary,
  bytes: number,
  { countedAs, capacity = 2_000, capacityBytes = 2 * GIB }: ExamStoreOptions,
): string[] {
  const caller = countedAs(wanted.callingAet);
  const own = [...known].filter(
    ({ summary }) =>
      summary.sopInstanceUid !== wanted.sopInstanceUid && countedAs(summary.callingAet) === caller,
  );
  let count = own.length + 1;
  let total = own.reduce((sum, one) => sum + one.bytes, bytes);
  const gone: string[] = [];
  for (const one of oldestDone(own)) {
    if (count <= capacity && total <= capacityBytes) break;
    gone.push(one.summary.sopInstanceUid);
    count -= 1;
    total -= one.bytes;
  }
  if (count > capacity || total > capacityBytes)
    throw new FullError(`${own.length} steps of ${wanted.callingAet} are in progress`);
  return gone;
}

/** Makes a missing folder durable, because a record is no safer than its folder. */
async function makeFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  if (made !== undefined) await fsyncFolder(dirname(made));
}

/** Records that will get no further report, the oldest report first. */
function oldestDone(records: readonly Known[]): Known[] {
  const now = Temporal.Now.instant();
  return records
    .filter(({ summary }) => summary.state !== 'IN PROGRESS' || isStale(summary, now))
    .sort((one, other) => (one.summary.updated < other.summary.updated ? -1 : 1));
}

/** System errors by their code: their text repeats the path. */
function reasonOf(error: unknown): string {
  return codeOf(error) ?? messageOf(error);
}
