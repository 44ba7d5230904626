/** What scanners reported of their exams: `performed/<SOP Instance UID>.json`, written by the worklist service. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseExamRecord, type ExamRecord } from '@scanflow/booking';
import { codeOf } from '@scanflow/failure';
import { readBounded } from '@scanflow/runtime';

export interface ExamCounts {
  /** Reads what changed since the last time. Whether anything did. */
  readonly refresh: () => Promise<boolean>;
  /** Number of records. */
  readonly known: () => number;
  /** How many instances the scanner says that the series has; undefined where it has said nothing final. */
  readonly expected: (seriesInstanceUid: string) => number | undefined;
  /** How many exams are of one of these bookings or studies. */
  readonly about: (accessions: ReadonlySet<string>, studies: ReadonlySet<string>) => Promise<number>;
}

/** The series come before the attributes, which name every image: this is room for several hundred of them. */
const HEAD_BYTES = 131_072;
const MAX_BYTES = 67_108_864;
const ATTRIBUTES = ',"attributes":{';

interface Known {
  /** Tells a file from the one that took its place. */
  readonly stamp: string;
  readonly counts: ReadonlyMap<string, number>;
}

/** @param unreadable is told of a file that cannot be read (name and reason), once for each of its contents */
export function openExamCounts(
  folder: string,
  unreadable: (file: string, reason: string) => void = () => undefined,
): ExamCounts {
  let known = new Map<string, Known>();
  let listed: FolderTime | undefined;
  let counts: ReadonlyMap<string, number> = new Map();
  return {
    refresh: async () => {
      const time = await folderTime(folder);
      if (time === undefined || (listed?.settled === true && listed.changed === time.changed)) return false;
      listed = time;
      const next = new Map<string, Known>();
      let changed = false;
      for (const name of await names(folder)) {
        const stamp = await stampOf(join(folder, name));
        if (stamp === undefined) continue;
        const before = known.get(name);
        if (before?.stamp === stamp) {
          next.set(name, before);
          continue;
        }
        const read = await readCounts(join(folder, name)).catch(reasonOf);
        if (typeof read === 'string') unreadable(name, read);
        next.set(name, { stamp, counts: typeof read === 'string' ? new Map() : read });
        changed = true;
      }
      changed ||= next.size !== known.size;
      known = next;
      if (changed) counts = together(known.values());
      return changed;
    },
    known: () => known.size,
    expected: (seriesInstanceUid) => counts.get(seriesInstanceUid),
    about: async (accessions, studies) => {
      let exams = 0;
      for (const name of await names(folder).catch(none)) {
        const record = await readRecord(join(folder, name)).catch(reasonOf);
        if (typeof record !== 'string' && isAbout(record, accessions, studies)) exams += 1;
      }
      return exams;
    },
  };
}

function none(error: unknown): [] {
  if (codeOf(error) === 'ENOENT') return [];
  throw error;
}

const isAbout = (
  { items, links }: ExamRecord,
  accessions: ReadonlySet<string>,
  studies: ReadonlySet<string>,
): boolean =>
  items.some((one) => accessions.has(one.accessionNumber) || studies.has(one.studyInstanceUid)) ||
  links.some(
    (one) => accessions.has(one.accessionNumber) || one.studyInstanceUids.some((uid) => studies.has(uid)),
  );

/** A series belongs to one step; should two name it, the larger count is the later one. */
function together(all: Iterable<Known>): Map<string, number> {
  const most = new Map<string, number>();
  for (const { counts } of all)
    for (const [series, count] of counts) most.set(series, Math.max(count, most.get(series) ?? 0));
  return most;
}

const names = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.endsWith('.json') && !name.startsWith('.'));

interface FolderTime {
  readonly changed: bigint;
  /** Long enough ago that a further change would show as another time. */
  readonly settled: boolean;
}

/** Files take their place by a rename, which changes the folder's time. */
async function folderTime(folder: string): Promise<FolderTime | undefined> {
  try {
    const { mtimeNs } = await stat(folder, { bigint: true });
    return { changed: mtimeNs, settled: Temporal.Now.instant().epochNanoseconds - mtimeNs > 2_000_000_000n };
  } catch (error) {
    // the worklist service has not made it yet, or is not used
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function stampOf(path: string): Promise<string | undefined> {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The counts, or what is wrong with the file. While an exam goes on its list may be a part of what there will be. */
async function readCounts(path: string): Promise<ReadonlyMap<string, number> | string> {
  const record = await readRecord(path);
  if (typeof record === 'string') return record;
  if (record.state === 'IN PROGRESS') return new Map();
  return new Map(
    record.series.map(({ seriesInstanceUid, images, others }) => [seriesInstanceUid, images + others]),
  );
}

/** Without the attributes where the file is large: no text can hold the mark, since JSON escapes quotation marks. */
async function readRecord(path: string): Promise<ExamRecord | string> {
  const head = await readBounded(path, HEAD_BYTES);
  const mark = head.length > HEAD_BYTES ? head.indexOf(ATTRIBUTES) : -1;
  const parsed = mark < 0 ? undefined : parseExamRecord(`${head.toString('utf8', 0, mark)}${ATTRIBUTES}}}`);
  if (parsed?.ok === true) return parsed.record;
  const bytes = await readBounded(path, MAX_BYTES);
  if (bytes.length > MAX_BYTES) return 'is too large';
  const whole = parseExamRecord(bytes.toString('utf8'));
  return whole.ok ? whole.record : whole.reason;
}

const reasonOf = (error: unknown): string =>
  codeOf(error) ?? (error instanceof Error ? error.message : String(error));
