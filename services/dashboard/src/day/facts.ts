/** What a day is: its span of time, what the services report of it, the board that is folded from it, and why a row has no booking. */
import type { Labels } from '@scanflow/booking';
import type {
  Away,
  BidsFacts,
  BookingFacts,
  DeliveryFacts,
  ExamFacts,
  ItemFacts,
  SeriesFacts,
} from '../journey/facts.ts';
import type { Journey } from '../journey/journey.ts';

/** From its first instant to the first one of the next day, in epoch milliseconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A day of the facility; one of 23 or 25 hours where clocks change. */
export const spanOf = (day: Temporal.PlainDate, timezone: string): Span => ({
  from: day.toZonedDateTime(timezone).epochMilliseconds,
  to: day.add({ days: 1 }).toZonedDateTime(timezone).epochMilliseconds,
});

/** Whether something touches the span. Of no length, it belongs to the span in which it lies. */
export const overlaps = (start: number, end: number, { from, to }: Span): boolean =>
  start < to && (end > from || start >= from);

/** The calendar day in an address, such as `2026-11-30`; undefined if the text is none. */
export function dateIn(text: string): Temporal.PlainDate | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined;
  try {
    return Temporal.PlainDate.from(text, { overflow: 'reject' });
  } catch {
    return undefined;
  }
}

// What a day is made of, as the services tell it, and the board that is folded from it.

/** An event of a calendar, and what it became. */
export interface DayBooking extends BookingFacts {
  /** Of the event; the accession number where it became a booking. */
  readonly id: string;
  readonly calendar: string;
  readonly scanner: string;
  readonly accessionNumber?: string;
  readonly studyInstanceUid?: string;
  /** Who booked, as the calendar says: unproven. */
  readonly booker?: string;
  /** Mail addresses of who booked; no page shows them. */
  readonly bookers?: readonly string[];
  readonly labels?: Labels;
  /** What it was before, the last change last. Times are epoch milliseconds. */
  readonly changes?: readonly DayChange[];
  /** The event's title as somebody typed it; only of an event that is no booking. */
  readonly title?: string;
}

/** The former values of what changed, and when cal2wl noticed it. */
export interface DayChange {
  readonly at: number;
  readonly start?: number | undefined;
  readonly end?: number | undefined;
  readonly scanner?: string | undefined;
  readonly status?: 'scheduled' | 'cancelled' | 'superseded' | undefined;
}

export interface DayItem extends ItemFacts {
  readonly accessionNumber: string;
}

export interface DayExam extends ExamFacts {
  readonly id: string;
  /** Name in the configuration; undefined for an AE title that is none of its scanners. */
  readonly scanner?: string;
  readonly studyInstanceUids: readonly string[];
  /** Accession numbers of the bookings that it belongs to; empty for an exam that nobody booked. */
  readonly accessionNumbers: readonly string[];
}

export interface DaySession {
  readonly id: string;
  readonly accessionNumber: string;
  readonly studyInstanceUids: readonly string[];
  readonly scanner?: string;
  readonly labels?: Labels;
  readonly complete: boolean;
  readonly firstSeen: number;
  readonly updated: number;
  /** Absolute path on storage. */
  readonly folder?: string;
  readonly failure?: { readonly code: string; readonly message: string };
  readonly series: readonly SeriesFacts[];
  readonly deliveries: readonly DeliveryFacts[];
  readonly bids?: BidsFacts;
}

/** Each part is `Away` while its service does not answer. */
export interface DayFacts extends DayParts {
  readonly day: Temporal.PlainDate;
  readonly timezone: string;
  /** Names of the configuration, in its order. */
  readonly scanners: readonly string[];
  /** Whether sessions of a project become BIDS. By default none. */
  readonly converts?: (project: string) => boolean;
  /** While a service is away: the same parts, with what was known before of those that are away. */
  readonly last?: DayParts;
}

export interface DayParts {
  readonly bookings: readonly DayBooking[] | Away;
  readonly items: readonly DayItem[] | Away;
  readonly exams: readonly DayExam[] | Away;
  /** Of any day: bookings and exams find theirs. */
  readonly sessions: readonly DaySession[] | Away;
}

export interface Row {
  /** Where its page is: `/session/ID`. */
  readonly id: string;
  /** `images`: nobody booked them, and no exam was reported. */
  readonly kind: 'booking' | 'exam' | 'images';
  /** Epoch milliseconds; the end is known of bookings and ended exams only. */
  readonly start: number;
  readonly end?: number;
  readonly labels?: Labels;
  readonly title?: string;
  readonly calendar?: string;
  readonly booker?: string;
  readonly series: number;
  readonly images: number;
  readonly folder?: string;
  /** From the beginning of its first exam, or its first image, to the end of the last exam; the end is open while one runs. */
  readonly made?: { readonly from: number; readonly to?: number };
  readonly journey: Journey;
  readonly unbooked?: Unbooked;
  readonly likely?: Likely;
}

export interface ScannerDay {
  /** Undefined: images and exams of which nobody knows the scanner. */
  readonly scanner?: string;
  readonly rows: readonly Row[];
}

export interface Board {
  readonly scanners: readonly ScannerDay[];
  readonly counts: Readonly<Record<'bookings' | 'rejected' | 'finished' | 'attention', number>>;
  /** Parts whose service is away, since when. */
  readonly away: Readonly<Partial<Record<'bookings' | 'items' | 'exams' | 'sessions', number>>>;
}

// Why a row of the day has no booking, and to which one it may belong all the same. Pure.

/** As far as the numbers of an exam or of images say. */
interface Unbooked {
  readonly why: 'noNumber' | 'noBooking';
  readonly accessionNumber: string;
}

export const unbookedBy = (accessionNumber = ''): { readonly unbooked: Unbooked } => ({
  unbooked: { why: accessionNumber === '' ? 'noNumber' : 'noBooking', accessionNumber },
});

/** A booking of the day, of the same project and subject. */
interface Likely {
  readonly id: string;
  readonly start: number;
  readonly labels: Labels;
}

interface Candidate {
  readonly id: string;
  readonly start: number;
  readonly labels?: Labels;
  readonly images: number;
  readonly journey: { readonly verdict: string };
}

/** Bookings without exams and images go first, then the nearest one. */
export function likelyOf(
  { labels, start }: Pick<Candidate, 'labels' | 'start'>,
  booked: readonly Candidate[],
): { readonly likely?: Likely } {
  if (labels === undefined) return {};
  const [best] = booked
    .flatMap(({ id, start: begins, labels: own, images, journey }) =>
      journey.verdict !== 'off' && own?.project === labels.project && own.subject === labels.subject
        ? [{ likely: { id, start: begins, labels: own }, hasImages: images > 0 }]
        : [],
    )
    .toSorted(
      (a, b) =>
        Number(a.hasImages) - Number(b.hasImages) ||
        Math.abs(a.likely.start - start) - Math.abs(b.likely.start - start),
    );
  return best === undefined ? {} : { likely: best.likely };
}
