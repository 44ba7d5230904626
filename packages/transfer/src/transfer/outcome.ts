/** What became of a request, in one row for each of its studies. */
import type { Failure } from '@scanflow/failure';

/**
 * `Unverified`: the source says that it sent everything, and the target cannot be asked. `Interrupted`: it was stopped
 * before it was done.
 */
export type Status = 'Complete' | 'Unverified' | 'Incomplete' | 'Failed' | 'Interrupted';
/** How it was found out what the target holds. */
export type CheckedBy = 'UIDs' | 'counts' | 'source';

export interface Row {
  readonly studyUid: string;
  /** Images at the source. */
  readonly found: number;
  readonly there: number;
  readonly transferred: number;
  readonly missing: number;
  /** Of those that are missing: the source told that they failed. */
  readonly failed: number;
  readonly status: Status;
  readonly checkedBy?: CheckedBy;
  readonly code?: string;
  readonly reason?: string;
}

export const isDone = (rows: readonly Row[], unverified: boolean): boolean =>
  rows.length > 0 &&
  rows.every(({ status }) => status === 'Complete' || (unverified && status === 'Unverified'));

const NOTHING = { studyUid: '', found: 0, there: 0, transferred: 0, missing: 0, failed: 0 } as const;

/** Of a request, or a study, of which nothing could be done. */
export const failedRow = ({ code, message: reason }: Failure, studyUid = ''): Row => ({
  ...NOTHING,
  studyUid,
  status: 'Failed',
  code,
  reason,
});

export const interruptedRow = (studyUid = '', reason = 'It was stopped before this was done.'): Row => ({
  ...NOTHING,
  studyUid,
  status: 'Interrupted',
  reason,
});
