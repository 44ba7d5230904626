/** How much a report of an exam may hold: every query and every change of the worklist looks through what exams name. Pure. */
import { items, type DataSet } from '@scanflow/dicom';
import { MPPS_STATUS, type MppsRefusal } from './mpps.ts';

/** Items of sequences. An exam has one scheduled step, or a few that were grouped; a long one has a hundred series. */
const MOST_ITEMS: Readonly<Record<string, number>> = {
  ScheduledStepAttributesSequence: 100,
  PerformedSeriesSequence: 1_000,
};
const MOST_STUDIES = 100;

/** Why the report is more than we keep; undefined where it is not. PS3.7 annex C: 0213, resource limitation. */
export function oversized(attributes: DataSet): MppsRefusal | undefined {
  for (const [sequence, most] of Object.entries(MOST_ITEMS))
    if (items(attributes, sequence).length > most) return tooMany(sequence, most);
  const steps = items(attributes, 'ScheduledStepAttributesSequence');
  const isOver = steps.some((step) => items(step, 'ReferencedStudySequence').length > MOST_STUDIES);
  return isOver ? tooMany('ReferencedStudySequence', MOST_STUDIES) : undefined;
}

const tooMany = (sequence: string, most: number): MppsRefusal => ({
  status: MPPS_STATUS.noResources,
  comment: `More than ${most} items: ${sequence}`,
});

/** Elements and items of a refused attribute that are sent back with the refusal; of more, only its tag is. */
const MOST_SENT_BACK = 256;

/** Whether an attribute is small enough to be sent back. */
export function isSmall(attributes: DataSet): boolean {
  let left = MOST_SENT_BACK;
  const walk = (given: DataSet): boolean => {
    for (const element of given.values()) {
      left -= 1;
      if (left < 0) return false;
      if (element.kind === 'sequence' && !element.items.every(walk)) return false;
    }
    return true;
  };
  return walk(attributes);
}
