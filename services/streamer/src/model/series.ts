/**
 * The words for a series and its legs: states, targets, reasons, doubts. A state is never set, only derived: from the quiet timer,
 * the quarantine and the legs. docs/states.md is drawn from the legal steps below.
 */
import { isDerivedAccession } from '@scanflow/booking';

export const STORAGE = 'storage';
/** The copy of everything, where the configuration has one. */
export const COPY = 'copy';

export const SERIES_STATES = ['collecting', 'working', 'complete', 'failed', 'quarantined'] as const;
export type SeriesState = (typeof SERIES_STATES)[number];

export const LEG_STATES = ['pending', 'done', 'failed'] as const;
export type LegState = (typeof LEG_STATES)[number];

interface SeriesFacts {
  /** When its quiet timer ends; null where nothing arrived since the last pull. */
  readonly due: number | null;
  readonly quarantined: boolean;
  readonly legs: readonly LegState[];
  /** Stored files are missing or changed, and nobody has acknowledged it. */
  readonly damaged?: boolean;
}

/** What a series is, from what the ledger holds of it. */
export function stateOf({ due, quarantined, legs, damaged = false }: SeriesFacts): SeriesState {
  if (due !== null) return 'collecting';
  if (quarantined) return 'quarantined';
  if (legs.includes('pending') || legs.length === 0) return 'working';
  return damaged || legs.includes('failed') ? 'failed' : 'complete';
}

/** Why something is as it is, for people: a code of docs/failures.md, and a sentence. */
export interface Reason {
  readonly code: string;
  readonly message: string;
}

export const DOUBT_KINDS = ['study', 'spelling', 'time', 'scanner', 'labels'] as const;

export type DoubtKind = (typeof DOUBT_KINDS)[number];

/** A weak sign. The message names values of the images: it is for people, and for no log. */
export interface Doubt {
  readonly kind: DoubtKind;
  readonly message: string;
}

/** What a person should look at; nothing waits for it. */
export type Warning = Reason;

/**
 * `asked`: written down, and on its way to the destination, if it got there. `accepted`: a report is due until `until`.
 * `expired`: none came, and commitment of the images was requested again. `closed`: nobody waits for it any more. `answered`: reported.
 * A late report still counts in each of them but the last.
 */
export type TransactionState = 'asked' | 'accepted' | 'expired' | 'closed' | 'answered';

/**
 * Under this target stand, for good, the instances that a destination got transcoded; `detail` is its
 * transfer syntax. The rows of the destination itself go once all is sent.
 */
export const transcodedTo = (target: string): string => `${TRANSCODED}${target}`;

/** No destination's name has a colon. */
export const TRANSCODED = 'transcoded:';

/** `claimed`: pending, and in a worker's hands until its lease ends. `none`: not there yet. */
type LegStep = 'none' | 'pending' | 'claimed' | 'done' | 'failed';

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
  { from: 'pending', to: 'claimed', why: 'its time has come: a worker claims it' },
  { from: 'claimed', to: 'done', why: 'every image is dealt with' },
  { from: 'claimed', to: 'failed', why: 'an image, or all of it, was given up' },
  { from: 'claimed', to: 'pending', why: 'tried again later, given back, or the lease ran out' },
  { from: 'claimed', to: 'none', why: 'the rule of the destination leaves it out by now' },
  { from: 'pending', to: 'done', why: 'a person gives the destination up' },
  { from: 'failed', to: 'done', why: 'a person gives the destination up' },
  {
    from: 'done',
    to: 'pending',
    why: 'late images, files that may be missing, or a person sends it after all',
  },
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
  {
    from: 'failed',
    to: 'complete',
    why: 'they are there again, or a person acknowledges it or gives a destination up',
  },
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

/** A moment for people and programs, in UTC. */
export const iso = (millis: number): string => Temporal.Instant.fromEpochMilliseconds(millis).toString();

/** Attribute values of a series by keyword, as its first image has them. */
export type Attributes = Readonly<Record<string, string>>;

/**
 * The accession number of a series for the log, where it is one that a booking got: it derives from a hash. A number that somebody typed
 * at a console may be a label or a name, which no log gets.
 */
export function named(accession: string | null | undefined): { readonly accession?: string } {
  const text = (accession ?? '').trim();
  return isDerivedAccession(text) ? { accession: text } : {};
}

/** Fields of a series in a line of the log. */
export const aboutSeries = ({
  series,
  accession,
}: {
  readonly series: string;
  readonly accession?: string | undefined;
}): { readonly series: string; readonly accession?: string } => ({ series, ...named(accession) });
