/** What becomes of a worklist item once its exam has begun, has ended, or is long past. */
import type { ExamItem, ExamLink, ExamSummary } from '@scanflow/booking';
import { defined } from '@scanflow/failure/defined';
import { instantOf } from './mpps-report.ts';
import { indexed, type Entry, type Schedule } from './schedule.ts';

/** A step that says IN PROGRESS for longer than this after its start is taken to have been forgotten. */
export const STALE_AFTER_HOURS = 24;

/** Whether the scanner began the step and never ended it. `now` is a UTC instant. */
export function isStale(step: ExamSummary, now: Temporal.Instant): boolean {
  if (step.state !== 'IN PROGRESS') return false;
  // a scanner's clock that runs ahead must not keep a step for ever
  const created = Temporal.Instant.from(step.created);
  const started = Temporal.Instant.from(step.started ?? step.created);
  const from = Temporal.Instant.compare(started, created) > 0 ? created : started;
  return Temporal.Instant.compare(now, from.add({ hours: STALE_AFTER_HOURS })) > 0;
}

/**
 * Whether a link means this entry: by accession number, else by study; another step ID is another step. Study and step ID
 * together mean it where nothing has the accession number: somebody typed it anew at the console.
 */
export function isLinked(
  link: ExamLink,
  entry: Entry,
  isScheduled: (accessionNumber: string) => boolean,
): boolean {
  if (link.scheduledStepId !== '' && entry.stepId !== '' && link.scheduledStepId !== entry.stepId)
    return false;
  const isOfStudy = entry.studyInstanceUid !== '' && link.studyInstanceUids.includes(entry.studyInstanceUid);
  if (link.accessionNumber === '' || entry.accessionNumber === '') return isOfStudy;
  if (link.accessionNumber === entry.accessionNumber) return true;
  const isOfStep = isOfStudy && entry.stepId !== '' && link.scheduledStepId === entry.stepId;
  return isOfStep && !isScheduled(link.accessionNumber);
}

/** An entry that a link led to, and what a record keeps of it. */
export interface LinkedItem {
  readonly entry: Entry;
  readonly item: ExamItem;
}

/** The items of the worklist that the links lead to. */
export function linkedItems(
  links: readonly ExamLink[],
  { byAccession, byStudy }: Pick<Schedule, 'byAccession' | 'byStudy'>,
  timezone: string,
): LinkedItem[] {
  const isScheduled = (accessionNumber: string): boolean => byAccession.has(indexed(accessionNumber));
  const found = new Set(
    links.flatMap((link) =>
      [
        ...(byAccession.get(indexed(link.accessionNumber)) ?? []),
        ...link.studyInstanceUids.flatMap((uid) => byStudy.get(indexed(uid)) ?? []),
      ].filter((entry) => isLinked(link, entry, isScheduled)),
    ),
  );
  return [...found].map((entry) => ({ entry, item: itemOf(entry, timezone) }));
}

function itemOf(entry: Entry, timezone: string): ExamItem {
  const start = startOf(entry, timezone);
  return {
    accessionNumber: entry.accessionNumber,
    studyInstanceUid: entry.studyInstanceUid,
    scheduledStepId: entry.stepId,
    ...defined({ start }),
  };
}

/** What was known before, and what is on the worklist now: the first start that was seen counts. */
export function joinItems(before: readonly ExamItem[], now: readonly ExamItem[]): ExamItem[] {
  return [...before, ...now.filter((item) => !before.some((other) => isSameItem(other, item)))];
}

const isSameItem = (one: ExamItem, other: ExamItem): boolean =>
  one.accessionNumber === other.accessionNumber &&
  one.studyInstanceUid === other.studyInstanceUid &&
  one.scheduledStepId === other.scheduledStepId;

/** Scheduled start as a UTC instant; a day without a time, or with none that can be read, ends before it counts as begun. */
export function startOf({ startDate, startTime }: Entry, timezone: string): string | undefined {
  return instantOf(startDate, startTime, timezone) ?? instantOf(startDate, '235959', timezone);
}

/** Steps by what they are linked by, so that each entry looks at few of them. */
export interface ExamIndex {
  stepsOf(entry: Entry): ExamSummary[];
}

export function indexSteps(
  steps: Iterable<ExamSummary>,
  { byAccession: scheduled }: Pick<Schedule, 'byAccession'>,
): ExamIndex {
  const byAccession = new Map<string, Set<ExamSummary>>();
  const byStudy = new Map<string, Set<ExamSummary>>();
  for (const step of steps)
    for (const { accessionNumber, studyInstanceUids } of step.links) {
      if (accessionNumber !== '') add(byAccession, accessionNumber, step);
      for (const uid of studyInstanceUids) add(byStudy, uid, step);
    }
  return {
    stepsOf: (entry) => {
      const near = new Set([
        ...(byAccession.get(entry.accessionNumber) ?? []),
        ...(byStudy.get(entry.studyInstanceUid) ?? []),
      ]);
      return [...near].filter(({ links, items }) => {
        const isScheduled = (accessionNumber: string): boolean =>
          scheduled.has(indexed(accessionNumber)) ||
          items.some((item) => item.accessionNumber === accessionNumber);
        return links.some((link) => isLinked(link, entry, isScheduled));
      });
    },
  };
}

function add(map: Map<string, Set<ExamSummary>>, key: string, step: ExamSummary): void {
  const set = map.get(key);
  if (set === undefined) map.set(key, new Set([step]));
  else set.add(step);
}

/** `in progress` now, or how it ended; undefined if no scanner has reported it, or only for the wrong item. */
export type ExamProgress = 'in progress' | 'completed' | 'discontinued';

/**
 * The state of an entry's exam by the steps linked to it. One that runs decides: an exam that was stopped and begun
 * again is in progress. Else the last that ended does. An appointment that was moved to a time after the exam's end
 * is another one and has no exam yet.
 */
export function examProgress(
  entry: Entry,
  steps: readonly ExamSummary[],
  timezone: string,
  now: Temporal.Instant,
): ExamProgress | undefined {
  const running = steps.some((step) => step.state === 'IN PROGRESS' && !isStale(step, now));
  if (running) return 'in progress';
  const start = startOf(entry, timezone);
  const [last] = steps
    .filter((step) => step.state !== 'IN PROGRESS' && !step.wrongItem && !isMoved(entry, start, step))
    .sort((a, b) => (a.updated < b.updated ? 1 : -1));
  if (last === undefined) return undefined;
  return last.state === 'COMPLETED' ? 'completed' : 'discontinued';
}

/** Whether the entry now stands at another time than when the step was linked to it, and after the step's end. */
function isMoved(entry: Entry, start: string | undefined, step: ExamSummary): boolean {
  const then = step.items.find(
    (item) => item.accessionNumber === entry.accessionNumber && item.scheduledStepId === entry.stepId,
  );
  if (then?.start === undefined || start === undefined || then.start === start) return false;
  return Temporal.Instant.compare(start, step.ended ?? step.updated) > 0;
}
