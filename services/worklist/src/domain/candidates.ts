/** The few entries that can match a query, by the indexes of the schedule; which of them do is for the matcher to say. */
import { element, items, parseRange, type DataSet } from '@scanflow/dicom';
import { isOf } from './access.ts';
import { byStart, indexed, type Entry, type Index, type Schedule } from './schedule.ts';

/**
 * The entries that can match, in order of start: those of the study, accession number or patient that the query names,
 * else those of its stations, or all, on its days. `stations` are the caller's view.
 */
export function candidates(
  schedule: Schedule,
  identifier: DataSet,
  stations: readonly string[] | undefined,
): readonly Entry[] {
  const inView = (entries: readonly Entry[]): readonly Entry[] =>
    stations === undefined ? entries : entries.filter((entry) => isOf(entry, stations));
  const named =
    lookUp(schedule.byStudy, exactValues(identifier, 'StudyInstanceUID', 'UI')) ??
    lookUp(schedule.byAccession, exactValues(identifier, 'AccessionNumber', 'SH')) ??
    lookUp(schedule.byPatient, exactValues(identifier, 'PatientID', 'LO'));
  if (named !== undefined) return inView(named);
  const steps = items(identifier, 'ScheduledProcedureStepSequence');
  // with several items in the key, any one of them may match
  const [step] = steps.length === 1 ? steps : [];
  const asked = step && lookUp(schedule.byStation, exactValues(step, 'ScheduledStationAETitle', 'AE'));
  if (asked !== undefined) return inView(onDays(asked, schedule, step));
  return onDays(lookUp(schedule.byStation, stations) ?? schedule.entries, schedule, step);
}

/**
 * The values of a key that are matched as they are; undefined where the key is universal, has a wild card, or a VR
 * that is matched by other rules.
 */
function exactValues(keys: DataSet, keyword: string, vr: string): string[] | undefined {
  const key = element(keys, keyword);
  if (key?.kind !== 'text' || key.vr !== vr) return undefined;
  const given = key.values.filter((value) => value !== '');
  return given.length > 0 && given.every((value) => !/[*?]/.test(value)) ? given : undefined;
}

function lookUp(index: Index, values: readonly string[] | undefined): readonly Entry[] | undefined {
  if (values === undefined) return undefined;
  const lists = [...new Set(values.map(indexed))].flatMap((value) => {
    const list = index.get(value);
    return list === undefined ? [] : [list];
  });
  const [first = []] = lists;
  return lists.length < 2 ? first : [...new Set(lists.flat())].sort(byStart);
}

/** Those of the list, which is in order of start, that can start on the days of the step's key. */
function onDays(
  entries: readonly Entry[],
  { oneDayEach }: Schedule,
  step: DataSet | undefined,
): readonly Entry[] {
  const key = step && element(step, 'ScheduledProcedureStepStartDate');
  if (!oneDayEach || key?.kind !== 'text' || key.vr !== 'DA' || key.values.length !== 1) return entries;
  const range = parseRange('DA', key.values[0] ?? '');
  if (range === undefined) return entries;
  const { low, high } = range;
  const from = low === undefined ? 0 : firstWhere(entries, ({ day }) => day >= low);
  const to = high === undefined ? entries.length : firstWhere(entries, ({ day }) => day > high);
  return entries.slice(from, to);
}

/** Place of the first entry that has it, in a list where all after it have it too. */
function firstWhere(entries: readonly Entry[], has: (entry: Entry) => boolean): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = entries[middle];
    if (entry !== undefined && has(entry)) high = middle;
    else low = middle + 1;
  }
  return low;
}
