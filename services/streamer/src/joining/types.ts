/** What joining needs from the ledger. */
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

export interface JoinLedger {
  /** All series that count as this one, the one that leads first; none where it is alone. */
  readonly members: (lead: string) => Promise<readonly Member[]>;
  /** Each of these groups becomes a series of its own, and is looked at now. */
  readonly part: (groups: readonly (readonly string[])[], now: number) => Promise<void>;
  /** As `series.json` says, for a ledger that is made anew. */
  readonly rejoin: (lead: string, members: readonly Omit<Member, 'digest'>[]) => Promise<void>;
}
