/** What may become of a leg, of a series and of a request for commitment: every legal step, with its reason. docs/states.md is drawn from it. */
import type { TransactionState } from '../commitment/plan.ts';
import type { SeriesState } from './series.ts';

/** `held`: pending, and in a worker's hands until its lease ends. `none`: not there yet. */
export type LegStep = 'none' | 'pending' | 'held' | 'done' | 'failed';

export interface Transition<State extends string> {
  readonly from: State;
  readonly to: State;
  readonly why: string;
}

/** A series on its way to one target. */
export const LEG_TRANSITIONS: readonly Transition<LegStep>[] = [
  {
    from: 'none',
    to: 'pending',
    why: 'the series is due, a destination wants it, or a person sends it there',
  },
  { from: 'pending', to: 'held', why: 'its time has come: a worker claims it' },
  { from: 'held', to: 'done', why: 'every image is dealt with' },
  { from: 'held', to: 'failed', why: 'an image, or all of it, was given up' },
  { from: 'held', to: 'pending', why: 'tried again later, given back, or the lease ran out' },
  { from: 'held', to: 'none', why: 'the rule of the destination leaves it out by now' },
  { from: 'done', to: 'pending', why: 'late images, or files that may be missing' },
  { from: 'failed', to: 'pending', why: 'late images, or a person retries' },
];

/** All of a series; what it is follows from its quiet timer, its quarantine and its legs (`stateOf`). */
export const SERIES_TRANSITIONS: readonly Transition<SeriesState | 'none'>[] = [
  { from: 'none', to: 'collecting', why: 'its first image arrives' },
  { from: 'collecting', to: 'working', why: 'quiet for long enough' },
  { from: 'working', to: 'complete', why: 'every leg is done' },
  { from: 'working', to: 'failed', why: 'a leg failed, none is pending' },
  { from: 'working', to: 'quarantined', why: 'nobody can tell its project' },
  { from: 'working', to: 'collecting', why: 'late images, or released' },
  { from: 'complete', to: 'collecting', why: 'late images, or released' },
  { from: 'failed', to: 'collecting', why: 'late images, or released' },
  { from: 'quarantined', to: 'collecting', why: 'late images, or released' },
  { from: 'failed', to: 'working', why: 'a person retries' },
  { from: 'complete', to: 'failed', why: 'stored files are missing or changed' },
  { from: 'failed', to: 'complete', why: 'they are there again, or a person acknowledges it' },
  {
    from: 'complete',
    to: 'working',
    why: 'a person sends it to one more destination, or files may be missing',
  },
];

/** One request for storage commitment (its transaction UID), on the leg `commitment:NAME`. */
export const REQUEST_TRANSITIONS: readonly Transition<TransactionState | 'none'>[] = [
  { from: 'none', to: 'asked', why: 'written down before it goes out' },
  { from: 'asked', to: 'none', why: 'it never got there, or was refused' },
  { from: 'asked', to: 'accepted', why: 'the destination took it; a report is due' },
  { from: 'asked', to: 'answered', why: 'the report was faster than the response' },
  { from: 'asked', to: 'closed', why: 'killed in between: requested anew under another UID' },
  { from: 'accepted', to: 'answered', why: 'the report came' },
  { from: 'accepted', to: 'expired', why: 'no report in time: requested anew under another UID' },
  { from: 'accepted', to: 'closed', why: 'no report in time for the last time, or all settled by another' },
  { from: 'expired', to: 'answered', why: 'a late report' },
  { from: 'expired', to: 'closed', why: 'all of it is settled, or given up' },
  { from: 'closed', to: 'answered', why: 'a late report' },
];

/** Whether a series may go from one state to the other; staying is no step. */
export const isLegal = (from: SeriesState, to: SeriesState): boolean =>
  from === to || SERIES_TRANSITIONS.some((step) => step.from === from && step.to === to);
