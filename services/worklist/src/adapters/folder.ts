/** Reads a folder of `.wl` files; opens only those that changed since the last reading. */
import { constants, type Stats } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { emptySnapshot, problem, readItem, snapshotOf } from '../domain/snapshot.ts';
import type { FileState, Snapshot } from '../domain/snapshot.ts';

export interface FolderOptions {
  readonly folder: string;
  /** Largest file in bytes; larger ones are reported, not read. */
  readonly maxFileSize?: number;
}

/** A file that changed less than this long ago and cannot be read is taken to be half-written. */
const SETTLED_AFTER_MS = 2_000;
/** Enough to keep the thread pool busy, few enough to stay far from the limit on descriptors. */
const PARALLEL = 32;

/**
 * Reads the folder. A folder that is not there yet is an empty worklist; one that was there and no longer can be
 * read keeps the last state, so that a share that drops out does not empty the scanners' lists.
 */
export async function readFolder(
  { folder, maxFileSize = 1_048_576 }: FolderOptions,
  previous: Snapshot = emptySnapshot,
): Promise<Snapshot> {
  let names: string[];
  try {
    names = (await readdir(folder)).filter((name) => name.endsWith('.wl') && !name.startsWith('.'));
  } catch (error) {
    const missing = isCode(error, 'ENOENT') && previous.folder === 'missing';
    return missing ? emptySnapshot : { ...previous, folder: 'failed', failure: reason(error), opened: 0 };
  }
  const files = new Map<string, FileState>();
  let opened = 0;
  const visit = async (name: string): Promise<void> => {
    const before = previous.files.get(name);
    const state = await readFile(folder, name, before, maxFileSize);
    if (state === undefined) return;
    if (state !== before) opened += 1;
    files.set(name, state);
  };
  await inParallel(names.sort(), visit);
  return snapshotOf(files, opened);
}

/** The file's state; the previous one where nothing changed; undefined where the file went away meanwhile. */
async function readFile(
  folder: string,
  name: string,
  before: FileState | undefined,
  maxFileSize: number,
): Promise<FileState | undefined> {
  const path = join(folder, name);
  try {
    const seen = await stat(path);
    const state = { signature: signatureOf(seen), modifiedMs: seen.mtimeMs, entries: [], unsettled: false };
    if (before?.signature === state.signature && !before.unsettled) return before;
    if (!seen.isFile()) return { ...state, problem: problem(name, 'NOT_A_FILE', 'is no regular file') };
    if (seen.size > maxFileSize)
      return { ...state, problem: problem(name, 'TOO_LARGE', `${seen.size} bytes; at most ${maxFileSize}`) };
    const { bytes, changed } = await readBytes(path, seen);
    const read = { ...state, ...readItem(name, bytes) };
    return settle(read, before, changed);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    const entries = before?.entries ?? [];
    const unreadable = { ...problem(name, 'UNREADABLE', reason(error)), served: entries.length > 0 };
    // no file has this signature: it is tried again at the next reading
    return { signature: '', modifiedMs: 0, entries, unsettled: false, problem: unreadable };
  }
}

/** The file's bytes as long as `seen` says, and whether it was written to meanwhile. */
async function readBytes(path: string, seen: Stats): Promise<{ bytes: Uint8Array; changed: boolean }> {
  // O_NONBLOCK: should a pipe have taken the file's name since, opening it must not wait for a writer
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const buffer = new Uint8Array(seen.size);
    const { bytesRead } = await handle.read(buffer, 0, seen.size, 0);
    const after = await handle.stat();
    return { bytes: buffer.subarray(0, bytesRead), changed: signatureOf(after) !== signatureOf(seen) };
  } finally {
    await handle.close();
  }
}

/**
 * A file in the middle of being written keeps what was last read of it, and is read again; only one that stays
 * broken is reported.
 */
function settle(read: FileState, before: FileState | undefined, changed: boolean): FileState {
  const age = performance.timeOrigin + performance.now() - read.modifiedMs;
  const recent = age >= 0 && age < SETTLED_AFTER_MS;
  const broken = read.problem?.served === false;
  if (!changed && !(broken && recent)) return read;
  const { signature, modifiedMs } = read;
  return { signature, modifiedMs, entries: before?.entries ?? [], unsettled: true };
}

/** Changes when the file does: a rename changes the inode, a write the times or the size. */
const signatureOf = ({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string =>
  `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;

async function inParallel<T>(list: readonly T[], visit: (item: T) => Promise<void>): Promise<void> {
  const queue = list.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await visit(item);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
