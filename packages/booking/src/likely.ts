/** Which bookings a quarantined series may belong to, and why each may. Pure. */
import type { Labels } from './booking.ts';

/** A booking, as far as it is compared. */
export interface Slot {
  readonly scanner: string;
  /** In epoch milliseconds. */
  readonly start: number;
  readonly end: number;
  readonly accessionNumber?: string;
  readonly studyInstanceUid?: string;
  readonly labels?: Labels;
}

/** What is known of the series. */
export interface Clues {
  /** Attribute values by keyword. */
  readonly attributes: Readonly<Record<string, string>>;
  /** When its images were made, in epoch milliseconds; undefined where they do not say. */
  readonly acquired?: number | undefined;
  /** The scanner that sent it. */
  readonly scanner?: string | undefined;
}

export const SIGNS = ['accession', 'study', 'subject', 'project', 'time', 'day', 'scanner'] as const;
export type Sign = (typeof SIGNS)[number];

export interface Likely<Booking extends Slot = Slot> {
  readonly booking: Booking & { readonly labels: Labels };
  /** The strongest first. */
  readonly signs: readonly Sign[];
}

/** Slots are overrun, and consoles' clocks are set by hand. */
const MARGIN_MS = 3_600_000;
const DAY_MS = 86_400_000;
const WEIGHTS: Readonly<Record<Sign, number>> = {
  accession: 8,
  study: 8,
  subject: 4,
  time: 3,
  project: 2,
  day: 1,
  scanner: 1,
};
/** The day and the scanner alone name everybody who was there. */
const LEAST = 3;
const MOST = 5;

/** The most likely first. Bookings without labels have nowhere to lead to. */
export function likelyBookings<Booking extends Slot>(
  clues: Clues,
  bookings: readonly Booking[],
): Likely<Booking>[] {
  const judged = bookings.flatMap((booking) => {
    const { labels } = booking;
    if (labels === undefined) return [];
    const signs = SIGNS.filter((sign) => HOLDS[sign](clues, booking, labels));
    const weight = signs.reduce((sum, sign) => sum + WEIGHTS[sign], 0);
    return weight < LEAST ? [] : [{ booking: { ...booking, labels }, signs, weight }];
  });
  return judged
    .toSorted((a, b) => b.weight - a.weight || a.booking.start - b.booking.start)
    .slice(0, MOST)
    .map(({ booking, signs }) => ({ booking, signs }));
}

const HOLDS: Readonly<Record<Sign, (clues: Clues, booking: Slot, labels: Labels) => boolean>> = {
  accession: (clues, { accessionNumber }) => says(clues, 'AccessionNumber', accessionNumber),
  study: (clues, { studyInstanceUid }) => says(clues, 'StudyInstanceUID', studyInstanceUid),
  subject: (clues, _, { subject }) => names(clues, subject),
  project: (clues, _, { project }) => names(clues, project),
  time: ({ acquired }, { start, end }) =>
    acquired !== undefined && acquired >= start - MARGIN_MS && acquired <= end + MARGIN_MS,
  day: ({ acquired }, { start }) => acquired !== undefined && Math.abs(acquired - start) < DAY_MS / 2,
  scanner: (clues, { scanner }) => clues.scanner !== undefined && clues.scanner === scanner,
};

const says = ({ attributes }: Clues, keyword: string, wanted: string | undefined): boolean =>
  wanted !== undefined && wanted !== '' && (attributes[keyword] ?? '').trim() === wanted;

const IDENTIFIERS = ['PatientID', 'PatientName', 'StudyID', 'StudyDescription'];

/** One of the identifiers holds the label as a whole, however it is written: `sub-001` is in `3010000.01_SUB001`. */
const names = ({ attributes }: Clues, label: string): boolean =>
  IDENTIFIERS.some((keyword) => ` ${words(attributes[keyword] ?? '')} `.includes(` ${words(label)} `));

/** Letters and digits in groups: a prefix stays with the number behind it. */
const words = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/([a-z])[-_ ]*(?=\d)/g, '$1')
    .replaceAll(/[^a-z0-9]+/g, ' ')
    .trim();
