/** Records of performed procedure steps on disk: `performed/<SOP Instance UID>.json`. The files are the truth. */
import { mkdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { joinExamRecord, type ExamSummary } from '@scanflow/booking';
import { codeOf } from '@scanflow/failure';
import { fsyncFolder, pool, readBounded, removeLeftovers, writeFileAtomic } from '@scanflow/runtime';
import { examFiles } from '@scanflow/records';
import { isStale } from '../domain/after-exam.ts';

export interface ExamStoreOptions {
  readonly folder: string;
  /** Whose record it is, by its calling AE title: quotas are of each by itself. */
  readonly countedAs: (callingAet: string) => string;
  /** Records and bytes that are kept of each; the oldest of its own that are done make room. */
  readonly capacity?: number;
  readonly capacityBytes?: number;
  /** Told of files that are no records, and of records that could not be removed: file name and reason. */
  readonly onProblem: (file: string, reason: string) => void;
}

export interface ExamStore {
  /** In memory, without the attributes. */
  readonly summaries: () => ReadonlyMap<string, ExamSummary>;
  /** The record's text; undefined where there is none. Rejects where its file cannot be read any more. */
  readonly read: (sopInstanceUid: string) => Promise<Uint8Array | undefined>;
  /**
   * Writes a record, its attributes as JSON. On disk, for good, once it resolves; unchanged where it rejects. `FullError`:
   * none of the caller's own records could make room.
   */
  readonly write: (summary: ExamSummary, attributes: Uint8Array) => Promise<void>;
  /** Takes records away for good. How many. */
  readonly erase: (isErased: (summary: ExamSummary) => boolean) => Promise<number>;
}

/** Every record of the caller is of an exam that runs: none can make room. */
export class FullError extends Error {
  readonly code = 'FULL';
}

/** Names patients: for our group, not for everyone. */
const FILE_MODE = 0o640;
/** Records that are read at a time at the start. */
const PARALLEL = 8;
const FOLDER_MODE = 0o750;
const GIB = 1_073_741_824;
/** Longest record: the largest request, and what JSON adds to it. */
const MAX_BYTES = 67_108_864;
/** What may be a file's name: a UID (PS3.5 9.1), which is digits and dots and begins with a digit. */
const UID = /^(?=.{1,64}$)\d+(?:\.\d+)*$/;

/** A record that is known: what is in memory of it, and its file's length. */
interface Known {
  readonly summary: ExamSummary;
  readonly bytes: number;
}

/** Reads what is there. A folder that cannot be read is told and counts as empty: the worklist comes first. */
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
  const inTurn = turns();
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

/** One after the other, whatever becomes of each. */
function turns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
}

/** The caller's own records that make room for another one, or for a longer one. Throws FullError where they cannot. */
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

/** Makes the folder where it is missing, for good: a record is no safer than the folder that it is in. */
async function makeFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  if (made !== undefined) await fsyncFolder(dirname(made));
}

/** Records that nobody will tell of any more, the one that was told of longest ago first. */
function oldestDone(records: readonly Known[]): Known[] {
  const now = Temporal.Now.instant();
  return records
    .filter(({ summary }) => summary.state !== 'IN PROGRESS' || isStale(summary, now))
    .sort((one, other) => (one.summary.updated < other.summary.updated ? -1 : 1));
}

/** System errors by their code: their text has the path in it, which is known here. */
function reasonOf(error: unknown): string {
  return codeOf(error) ?? (error instanceof Error ? error.message : String(error));
}
