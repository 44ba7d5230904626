/** Series that count as one. */
import type { JoinTraits } from './rule.ts';

/** What arrived and may be a part of another series; none where nothing is joined. */
export interface Joinable {
  readonly traits: ReadonlyMap<string, JoinTraits>;
  readonly withinMs: number;
}

/** A series of Orthanc's that counts for another one in the ledger, or leads such ones itself. */
export interface Member {
  readonly series: string;
  readonly study: string;
  readonly uid: string;
  /** digestOf() its own images when it was stored last. */
  readonly digest: string | undefined;
  /** By what further parts are known; undefined: there are none. */
  readonly traits: Pick<JoinTraits, 'alike' | 'at'> | undefined;
}

/** In `series.json`: the UIDs under which the images of the series came, and what was the same in all of them. */
export interface Joined {
  readonly because: string;
  /** One text for all that was the same: by it a part that comes later is known, also by a new ledger. */
  readonly alike?: string;
  readonly series: readonly {
    readonly orthancSeries: string;
    readonly studyInstanceUid: string;
    readonly seriesInstanceUid: string;
    /** By the scanner's clock. */
    readonly begun?: string;
    readonly images: number;
  }[];
}

/** In `series.json` of a series that came under one UID so far: by what a part that comes later is known. */
export interface RecordedTraits {
  readonly alike: string;
  readonly begun: string;
}
