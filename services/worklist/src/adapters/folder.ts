/** The served snapshot: reads a folder of `.wl` files, opens only those that changed since the last reading, and logs what changed. */
import { closeSync, constants, fstatSync, open, readSync, stat, type Stats } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { pool, type Log } from '@scanflow/runtime';
import { messageOf } from '@scanflow/failure';
import { assumedSets } from '../domain/access.ts';
import { createPacker } from '../domain/schedule.ts';
import {
  emptySnapshot,
  problem,
  readItem,
  snapshotOf,
  type FileState,
  type Reading as ItemReading,
  type Snapshot,
  type Problem,
} from '../domain/snapshot.ts';

interface Loader {
  /** The served snapshot. It never changes; a newer one replaces it. */
  readonly snapshot: () => Snapshot;
  /** Reads what changed. True: something was being written, read again soon. */
  readonly read: () => Promise<boolean>;
}

interface LoaderOptions {
  readonly folder: string;
  /** Character sets of text in files that declares none. */
  readonly assumed: readonly string[];
  readonly log: Log;
  /** Called with each reading and the seconds it took. */
  readonly onRead: (snapshot: Snapshot, seconds: number) => void;
}

/** A loader that has not read yet and serves an empty worklist. */
export function createLoader({ folder, assumed, log, onRead }: LoaderOptions): Loader {
  let snapshot = emptySnapshot;
  let first = true;
  return {
    snapshot: () => snapshot,
    read: async () => {
      const started = performance.now();
      const next = await readFolder({ folder, assumed }, snapshot);
      const seconds = (performance.now() - started) / 1000;
      reportFolder(log, folder, first ? undefined : snapshot, next);
      reportItems(log, snapshot, next, seconds);
      snapshot = next;
      first = false;
      onRead(next, seconds);
      return next.folder === 'present' && [...next.files.values()].some((file) => file.unsettled);
    },
  };
}

function reportFolder(log: Log, folder: string, before: Snapshot | undefined, after: Snapshot): void {
  if (after.folder === before?.folder && after.failure === before.failure) return;
  if (after.folder === 'missing') log.warn('worklist.folder-missing', { folder });
  else if (after.folder === 'failed')
    log.error('worklist.folder-unreadable', { folder, reason: after.failure });
  else if (before?.folder === 'failed') log.info('worklist.folder-readable', { folder });
}

/** Logs each problem when it first occurs, and that items came, changed or went. */
function reportItems(log: Log, before: Snapshot, after: Snapshot, seconds: number): void {
  const known = new Set(before.problems.map(problemKey));
  for (const problem of after.problems)
    if (!known.has(problemKey(problem)))
      log.warn(problem.served ? 'worklist.item-flawed' : 'worklist.file-not-served', {
        file: problem.file,
        code: problem.code,
        reason: problem.message,
      });
  if (after.opened === 0 && after.files.size === before.files.size) return;
  log.info('worklist.loaded', {
    items: after.schedule.entries.length,
    opened: after.opened,
    problems: after.problems.length,
    ms: Math.round(seconds * 1000),
  });
}

const problemKey = ({ file, code, message }: Problem): string => `${file}\n${code}\n${message}`;

interface FolderOptions {
  readonly folder: string;
  /** Largest file in bytes; larger ones are reported, not read. */
  readonly maxFileSize?: number;
  /** Character sets of text that declares none, or another one than it is written in. */
  readonly assumed?: readonly string[];
}

/** A file that changed less than this long ago and cannot be read is taken to be half-written. */
const SETTLED_AFTER_MS = 2_000;
/** Enough to keep the thread pool busy, few enough to stay far from the limit on descriptors. */
const PARALLEL = 32;
/** An item has a kilobyte or two. What is decoded of it is copied, so that the next one can be read over it. */
const SCRATCH = 16_384;
/**
 * Calls that look a path up, and so wait for a volume that does not answer, leave the process free meanwhile. What is
 * then read of an open file is a kilobyte: handing each such call to another thread costs ten times the call.
 */
const calls = { open: promisify(open), stat: promisify(stat) };

/**
 * Reads the folder. A folder that is not there yet is an empty worklist; one that was there and no longer can be
 * read keeps the last state, so that a share that drops out does not empty the scanners' lists.
 */
export async function readFolder(
  { folder, maxFileSize = 1_048_576, assumed = assumedSets(undefined) }: FolderOptions,
  previous: Snapshot = emptySnapshot,
): Promise<Snapshot> {
  let names: string[];
  try {
    names = (await readdir(folder)).filter((name) => name.endsWith('.wl') && !name.startsWith('.'));
  } catch (error) {
    const missing = isCode(error, 'ENOENT') && previous.folder === 'missing';
    return missing ? emptySnapshot : { ...previous, folder: 'failed', failure: messageOf(error), opened: 0 };
  }
  const files = new Map<string, FileState>();
  const reading = { maxFileSize, pack: createPacker(), assumed };
  let opened = 0;
  const visit = async (name: string, scratch: Uint8Array): Promise<void> => {
    const before = previous.files.get(name);
    const state = await readFile(folder, name, before, reading, scratch);
    if (state === undefined) return;
    if (state !== before) opened += 1;
    files.set(name, state);
  };
  await inParallel(names.sort(), visit);
  const unchanged = opened === 0 && files.size === previous.files.size && previous.folder === 'present';
  return unchanged ? { ...previous, opened } : snapshotOf(files, opened);
}

/** What the files of one reading have in common. */
interface Reading extends ItemReading {
  readonly maxFileSize: number;
}

/** The file's state; the previous one where nothing changed; undefined where the file went away meanwhile. */
async function readFile(
  folder: string,
  name: string,
  before: FileState | undefined,
  reading: Reading,
  scratch: Uint8Array,
): Promise<FileState | undefined> {
  const path = `${folder}/${name}`;
  try {
    if (before?.unsettled === false && signatureOf(await calls.stat(path)) === before.signature)
      return before;
    return await openFile(path, name, before, reading, scratch);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    const entries = before?.entries ?? [];
    const unreadable = { ...problem(name, 'UNREADABLE', messageOf(error)), served: entries.length > 0 };
    // no file has this signature: it is tried again at the next reading
    return { signature: '', modifiedMs: 0, entries, unsettled: false, problems: [unreadable] };
  }
}

async function openFile(
  path: string,
  name: string,
  before: FileState | undefined,
  reading: Reading,
  scratch: Uint8Array,
): Promise<FileState> {
  // O_NONBLOCK: should the name be a pipe's, opening it must not wait for a writer
  const file = await calls.open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const seen = fstatSync(file);
    const state = { signature: signatureOf(seen), modifiedMs: seen.mtimeMs, entries: [], unsettled: false };
    const refused = (code: 'NOT_A_FILE' | 'TOO_LARGE', why: string): FileState => ({
      ...state,
      problems: [problem(name, code, why)],
    });
    if (!seen.isFile()) return refused('NOT_A_FILE', 'is no regular file');
    const { maxFileSize } = reading;
    if (seen.size > maxFileSize) return refused('TOO_LARGE', `${seen.size} bytes; at most ${maxFileSize}`);
    const room = seen.size > scratch.length ? new Uint8Array(seen.size) : scratch;
    const length = readSync(file, room, 0, seen.size, 0);
    const changed = signatureOf(fstatSync(file)) !== state.signature;
    return settle({ ...state, ...readItem(name, room.subarray(0, length), reading) }, before, changed);
  } finally {
    closeSync(file);
  }
}

/**
 * A file in the middle of being written keeps what was last read of it, and is read again; only one that stays
 * broken is reported.
 */
function settle(read: FileState, before: FileState | undefined, changed: boolean): FileState {
  // the clock of a network share may be ahead of this one
  const age = Math.abs(Temporal.Now.instant().epochMilliseconds - read.modifiedMs);
  const recent = age < SETTLED_AFTER_MS;
  const broken = read.problems.some(({ served }) => !served);
  if (!changed && !(broken && recent)) return read;
  const { signature, modifiedMs } = read;
  return { signature, modifiedMs, entries: before?.entries ?? [], problems: [], unsettled: true };
}

/** Changes when the file does: a rename changes the inode, a write the times or the size. */
const signatureOf = ({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string =>
  // joined, a text is one piece of memory, where a template's would be nine
  [dev, ino, size, mtimeMs, ctimeMs].join(':');

/** Visits all; each visit has a buffer to itself for as long as it lasts. */
async function inParallel<T>(
  list: readonly T[],
  visit: (item: T, scratch: Uint8Array) => Promise<void>,
): Promise<void> {
  const free: Uint8Array[] = [];
  await pool(list, PARALLEL, async (item) => {
    const scratch = free.pop() ?? new Uint8Array(SCRATCH);
    await visit(item, scratch);
    free.push(scratch);
  });
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
