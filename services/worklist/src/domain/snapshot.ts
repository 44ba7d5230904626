/** What the folder held when it was last read: a state per file, and the schedule made of the good ones. */
import { buildSchedule, emptySchedule, entriesOf, stepKey, type Entry, type Schedule } from './schedule.ts';
import { createPacker, type Packer } from './pack.ts';
import { DicomDecodeError, decodeDataSet, readPart10Header, text, type DataSet } from '@scanflow/dicom';

/** Something about a file that a person should know. No patient attribute stands in the message. */
export interface Problem {
  readonly file: string;
  readonly code:
    'TOO_LARGE' | 'UNREADABLE' | 'BROKEN' | 'NOT_A_WORKLIST_ITEM' | 'INCOMPLETE' | 'DUPLICATE' | 'NOT_A_FILE';
  readonly message: string;
  /** Whether its items are on the worklist all the same. */
  readonly served: boolean;
}

/** One file as it was last read. */
export interface FileState {
  /** Changes when the file does. */
  readonly signature: string;
  readonly modifiedMs: number;
  readonly entries: readonly Entry[];
  readonly problem?: Problem;
  /** It was changing while it was read: it must be read again. */
  readonly unsettled: boolean;
}

export interface Snapshot {
  readonly files: ReadonlyMap<string, FileState>;
  readonly schedule: Schedule;
  readonly problems: readonly Problem[];
  /** `missing` before the folder first appears; `failed` when it cannot be read and the last state stays. */
  readonly folder: 'present' | 'missing' | 'failed';
  /** Why the folder could not be read. */
  readonly failure?: string;
  /** How many files this reading opened. */
  readonly opened: number;
}

/** Before anything was read. */
export const emptySnapshot: Snapshot = {
  files: new Map(),
  schedule: emptySchedule,
  problems: [],
  folder: 'missing',
  opened: 0,
};

/** What a file's bytes put on the worklist. Never throws for content. */
export function readItem(
  file: string,
  bytes: Uint8Array,
  pack: Packer = createPacker(),
): { entries: Entry[]; problem?: Problem } {
  let dataSet: DataSet;
  try {
    const header = readPart10Header(bytes);
    if ('needMore' in header)
      return { entries: [], problem: problem(file, 'BROKEN', 'ends within its header') };
    dataSet = pack(decodeDataSet(bytes.subarray(header.dataSetOffset), header.transferSyntax));
  } catch (error) {
    if (!(error instanceof DicomDecodeError)) throw error;
    return { entries: [], problem: problem(file, 'BROKEN', `${error.code}: ${error.message}`) };
  }
  const entries = entriesOf(file, dataSet);
  if (entries.length === 0)
    return {
      entries,
      problem: problem(file, 'NOT_A_WORKLIST_ITEM', 'holds no Scheduled Procedure Step (0040,0100)'),
    };
  const missing = missingFor(dataSet, entries);
  if (missing.length === 0) return { entries };
  const message = `scanners may not show it: ${missing.join(', ')} empty or absent`;
  return { entries, problem: { ...problem(file, 'INCOMPLETE', message), served: true } };
}

/** A problem of a file that is not served. */
export const problem = (file: string, code: Problem['code'], message: string): Problem => ({
  file,
  code,
  message,
  served: false,
});

/** The attributes without which GE and Siemens consoles drop an item. */
function missingFor(dataSet: DataSet, entries: readonly Entry[]): string[] {
  const root = ['PatientName', 'PatientID', 'StudyInstanceUID'].filter(
    (keyword) => (text(dataSet, keyword) ?? '') === '',
  );
  const steps = [
    ...(entries.some(({ stations }) => stations.length === 0) ? ['ScheduledStationAETitle'] : []),
    ...(entries.some(({ startDate }) => !/^\d{8}$/.test(startDate))
      ? ['ScheduledProcedureStepStartDate']
      : []),
  ];
  return [...root, ...steps];
}

/** The snapshot of a folder that could be read. Of two files that schedule the same step the newer one is served. */
export function snapshotOf(files: ReadonlyMap<string, FileState>, opened: number): Snapshot {
  const chosen = new Map<string, Entry>();
  const anonymous: Entry[] = [];
  const problems = [...files.values()].flatMap((state) => state.problem ?? []);
  for (const [file, state] of [...files].sort(newestFirst))
    for (const entry of state.entries) {
      const key = stepKey(entry);
      const first = key === undefined ? undefined : chosen.get(key);
      if (key === undefined) anonymous.push(entry);
      else if (first === undefined) chosen.set(key, entry);
      else
        problems.push(problem(file, 'DUPLICATE', `schedules the same step as ${first.file}, which is newer`));
    }
  return {
    files,
    schedule: buildSchedule([...chosen.values(), ...anonymous]),
    problems,
    folder: 'present',
    opened,
  };
}

const newestFirst = ([nameA, a]: [string, FileState], [nameB, b]: [string, FileState]): number =>
  b.modifiedMs - a.modifiedMs || (nameA < nameB ? -1 : 1);
