/** What became of each request, in rows, and the journal of these rows on disk: an interrupted list continues where it was. */
import { open, type FileHandle } from 'node:fs/promises';
import { codeOf, InputError, type Failure } from '@scanflow/failure';

const KIND = 'scanflow transfer 1';
/** Bytes. A line takes some 300. */
const MOST_BYTES = 512 * 1024 * 1024;

interface Ends {
  readonly source: string;
  /** AE title. */
  readonly target: string;
  /** The target cannot be queried, so the source's word counts as done. */
  readonly unverified: boolean;
}

export interface Journal {
  /** Rows of requests that are done, by key. */
  readonly done: ReadonlyMap<string, readonly Row[]>;
  /** Lines that cannot be read because a crash cut them off. Their requests are done again. */
  readonly damaged: number;
  /** On disk when it resolves. */
  readonly append: (key: string, rows: readonly Row[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

/**
 * Opens or makes a journal, and reads what an earlier run has done.
 *
 * @param path the file; its last half line is repaired
 * @throws InputError if the file cannot be used, or belongs to a transfer between other nodes
 */
export async function openJournal(path: string, ends: Ends): Promise<Journal> {
  const file = await open(path, 'a+').catch((error: unknown) => {
    throw new InputError(
      `the journal ${path} cannot be opened (${codeOf(error) ?? String(error)}); --journal FILE puts it elsewhere, --journal none does without`,
    );
  });
  try {
    const begun = `${JSON.stringify({ journal: KIND, source: ends.source, target: ends.target })}\n`;
    const found = await textOf(file, path);
    // a crash in its first line
    const text = begun.startsWith(found) && found !== begun ? '' : found;
    if (text !== found) await file.truncate(0);
    const { entries, damaged } = read(text, path, ends);
    const done = new Map<string, readonly Row[]>();
    for (const { key, rows } of entries) {
      if (isDone(rows, ends.unverified)) done.set(key, rows);
      else done.delete(key);
    }
    // ends a line that a crash cut off, so that the next one stands alone
    if (text !== '' && !text.endsWith('\n')) await write(file, '\n');
    if (text === '') await write(file, begun);
    let last = Promise.resolve();
    const append = (key: string, rows: readonly Row[]): Promise<void> => {
      const at = Temporal.Now.instant().toString({ smallestUnit: 'second' });
      last = last.then(() => write(file, `${JSON.stringify({ key, at, rows })}\n`));
      return last;
    };
    return { done, damaged, append, close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function write(file: FileHandle, text: string): Promise<void> {
  await file.appendFile(text);
  await file.sync();
}

async function textOf(file: FileHandle, path: string): Promise<string> {
  const { size } = await file.stat();
  if (size > MOST_BYTES) throw new InputError(`${path} is too large for a journal of scanflow transfer`);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, 0);
  return buffer.toString('utf8', 0, bytesRead);
}

interface Entry {
  readonly key: string;
  readonly rows: readonly Row[];
}

function read(text: string, path: string, ends: Ends): { entries: Entry[]; damaged: number } {
  const [head = '', ...lines] = text.split('\n');
  if (text === '') return { entries: [], damaged: 0 };
  const begun = parsed(head);
  if (begun?.['journal'] !== KIND)
    throw new InputError(`${path} is no journal of scanflow transfer; --journal takes a file of its own`);
  if (begun['source'] !== ends.source || begun['target'] !== ends.target)
    throw new InputError(
      `the journal ${path} is of a transfer from ${String(begun['source'])} to ${String(begun['target'])}; give this one another: --journal FILE`,
    );
  const entries: Entry[] = [];
  let damaged = 0;
  for (const line of lines) {
    if (line === '') continue;
    const entry = parsed(line);
    if (typeof entry?.['key'] === 'string' && Array.isArray(entry['rows']))
      entries.push({ key: entry['key'], rows: entry['rows'] as Row[] });
    else damaged += 1;
  }
  return { entries, damaged };
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * `Unverified`: the source says that it sent everything, and the target cannot be queried. `Interrupted`: stopped before
 * it was done.
 */
export type Status = 'Complete' | 'Unverified' | 'Incomplete' | 'Failed' | 'Interrupted';
/** How the images of the target were counted. */
type CheckedBy = 'UIDs' | 'counts' | 'source';

export interface Row {
  readonly studyUid: string;
  /** Images at the source. */
  readonly found: number;
  readonly there: number;
  readonly transferred: number;
  readonly missing: number;
  /** Of the missing ones, those that the source reported as failed. */
  readonly failed: number;
  readonly status: Status;
  readonly checkedBy?: CheckedBy;
  readonly code?: string;
  readonly reason?: string;
}

/** Whether every study of a request is complete. `unverified`: the source's word is enough. */
const isDone = (rows: readonly Row[], unverified: boolean): boolean =>
  rows.length > 0 &&
  rows.every(({ status }) => status === 'Complete' || (unverified && status === 'Unverified'));

const NOTHING = { studyUid: '', found: 0, there: 0, transferred: 0, missing: 0, failed: 0 } as const;

/** The row of a request or study that failed before anything was moved. */
export const failedRow = ({ code, message: reason }: Failure, studyUid = ''): Row => ({
  ...NOTHING,
  studyUid,
  status: 'Failed',
  code,
  reason,
});

/** The row of a request or study that was stopped, or not begun. */
export const interruptedRow = (studyUid = '', reason = 'It was stopped before this was done.'): Row => ({
  ...NOTHING,
  studyUid,
  status: 'Interrupted',
  reason,
});
