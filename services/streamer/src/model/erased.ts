/** The marks of an erased series, and whether a series bears one. Pure. */
import { defined } from '@scanflow/failure/defined';
import type { Labels } from '@scanflow/booking';
import type { Erasures } from '@scanflow/runtime';
import { permanent } from '@scanflow/failure';
import type { Attributes, Reason } from './series.ts';

export const ERASED = permanent(
  'ERASED',
  'Images of this series, or of its subject, were erased on request; these came again. Delete them from Orthanc, and where they came from.',
);

/** Labels that a person wants to give a series. */
export const ERASED_LABELS = permanent(
  'ERASED',
  'Everything of this subject was erased on request: no series can get these labels. Give the subject a new code.',
);

/** Undefined if nothing of it was erased. `erasures` must be fresh. */
export function erasedReason(
  erasures: Erasures,
  {
    attributes,
    labels,
    instances,
    decided = false,
  }: {
    readonly attributes: Attributes;
    readonly labels: Labels | undefined;
    /** SOP Instance UIDs. */
    readonly instances: readonly string[];
    /** A person set its labels, so another subject's study does not decide whose it is. */
    readonly decided?: boolean;
  },
): Reason | undefined {
  const erased =
    (labels !== undefined && erasures.hasLabels(labels)) ||
    erasures.has('series', attributes['SeriesInstanceUID']) ||
    (!decided && erasures.has('study', attributes['StudyInstanceUID'])) ||
    instances.some((uid) => erasures.has('instance', uid));
  return erased ? { code: ERASED.code, message: ERASED.message } : undefined;
}

/** The part of a re-sent series that may stay in the ledger: nothing that identifies the subject. */
export const anonymous = ({ Modality, SeriesNumber }: Attributes): Attributes =>
  defined({ Modality, SeriesNumber });
