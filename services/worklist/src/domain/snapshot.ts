/** What the folder held when it was last read: a state per file, and the schedule made of the good ones. */
import {
  DicomDecodeError,
  decodeDataSet,
  readPart10Header,
  type DataSet,
  formatTag,
  isValidText,
  keywordOf,
  tagOf,
  text,
} from '@scanflow/dicom';
import { assumedSets } from './access.ts';
import {
  createPacker,
  type Packer,
  buildSchedule,
  emptySchedule,
  entriesOf,
  stepKey,
  type Entry,
  type Schedule,
} from './schedule.ts';

/** Something about a file that a person should know. No patient attribute stands in the message. */
export interface Problem {
  readonly file: string;
  readonly code:
    | 'TOO_LARGE'
    | 'UNREADABLE'
    | 'BROKEN'
    | 'NOT_A_WORKLIST_ITEM'
    | 'INCOMPLETE'
    | 'MALFORMED'
    | 'TEXT_ASSUMED'
    | 'DUPLICATE'
    | 'NOT_A_FILE';
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
  readonly problems: readonly Problem[];
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

/** How the files of one reading are read. */
export interface Reading {
  readonly pack: Packer;
  /** Character sets of text that declares none, or another one than it is written in; the first that defines it counts. */
  readonly assumed: readonly string[];
}

/** What a file's bytes put on the worklist. Never throws for content. */
export function readItem(
  file: string,
  bytes: Uint8Array,
  { pack, assumed }: Reading = { pack: createPacker(), assumed: assumedSets(undefined) },
): Pick<FileState, 'entries' | 'problems'> {
  try {
    const header = readPart10Header(bytes);
    if ('needMore' in header) return broken(file, 'BROKEN', 'ends within its header');
    const { dataSet, flaw } = decode(bytes.subarray(header.dataSetOffset), header.transferSyntax, assumed);
    return judge(file, pack(dataSet), flaw);
  } catch (error) {
    if (!(error instanceof DicomDecodeError)) throw error;
    return broken(file, 'BROKEN', `${error.code}: ${error.message}`);
  }
}

/** `flaw`: its text is not in the character set that it declares. An item that looks odd beats one that is not there. */
function decode(
  bytes: Uint8Array,
  transferSyntax: string,
  assumed: readonly string[],
): { readonly dataSet: DataSet; readonly flaw?: string } {
  try {
    return { dataSet: decodeDataSet(bytes, transferSyntax) };
  } catch (error) {
    if (!(error instanceof DicomDecodeError) || !TEXT_ERRORS.has(error.code)) throw error;
    const dataSet = decodeDataSet(bytes, transferSyntax, { assumed, undecodable: 'replace' });
    const read = `read as ${assumed.join(', else ')} (worklist.assumedCharacterSet)`;
    return { dataSet, flaw: `${error.message}; ${read}` };
  }
}

const TEXT_ERRORS: ReadonlySet<string> = new Set(['BAD_TEXT', 'CHARACTER_SET']);

function judge(
  file: string,
  item: DataSet,
  flaw: string | undefined,
): Pick<FileState, 'entries' | 'problems'> {
  const entries = entriesOf(file, item);
  if (entries.length === 0)
    return broken(file, 'NOT_A_WORKLIST_ITEM', 'holds no Scheduled Procedure Step (0040,0100)');
  const missing = missingIn(item, entries);
  const malformed = malformedIn(item);
  const served = (code: Problem['code'], message: string): Problem => ({ file, code, message, served: true });
  const problems = [
    ...(missing.length === 0
      ? []
      : [served('INCOMPLETE', `scanners may not show it: ${missing.join(', ')} empty or absent`)]),
    ...(malformed.length === 0
      ? []
      : [served('MALFORMED', `scanners may not find or show it, not valid: ${malformed.join(', ')}`)]),
    ...(flaw === undefined ? [] : [served('TEXT_ASSUMED', flaw)]),
  ];
  return { entries, problems };
}

const broken = (
  file: string,
  code: Problem['code'],
  message: string,
): Pick<FileState, 'entries' | 'problems'> => ({ entries: [], problems: [problem(file, code, message)] });

/** A problem of a file that is not served. */
export const problem = (file: string, code: Problem['code'], message: string): Problem => ({
  file,
  code,
  message,
  served: false,
});

/** The snapshot of a folder that could be read. Of two files that schedule the same step the newer one is served. */
export function snapshotOf(files: ReadonlyMap<string, FileState>, opened: number): Snapshot {
  const chosen = new Map<string, Entry>();
  const anonymous: Entry[] = [];
  const problems = [...files.values()].flatMap((state) => state.problems);
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

/** Return keys of type 1 (PS3.4 table K.6-1): GE, Siemens and other consoles drop an item without some of them. */
const ROOT = ['PatientName', 'PatientID', 'StudyInstanceUID', 'RequestedProcedureID'] as const;

/** Keywords of what is empty or absent. */
export function missingIn(item: DataSet, entries: readonly Entry[]): string[] {
  const lacks = (valueOf: (entry: Entry) => string | undefined): boolean =>
    entries.some((entry) => (valueOf(entry) ?? '') === '');
  const step: readonly (readonly [string, boolean])[] = [
    ['ScheduledStationAETitle', lacks(({ stations }) => stations[0])],
    ['ScheduledProcedureStepStartDate', lacks(({ startDate }) => startDate)],
    ['ScheduledProcedureStepStartTime', lacks(({ startTime }) => startTime)],
    ['Modality', lacks(({ modality }) => modality)],
    ['ScheduledProcedureStepID', lacks(({ stepId }) => stepId)],
  ];
  return [
    ...ROOT.filter((keyword) => text(item, keyword) === undefined),
    ...step.filter(([, isMissing]) => isMissing).map(([keyword]) => keyword),
  ];
}

/** What a value has to be, in words. */
const FORMS: Readonly<Record<string, string>> = {
  AE: 'at most 16 ASCII characters',
  AS: 'three digits and D, W, M or Y',
  CS: 'at most 16 capitals, digits, blanks and underscores',
  DA: 'YYYYMMDD of a day that exists',
  DS: 'a number of at most 16 characters',
  DT: 'YYYYMMDDHHMMSS',
  IS: 'a whole number of at most 12 characters',
  LO: 'at most 64 characters',
  PN: 'at most 64 characters in each group',
  SH: 'at most 16 characters',
  TM: 'HHMMSS of a time that exists',
  UI: 'digits and dots, at most 64, no number with a zero before it',
};

const CHARACTER_SET = tagOf('SpecificCharacterSet');

/** `Keyword (what a value has to be)` of each attribute, at any depth, with a value that is none of its VR (PS3.5 table 6.2-1). */
export function malformedIn(item: DataSet): string[] {
  const found = [...item].flatMap(([tag, element]): string[] => {
    if (element.kind === 'sequence') return element.items.flatMap(malformedIn);
    const { vr } = element;
    // how the file is written, and no matter of the scanner's
    if (tag === CHARACTER_SET) return [];
    if (element.kind !== 'text' || element.values.every((value) => isValidText(vr, value))) return [];
    return [`${keywordOf(tag) ?? formatTag(tag)} (${FORMS[vr] ?? `no ${vr}`})`];
  });
  return [...new Set(found)];
}
