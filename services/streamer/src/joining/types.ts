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
}

/** In `series.json`: the UIDs under which the images of the series came, and what was the same in all of them. */
export interface Joined {
  readonly because: string;
  readonly series: readonly {
    readonly orthancSeries: string;
    readonly studyInstanceUid: string;
    readonly seriesInstanceUid: string;
    readonly images: number;
  }[];
}
