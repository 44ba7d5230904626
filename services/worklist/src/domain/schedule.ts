/** The worklist in memory: immutable, ordered by start, indexed by station; replaced as a whole when files change. */
import { items, normalDate, tagOf, text, texts, type DataSet } from '@scanflow/dicom';

/** One scheduled procedure step of one file, ready to be matched. */
export interface Entry {
  /** Name of the file it was read from. */
  readonly file: string;
  /** The worklist item with exactly one Scheduled Procedure Step. */
  readonly item: DataSet;
  readonly accessionNumber: string;
  readonly studyInstanceUid: string;
  readonly stepId: string;
  /** Scheduled Station AE Titles; more than one for a step that may run on any of them. */
  readonly stations: readonly string[];
  readonly modality: string;
  /** Start as DICOM writes it, `YYYYMMDD` and `HHMMSS…`; empty where the item does not say. */
  readonly startDate: string;
  readonly startTime: string;
  /** The start date as YYYYMMDD whatever way the item writes it; empty where it is none. */
  readonly day: string;
}

/** Entries under each value that they have, in order of start; the values as `indexed` gives them. */
export type Index = ReadonlyMap<string, readonly Entry[]>;

export interface Schedule {
  /** In order of start. */
  readonly entries: readonly Entry[];
  readonly byStation: Index;
  readonly byAccession: Index;
  readonly byStudy: Index;
  readonly byPatient: Index;
  /** Whether no entry has several start dates, so that the order of start is that of all its days. */
  readonly oneDayEach: boolean;
}

const stepSequence = tagOf('ScheduledProcedureStepSequence');

/** How a value stands in an index: what matching takes for equal is equal. */
export const indexed = (value: string): string => value.normalize('NFC');

/**
 * What a file's data set puts on the worklist: an entry per Scheduled Procedure Step, since a response describes
 * exactly one (PS3.4 K.6.1.2.1). Empty where the data set schedules nothing.
 */
export function entriesOf(file: string, dataSet: DataSet): Entry[] {
  const steps = items(dataSet, 'ScheduledProcedureStepSequence');
  return steps.map((step) => entryOf(file, steps.length === 1 ? dataSet : withStep(dataSet, step), step));
}

function entryOf(file: string, item: DataSet, step: DataSet): Entry {
  const startDate = text(step, 'ScheduledProcedureStepStartDate') ?? '';
  const stations = texts(step, 'ScheduledStationAETitle');
  const day = normalDate(startDate) ?? '';
  return {
    file,
    item,
    accessionNumber: text(item, 'AccessionNumber') ?? '',
    studyInstanceUid: text(item, 'StudyInstanceUID') ?? '',
    stepId: text(step, 'ScheduledProcedureStepID') ?? '',
    stations: stations.includes('') ? stations.filter((station) => station !== '') : stations,
    modality: text(step, 'Modality') ?? '',
    startDate,
    startTime: text(step, 'ScheduledProcedureStepStartTime') ?? '',
    // nearly always the same text, which then is in memory once
    day: day === startDate ? startDate : day,
  };
}

const withStep = (dataSet: DataSet, step: DataSet): DataSet =>
  new Map(dataSet).set(stepSequence, { vr: 'SQ', kind: 'sequence', items: [step] });

/** The schedule of all entries, earliest start first. */
export function buildSchedule(entries: Iterable<Entry>): Schedule {
  const sorted = [...entries].sort(byStart);
  return {
    entries: sorted,
    byStation: indexOf(sorted, ({ stations }) => stations),
    byAccession: indexOf(sorted, ({ item }) => texts(item, 'AccessionNumber')),
    byStudy: indexOf(sorted, ({ item }) => texts(item, 'StudyInstanceUID')),
    byPatient: indexOf(sorted, ({ item }) => texts(item, 'PatientID')),
    oneDayEach: sorted.every(({ item }) => startDates(item) < 2),
  };
}

/** A worklist without items. */
export const emptySchedule: Schedule = buildSchedule([]);

function indexOf(sorted: readonly Entry[], valuesOf: (entry: Entry) => readonly string[]): Index {
  const index = new Map<string, Entry[]>();
  for (const entry of sorted) {
    const values = valuesOf(entry).map(indexed);
    for (const value of values.length < 2 ? values : new Set(values)) {
      const list = index.get(value);
      if (list === undefined) index.set(value, [entry]);
      else list.push(entry);
    }
  }
  return index;
}

const startDates = (item: DataSet): number =>
  items(item, 'ScheduledProcedureStepSequence').reduce(
    (count, step) => count + texts(step, 'ScheduledProcedureStepStartDate').length,
    0,
  );

/** What makes two entries the same step; undefined where it lacks an identity and nothing distinguishes it. */
export function stepKey(entry: Entry): string | undefined {
  return entry.studyInstanceUid === '' || entry.stepId === ''
    ? undefined
    : `${entry.studyInstanceUid}\\${entry.stepId}`;
}

/** Order of start; by accession number and file where that is the same. */
export function byStart(a: Entry, b: Entry): number {
  return (
    compare(a.day, b.day) ||
    compare(a.startDate, b.startDate) ||
    compare(a.startTime, b.startTime) ||
    compare(a.accessionNumber, b.accessionNumber) ||
    compare(a.file, b.file)
  );
}

/** By code unit: the same on every machine, whatever its locale. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
