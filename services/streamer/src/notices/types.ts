/** The words of notices: a matter, who hears of it, and how far that is. */
import type { NoticeState, Recipient, Role } from '@scanflow/notify';
import type { Millis } from '../ledger/tx.ts';
import type { BidsReport } from '../reports/session.ts';

export type { NoticeState, Recipient, Role };

export interface Item {
  /** It is known by this id; another id is news. */
  readonly id: string;
  readonly text: string;
}

/** Something that people should know, as it is now. */
export interface Matter {
  /** The same for as long as it is the same matter: `quarantine`, `calendar:prisma`, `session:…`. */
  readonly key: string;
  readonly role: Role;
  readonly topic: string;
  readonly to: readonly Recipient[];
  /** Something that happened, which cannot be resolved: people hear of it once for each of its ids. */
  readonly event: boolean;
  /** Waits for nothing. */
  readonly urgent: boolean;
  readonly heading: string;
  readonly items: readonly Item[];
  /** So many more than the items. */
  readonly more: number;
  readonly paragraphs: readonly string[];
  readonly link?: string | undefined;
}

/** What one recipient knows of one matter. */
export interface Thread {
  readonly matter: string;
  readonly recipient: Recipient;
  readonly topic: string;
  readonly role: Role;
  readonly heading: string;
  /** Ids of what was told. */
  readonly told: readonly string[];
  readonly since: Millis;
  readonly gone: Millis | undefined;
  readonly toldAt: Millis | undefined;
  /** The message that is not delivered yet. `fixed`: somebody sends it now, or it may have got there. */
  readonly pending?: { readonly id: string; readonly kind: NoticeState; readonly fixed: boolean } | undefined;
}

/** A matter that is no more, and how people hear of it: with these words, or not at all. */
export interface Closing {
  readonly heading: string;
  readonly paragraphs: readonly string[];
}

/** All that is known at one moment. */
export interface Picture {
  readonly matters: readonly Matter[];
  /** Beginnings of keys whose state nobody knows now: what people know of them stays. */
  readonly unknown: readonly string[];
  /** Of matters that are no more: their words; undefined: nobody is told. Others: the usual words. */
  readonly closings: ReadonlyMap<string, Closing | undefined>;
}

/** A series that is not where it belongs. */
export interface SeriesFact {
  readonly series: string;
  /** Destination, `storage`, `copy`, or the place of a verification; empty where it has none. */
  readonly target: string;
  readonly code: string;
  readonly message: string;
  readonly accession: string;
  readonly firstSeen: Millis;
}

export interface SessionFact {
  readonly id: string;
  readonly increment: number;
  readonly outcome: string;
  readonly series: number;
  readonly images: number;
  readonly folder: string | undefined;
  readonly project: string | undefined;
  /** Labels in one text; the accession number where it has none. */
  readonly name: string;
  /** What is not complete, one line each. */
  readonly lacking: readonly string[];
  readonly bookers: readonly string[];
  /** Its conversion to BIDS, where it was handed over. */
  readonly bids?: BidsReport | undefined;
}

export interface CalendarFact {
  readonly calendar: string;
  readonly state: string;
  readonly ageSeconds?: number | undefined;
  readonly held?: number | undefined;
  readonly failure?: { readonly code: string; readonly message: string } | undefined;
}

/** An event of a calendar, as cal2wl shows it. */
export interface EventFact {
  readonly calendar: string;
  readonly uid?: string | undefined;
  readonly recurrenceId?: string | undefined;
  readonly code: string;
  readonly reason: string;
  readonly summary?: string | undefined;
  readonly start?: string | undefined;
  readonly end?: string | undefined;
  readonly scanner?: string | undefined;
  readonly project?: string | undefined;
  readonly subject?: string | undefined;
  readonly session?: string | undefined;
  readonly accessionNumber?: string | undefined;
  readonly bookers?: readonly string[] | undefined;
}

export interface MachineFact {
  /** Disks whose room runs out, or that do not answer. */
  readonly disks: readonly { readonly path: string; readonly problem: string }[];
  readonly certificates: readonly {
    readonly key: string;
    readonly ends?: string | undefined;
    readonly failure?: string | undefined;
  }[];
}

/** A part of the streamer's own condition that is bad. */
export interface TroubleFact {
  readonly code: string;
  /** What it is about, such as a root. */
  readonly about: string;
  readonly message: string;
}

/** What was found at one moment. Undefined: nobody knows now. */
export interface Facts {
  readonly now: Millis;
  readonly quarantined: readonly SeriesFact[];
  readonly failed: readonly SeriesFact[];
  readonly waiting: readonly SeriesFact[];
  readonly verification: readonly SeriesFact[];
  readonly hooks: readonly {
    readonly hook: string;
    readonly event: string;
    readonly code: string;
    readonly message: string;
  }[];
  readonly sessions: readonly SessionFact[];
  readonly troubles: readonly TroubleFact[];
  readonly calendars: readonly CalendarFact[] | undefined;
  readonly events:
    { readonly rejected: readonly EventFact[]; readonly bookings: readonly EventFact[] } | undefined;
  /** Undefined under its name: the service did not answer. */
  readonly machines: ReadonlyMap<string, MachineFact | undefined>;
  /** Services that have answered before and do not now; since when. */
  readonly away: readonly { readonly service: string; readonly since: Millis }[];
}

/** Another service, and what it takes to ask it. */
export interface Asked {
  readonly name: string;
  readonly url: string;
  readonly headers: () => Promise<Readonly<Record<string, string>>>;
}
