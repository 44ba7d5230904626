/** Writes exam records (MPPS) to disk: `performed/<SOP Instance UID>.json`. The files are the truth. */
import { mkdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { joinExamRecord, type ExamSummary } from '@scanflow/booking';
import { codeOf, messageOf } from '@scanflow/failure';
import {
  fsyncFolder,
  KeyedQueue,
  pool,
  readBounded,
  removeLeftovers,
  writeFileAtomic,
} from '@scanflow/runtime';
import { examFiles } from '@scanflow/records';
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

/** A known record: its summary in memory, and the length of its file. */
interface Known {
  readonly summary: ExamSummary;
  readonly bytes: number;
}

/** Reads the existing records. An unreadable folder is reported and counts as empty: the worklist must go on. */
export async function openExamStore(options: ExamStoreOptions): Promise<ExamStore> {
  const { folder, onProblem } = options;
  const known = await load(folder, onProblem);
  const summaries = new Map([...known].map(([uid, { summary }]) => [uid, summary]));
  const path = (sopInstanceUid: string): string => {
    if (!UID.test(sopInstanceUid)) throw new RangeError('no UID');
    return join(folder, `${sopInstanceUid}.json`);
  };
  const keep = (summary: ExamSummary, bytes: number): void => {
    known.set(summary.sopInstanceUid, { summary, bytes });
    summaries.set(summary.sopInstanceUid, summary);
  };
  const forget = async (sopInstanceUid: string): Promise<void> => {
    known.delete(sopInstanceUid);
    summaries.delete(sopInstanceUid);
    const name = `${sopInstanceUid}.json`;
    await unlink(path(sopInstanceUid)).catch((error: unknown) => onProblem(name, reasonOf(error)));
  };
  const queue = new KeyedQueue();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => queue.run(folder, work);
  const write = async (summary: ExamSummary, attributes: Uint8Array): Promise<void> => {
    const bytes = joinExamRecord(summary, attributes);
    for (const uid of leaving(known.values(), summary, bytes.length, options)) await forget(uid);
    await makeFolder(folder);
    await writeFileAtomic(path(summary.sopInstanceUid), bytes, { mode: FILE_MODE });
    keep(summary, bytes.length);
  };
  return {
    summaries: () => summaries,
    read: async (sopInstanceUid) => {
      if (!known.has(sopInstanceUid)) return undefined;
      const bytes = await readBounded(path(sopInstanceUid), MAX_BYTES);
      if (bytes.length > MAX_BYTES) throw new Error(`the record ${sopInstanceUid}.json is too large`);
      return bytes;
    },
    write: (summary, attributes) => inTurn(() => write(summary, attributes)),
    erase: (isErased) =>
      inTurn(async () => {
        const erased = [...summaries.values()].filter(isErased);
        for (const { sopInstanceUid } of erased) await forget(sopInstanceUid);
        if (erased.length > 0) await fsyncFolder(folder);
        return erased.length;
      }),
  };
}

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

async function load(folder: string, onProblem: ExamStoreOptions['onProblem']): Promise<Map<string, Known>> {
  const known = new Map<string, Known>();
  const files = examFiles(folder, { onDamaged: onProblem });
  let keys: string[];
  try {
    await makeFolder(folder);
    await removeLeftovers(folder);
    keys = await files.keys();
  } catch (error) {
    onProblem(folder, reasonOf(error));
    return known;
  }
  await pool(keys, PARALLEL, async (key) => {
    const summary = await files.read(key);
    const found = await stat(files.path(key)).catch(() => undefined);
    if (summary !== undefined) known.set(key, { summary, bytes: found?.size ?? 0 });
  });
  return known;
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
