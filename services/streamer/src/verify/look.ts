/** Reads all files of a series in one place. Reads a faulty file twice before it counts as wrong. */
import { pool } from '@scanflow/runtime';
import { FailureError, transient } from '@scanflow/failure';
import { failureOf } from '../model/failure.ts';
import { folderNames, type Layout } from '../store/place/layout.ts';
import type { Ledger } from '../ledger/tx.ts';
import type { SeriesRecord, Store, StoredFile } from '../store/types.ts';
import type { SeriesView } from '../ledger/rows.ts';
import { choices } from '../store/disk/record.ts';
import { filesOf, gone, isBusy, isPlainName, judge } from './plan.ts';
import type { Finding, Look, FileTarget } from './types.ts';
import { matching } from '../ledger/views.ts';

export interface LookDeps {
  readonly ledger: Ledger;
  /** Where the place's files are. */
  readonly store: Store;
  /** Layout of the copy, if the ledger does not have the copy's folder. */
  readonly copyLayout: Layout | undefined;
  /** Awaited before each file, and before each piece of one. */
  readonly pacer: {
    readonly file: (signal: AbortSignal) => Promise<void>;
    readonly bytes: (count: number, signal: AbortSignal) => Promise<void>;
  };
  /** Waits until files may be read, or the signal aborts. */
  readonly opens: (signal: AbortSignal) => Promise<void>;
}

export interface Looked {
  readonly look: Look;
  /** All faults. */
  readonly wrong: readonly Finding[];
  readonly folder: string | undefined;
  readonly record: SeriesRecord | undefined;
}

/** Files read at once. A share that hangs blocks so many of the process' file threads, and no more. */
const FILES_AT_ONCE = 2;

/** Throws a transient FailureError if no verdict is possible now, and another one if the place cannot be read at all. */
export async function lookAt(
  view: SeriesView,
  place: FileTarget,
  deps: LookDeps,
  signal: AbortSignal,
): Promise<Looked> {
  const first = await readAll(view, place, deps, signal);
  const isWhole = first.look.failure === undefined;
  // a share went away, a folder was moved, or images arrived meanwhile
  if (!isWhole) await deps.store.requireRoot(first.folder ?? '');
  const now = await stillThere(view, deps.ledger);
  // an old folder that a move kept says nothing of the new one
  if (now === undefined || now.path !== view.path) throw new FailureError(BUSY);
  if (isWhole) return first;
  if (isBusy(now, place) || now.increment !== view.increment) throw new FailureError(BUSY);
  const again = await readAgain(now, place, first, deps, signal);
  await deps.store.requireRoot(first.folder ?? '');
  return again;
}

export const BUSY = transient(
  'VERIFY_BUSY',
  'Something of this series is being stored, moved or erased. It is verified after that.',
);

export async function stillThere(
  { id }: Pick<SeriesView, 'id'>,
  ledger: LookDeps['ledger'],
): Promise<SeriesView | undefined> {
  return (await ledger.read(matching, id)).find((view) => view.id === id);
}

async function readAll(
  view: SeriesView,
  place: FileTarget,
  deps: LookDeps,
  signal: AbortSignal,
): Promise<Looked> {
  const found = await findRecord(view, place, deps);
  if (found === undefined) return { look: gone(), wrong: [], folder: undefined, record: undefined };
  return compare(found, filesOf(found.record), storedIn(view, place), deps, signal);
}

/** Reads only the faulty files again, unless the record has changed. */
async function readAgain(
  view: SeriesView,
  place: FileTarget,
  { folder, record, look, wrong }: Looked,
  deps: LookDeps,
  signal: AbortSignal,
): Promise<Looked> {
  const found = await findRecord(view, place, deps);
  const same = found !== undefined && found.folder === folder && found.record.updated === record?.updated;
  if (!same || found.record.instances.length !== record?.instances.length)
    return readAll(view, place, deps, signal);
  const suspect = new Set(wrong.map(({ file }) => file));
  const suspects = filesOf(found.record).filter(({ file }) => suspect.has(file));
  const again = await compare(found, suspects, storedIn(view, place), deps, signal);
  return { ...again, look: { ...again.look, files: look.files, bytes: look.bytes } };
}

/** Number of images by the ledger. */
const storedIn = ({ stored, legs }: SeriesView, place: FileTarget): number =>
  place === 'storage' ? stored : (legs.find(({ target }) => target === place)?.done ?? 0);

export interface Found {
  readonly folder: string;
  readonly record: SeriesRecord;
}

export async function findRecord(
  view: SeriesView,
  place: FileTarget,
  { store, copyLayout }: Pick<LookDeps, 'store' | 'copyLayout'>,
): Promise<Found | undefined> {
  for (const folder of foldersOf(view, place, copyLayout)) {
    const record = await store.record(folder);
    if (record?.orthancSeries === view.id) return { folder, record };
  }
  return undefined;
}

/** The possible folders, by its attributes, of a copy from before the ledger recorded folders. */
function foldersOf(
  { id, path, copyPath, attributes }: SeriesView,
  place: FileTarget,
  copyLayout: Layout | undefined,
): string[] {
  const known = place === 'storage' ? path : copyPath;
  if (known !== undefined) return [known];
  if (place === 'storage' || copyLayout === undefined) return [];
  const names = folderNames(copyLayout, (keyword) => attributes[keyword]);
  return choices(names, id).map((name) => [...names.slice(0, -1), name].join('/'));
}

async function compare(
  { folder, record }: Found,
  files: readonly StoredFile[],
  stored: number,
  deps: LookDeps,
  signal: AbortSignal,
): Promise<Looked> {
  const { store, pacer, opens } = deps;
  const findings: Finding[] = [];
  let bytes = 0;
  await pool(files, FILES_AT_ONCE, async (expected) => {
    await opens(signal);
    await pacer.file(signal);
    signal.throwIfAborted();
    const state = isPlainName(expected.file)
      ? await store.examine(folder, expected, async (count) => {
          await pacer.bytes(count, signal);
          signal.throwIfAborted();
          bytes += count;
        })
      : 'unreadable';
    if (state !== 'good') findings.push({ file: expected.file, kind: state });
  });
  findings.sort((a, b) => (a.file < b.file ? -1 : 1));
  return {
    look: judge(record, findings, { files: files.length, bytes }, stored),
    wrong: findings,
    folder,
    record,
  };
}

/** A permanent obstacle, such as a link that leads out of the root, becomes the outcome. */
export function refusedBy(error: unknown): Look | undefined {
  const failure = failureOf(error);
  return failure.kind === 'permanent' && failure.code.startsWith('STORE_')
    ? gone({ code: failure.code, message: failure.message })
    : undefined;
}
