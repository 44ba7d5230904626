/** Records of performed procedure steps on disk: `performed/<SOP Instance UID>.json`. The files are the truth. */
import { mkdir, readdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { encodePerformed, parsePerformed, type PerformedRecord } from '@scanflow/booking';
import { codeOf, fsyncFolder, readBounded, removeLeftovers, writeFileAtomic } from '@scanflow/chassis';
import { isStale, type PerformedSummary } from '../domain/after-exam.ts';

export interface PerformedStoreOptions {
  readonly folder: string;
  /** Records that are kept; the oldest of those that are done make room. */
  readonly capacity?: number;
  /** Told of files that are no records, and of records that could not be removed: file name and reason. */
  readonly onProblem: (file: string, reason: string) => void;
}

export interface PerformedStore {
  /** In memory, without the attributes. */
  readonly summaries: () => ReadonlyMap<string, PerformedSummary>;
  /** Undefined where there is none. Rejects where its file cannot be read any more. */
  readonly read: (sopInstanceUid: string) => Promise<PerformedRecord | undefined>;
  /** On disk, for good, once it resolves; unchanged where it rejects. `FullError`: no record could make room. */
  readonly write: (record: PerformedRecord) => Promise<void>;
}

/** Every record is of an exam that runs: none can make room. */
export class FullError extends Error {
  readonly code = 'FULL';
}

/** Names patients: for our group, not for everyone. */
const FILE_MODE = 0o640;
/** Records that are read at a time at the start. */
const PARALLEL = 8;
const HEAD_BYTES = 16_384;
const ATTRIBUTES = ',"attributes":{';
const FOLDER_MODE = 0o750;
/** Longest record: the largest request, and what JSON adds to it. */
const MAX_BYTES = 67_108_864;
/** What may be a file's name: a UID (PS3.5 9.1), which is digits and dots and begins with a digit. */
const UID = /^(?=.{1,64}$)\d+(?:\.\d+)*$/;

/** Reads what is there. A folder that cannot be read is told and counts as empty: the worklist comes first. */
export async function openPerformed(options: PerformedStoreOptions): Promise<PerformedStore> {
  const { folder, capacity = 2_000, onProblem } = options;
  const known = await load(folder, onProblem);
  const path = (sopInstanceUid: string): string => {
    if (!UID.test(sopInstanceUid)) throw new RangeError('no UID');
    return join(folder, `${sopInstanceUid}.json`);
  };
  const makeRoom = async (): Promise<void> => {
    while (known.size >= capacity) {
      const oldest = oldestDone(known.values());
      if (oldest === undefined) throw new FullError(`${known.size} steps are in progress`);
      known.delete(oldest);
      await unlink(path(oldest)).catch((error: unknown) => onProblem(`${oldest}.json`, reasonOf(error)));
    }
  };
  return {
    summaries: () => known,
    read: async (sopInstanceUid) => {
      if (!known.has(sopInstanceUid)) return undefined;
      const parsed = await readRecord(path(sopInstanceUid));
      if (typeof parsed === 'string')
        throw new Error(`the record ${sopInstanceUid}.json is broken: ${parsed}`);
      // should a write have failed after its rename, the file is ahead of what is known
      known.set(sopInstanceUid, summaryOf(parsed));
      return parsed;
    },
    write: async (record) => {
      const file = path(record.sopInstanceUid);
      if (!known.has(record.sopInstanceUid)) await makeRoom();
      await makeFolder(folder);
      await writeFileAtomic(file, encodePerformed(record), { mode: FILE_MODE });
      known.set(record.sopInstanceUid, summaryOf(record));
    },
  };
}

async function load(
  folder: string,
  onProblem: PerformedStoreOptions['onProblem'],
): Promise<Map<string, PerformedSummary>> {
  const known = new Map<string, PerformedSummary>();
  let names: string[];
  try {
    await makeFolder(folder);
    await removeLeftovers(folder);
    names = (await readdir(folder)).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
  } catch (error) {
    onProblem(folder, reasonOf(error));
    return known;
  }
  const queue = names.sort().values();
  const worker = async (): Promise<void> => {
    for (const name of queue) {
      const read = await readSummary(join(folder, name)).catch(reasonOf);
      if (typeof read === 'string') onProblem(name, read);
      else if (`${read.sopInstanceUid}.json` !== name) onProblem(name, 'holds the record of another step');
      else known.set(read.sopInstanceUid, read);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return known;
}

/** Makes the folder where it is missing, for good: a record is no safer than the folder that it is in. */
async function makeFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  if (made !== undefined) await fsyncFolder(dirname(made));
}

/** The record, or what is wrong with the file. */
async function readRecord(path: string): Promise<PerformedRecord | string> {
  const bytes = await readBounded(path, MAX_BYTES);
  if (bytes.length > MAX_BYTES) return 'is too large';
  const parsed = parsePerformed(bytes.toString('utf8'));
  return parsed.ok ? parsed.record : parsed.reason;
}

/**
 * The summary, or what is wrong with the file. The attributes, which name every image, come last and are left out
 * of a larger file: no text can hold this mark, since JSON would escape its quotation marks.
 */
async function readSummary(path: string): Promise<PerformedSummary | string> {
  const head = await readBounded(path, HEAD_BYTES);
  const mark = head.length > HEAD_BYTES ? head.indexOf(ATTRIBUTES) : -1;
  const parsed = mark < 0 ? undefined : parsePerformed(`${head.toString('utf8', 0, mark)}${ATTRIBUTES}}}`);
  if (parsed?.ok === true) return summaryOf(parsed.record);
  const whole = await readRecord(path);
  return typeof whole === 'string' ? whole : summaryOf(whole);
}

function summaryOf({ attributes: _, ...summary }: PerformedRecord): PerformedSummary {
  return summary;
}

/** The record that was told of longest ago, of those that nobody will tell of any more. */
function oldestDone(steps: Iterable<PerformedSummary>): string | undefined {
  const now = Temporal.Now.instant();
  let oldest: PerformedSummary | undefined;
  for (const step of steps) {
    if (step.state === 'IN PROGRESS' && !isStale(step, now)) continue;
    if (oldest === undefined || step.updated < oldest.updated) oldest = step;
  }
  return oldest?.sopInstanceUid;
}

/** System errors by their code: their text has the path in it, which is known here. */
function reasonOf(error: unknown): string {
  return codeOf(error) ?? (error instanceof Error ? error.message : String(error));
}
