/**
 * What the other services say of one booking, exam or session: the input of a journey. Times are epoch milliseconds.
 * Unknown values are absent.
 */

/** Why something did not work, as the services report it (docs/failures.md). */
export interface Reason {
  readonly code: string;
  readonly message: string;
}

/** What a calendar's event became, or the booking record of a day that is past. */
export interface BookingFacts {
  readonly outcome: 'booking' | 'rejected' | 'skipped' | 'cancelled' | 'superseded';
  readonly start: number;
  readonly end: number;
  /** Why it was rejected or skipped; of a booking, its warnings. */
  readonly reason?: Reason;
}

/** The worklist item of a booking. */
export interface ItemFacts {
  /** `scheduled`: scanners see it. The other words say why scanners no longer see it. */
  readonly state: 'scheduled' | 'in progress' | 'completed' | 'discontinued' | 'over';
}

/** A series as the scanner reported it (MPPS). */
export interface MadeSeries {
  readonly seriesInstanceUid: string;
  readonly made: number;
}

/** A performed procedure step (PS3.4 F.7). */
export interface ExamFacts {
  readonly state: 'IN PROGRESS' | 'COMPLETED' | 'DISCONTINUED';
  readonly created: number;
  readonly updated: number;
  readonly started?: number;
  readonly ended?: number;
  /** In progress for so long that no end will come. */
  readonly stale: boolean;
  /** The operator picked this item by mistake, so the booking was not scanned (PS3.16 CID 9300, 110514). */
  readonly wrongItem: boolean;
  readonly series: readonly MadeSeries[];
}

/** A series on its way to one target. */
export interface LegFacts {
  readonly target: string;
  readonly state: 'pending' | 'done' | 'failed';
  readonly attempts: number;
  readonly done: number;
  readonly total: number;
  readonly nextTry?: number;
  readonly failure?: Reason;
  /** A person paused its destination. */
  readonly paused?: object | undefined;
}

export interface SeriesFacts {
  readonly id: string;
  readonly seriesInstanceUid: string;
  /** Of its labels. One series of a study may belong to another project. */
  readonly project?: string;
  readonly state: 'collecting' | 'working' | 'complete' | 'failed' | 'quarantined';
  readonly reason?: Reason;
  readonly firstSeen: number;
  /** Images that are in Orthanc or on storage, each counted once. */
  readonly arrived: number;
  readonly stored: number;
  /** As the scanner reported it. */
  readonly expected?: number;
  readonly legs: readonly LegFacts[];
}

/** An event of the session or of one of its series for one hook. */
export interface DeliveryFacts {
  readonly hook: string;
  readonly state: 'pending' | 'done' | 'failed';
  readonly failure?: Reason;
}

export interface SessionFacts {
  /** No more images are expected. */
  readonly complete: boolean;
  readonly updated: number;
  readonly failure?: Reason;
  readonly series: readonly SeriesFacts[];
  readonly deliveries: readonly DeliveryFacts[];
  readonly bids?: BidsFacts;
}

/** What became of a session's conversion to BIDS. `lacking`: valid, without series that could not be converted. */
export interface BidsFacts {
  readonly became: 'valid' | 'invalid' | 'lacking' | 'waiting' | 'failed';
  /** Errors of the validator, or series that failed. */
  readonly count?: number;
  readonly failure?: Reason;
  /** The next try. */
  readonly at?: number;
}

/** A service that does not answer, since when. */
export interface Away {
  readonly since: number;
}

/** A part is `Away` where its service does not answer, and undefined where the service knows nothing of it. */
export interface Facts {
  readonly booking?: BookingFacts | Away;
  readonly item?: ItemFacts | Away;
  readonly exams: readonly ExamFacts[] | Away;
  readonly session?: SessionFacts | Away;
  /** Sessions of its project become BIDS. */
  readonly converts?: boolean;
}

export const isAway = (part: object | undefined): part is Away =>
  part !== undefined && !Array.isArray(part) && 'since' in part;
