/** Removes the exam records of subjects that the streamer erases. */
import type { Erasures, Log } from '@scanflow/runtime';
import type { ExamStore } from './adapters/exam-store.ts';
import type { ExamSummary } from '@scanflow/booking';

/** Finds them by the bookings that the exam was linked to, or that the scanner named. */
export const isErased = (
  { items, links }: Pick<ExamSummary, 'items' | 'links'>,
  erasures: Erasures,
): boolean =>
  [...items, ...links].some(({ accessionNumber }) => erasures.has('accession', accessionNumber)) ||
  items.some(({ studyInstanceUid }) => erasures.has('study', studyInstanceUid)) ||
  links.some(({ studyInstanceUids }) => studyInstanceUids.some((uid) => erasures.has('study', uid)));

/** Whether a record was removed. It logs unreadable erasures, and retries at the next look. */
export async function eraseExams(
  store: Pick<ExamStore, 'erase'>,
  erasures: Erasures,
  log: Log,
): Promise<boolean> {
  try {
    await erasures.refresh();
    const erased = await store.erase((summary) => isErased(summary, erasures));
    if (erased > 0) log.warn('performed.erased', { exams: erased });
    return erased > 0;
  } catch (error) {
    log.error('performed.not-erased', { error });
    return false;
  }
}
