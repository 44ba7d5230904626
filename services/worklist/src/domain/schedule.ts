/** The worklist in memory: immutable, ordered by start, indexed by station; replaced as a whole when files change. */
import { items, tagOf, text, texts, type DataSet } from '@scanflow/dicom';

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
}

export interface Schedule {
  readonly entries: readonly Entry[];
  readonly byStation: ReadonlyMap<string, readonly Entry[]>;
}

/** A worklist without items. */
export const emptySchedule: Schedule = { entries: [], byStation: new Map() };

const stepSequence = tagOf('ScheduledProcedureStepSequence');

/**
 * What a file's data set puts on the worklist: an entry per Scheduled Procedure Step, since a response describes
 * exactly one (PS3.4 K.6.1.2.1). Empty where the data set schedules nothing.
 */
export function entriesOf(file: string, dataSet: DataSet): Entry[] {
  const steps = items(dataSet, 'ScheduledProcedureStepSequence');
  return steps.map((step) => ({
    file,
    item: steps.length === 1 ? dataSet : withStep(dataSet, step),
    accessionNumber: text(dataSet, 'AccessionNumber') ?? '',
    studyInstanceUid: text(dataSet, 'StudyInstanceUID') ?? '',
    stepId: text(step, 'ScheduledProcedureStepID') ?? '',
    stations: texts(step, 'ScheduledStationAETitle').filter((station) => station !== ''),
    modality: text(step, 'Modality') ?? '',
    startDate: text(step, 'ScheduledProcedureStepStartDate') ?? '',
    startTime: text(step, 'ScheduledProcedureStepStartTime') ?? '',
  }));
}

const withStep = (dataSet: DataSet, step: DataSet): DataSet =>
  new Map(dataSet).set(stepSequence, { vr: 'SQ', kind: 'sequence', items: [step] });

/** The schedule of all entries, earliest start first. */
export function buildSchedule(entries: Iterable<Entry>): Schedule {
  const sorted = [...entries].sort(byStart);
  const byStation = new Map<string, Entry[]>();
  for (const entry of sorted)
    for (const station of new Set(entry.stations)) {
      const list = byStation.get(station);
      if (list === undefined) byStation.set(station, [entry]);
      else list.push(entry);
    }
  return { entries: sorted, byStation };
}

/** What makes two entries the same step; undefined where it lacks an identity and cannot be told apart. */
export function stepKey(entry: Entry): string | undefined {
  return entry.studyInstanceUid === '' || entry.stepId === ''
    ? undefined
    : `${entry.studyInstanceUid}\\${entry.stepId}`;
}

function byStart(a: Entry, b: Entry): number {
  return (
    compare(a.startDate, b.startDate) ||
    compare(a.startTime, b.startTime) ||
    compare(a.accessionNumber, b.accessionNumber) ||
    compare(a.file, b.file)
  );
}

/** By code unit: the same on every machine, whatever its locale. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
