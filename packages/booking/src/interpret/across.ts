/** What only shows when bookings are seen together: overlaps, the same twice, used before, and nearly the same. */
import { labelKey, type Labels } from '../booking.ts';
import type { BookingRecord } from '../records.ts';
import { warning, warn, type BookedOutcome, type Note, type Outcome } from './outcome.ts';

/** Bookings of the past, as far as they are known. */
export interface History {
  /** Records with these labels, whatever became of them. */
  readonly byLabels: (labels: Labels) => readonly BookingRecord[];
  /** Subjects of a project that were ever booked. */
  readonly subjects: (project: string) => Iterable<string>;
}

/** The outcomes in their order, bookings with warnings about each other. All are kept: nothing is guessed. */
export function flagBookings(outcomes: readonly Outcome[], history?: History): Outcome[] {
  const booked = outcomes.filter((one) => one.outcome === 'booking');
  const notes = new Map<BookedOutcome, Note[]>(booked.map((one) => [one, []]));
  const add = (one: BookedOutcome, note: Note): void => void notes.get(one)?.push(note);
  flagOverlaps(booked, add);
  flagTwice(booked, add);
  if (history !== undefined) flagUsedBefore(booked, history, add);
  flagSimilar(booked, history, add);
  return outcomes.map((one) => (one.outcome === 'booking' ? warn(one, ...(notes.get(one) ?? [])) : one));
}

type Add = (one: BookedOutcome, note: Note) => void;

const OVERLAP = warning(
  'OVERLAP',
  'Another booking of this scanner overlaps it; both are on the worklist. Move or delete one of the two.',
);
const SAME_SLOT = warning(
  'SAME_SLOT',
  'Another calendar books this scanner for the same time; both are on the worklist. Keep the booking in one calendar only.',
);
const TWICE = warning(
  'BOOKED_TWICE',
  'Another booking has the same project, subject and session. If these are two sessions, name them differently, like “ses-mri01” and “ses-mri02”.',
);

function flagOverlaps(booked: readonly BookedOutcome[], add: Add): void {
  for (const ofScanner of groupBy(booked, ({ booking }) => booking.scanner)) {
    let running: BookedOutcome[] = [];
    for (const one of ofScanner.toSorted(byStart)) {
      running = running.filter(({ booking }) => Temporal.Instant.compare(booking.end, one.booking.start) > 0);
      for (const other of running) {
        const note = isSameSlot(one, other) ? SAME_SLOT : OVERLAP;
        add(one, note);
        add(other, note);
      }
      running.push(one);
    }
  }
}

const byStart = (a: BookedOutcome, b: BookedOutcome): number =>
  Temporal.Instant.compare(a.booking.start, b.booking.start);

const isSameSlot = ({ booking: a }: BookedOutcome, { booking: b }: BookedOutcome): boolean =>
  a.source.calendar !== b.source.calendar && a.start.equals(b.start) && a.end.equals(b.end);

function flagTwice(booked: readonly BookedOutcome[], add: Add): void {
  for (const same of groupBy(booked, ({ booking }) => labelKey(booking.labels)))
    if (same.length > 1) for (const one of same) add(one, TWICE);
}

function flagUsedBefore(booked: readonly BookedOutcome[], history: History, add: Add): void {
  const current = new Set(booked.map(({ record }) => record.accessionNumber));
  for (const one of booked) {
    const before = history
      .byLabels(one.booking.labels)
      .find(({ accessionNumber, status }) => status === 'scheduled' && !current.has(accessionNumber));
    if (before === undefined) continue;
    const day = before.start.slice(0, 10);
    const reason = `Project, subject and session were booked before, on ${day}. If this is another session, give it a name of its own, like “ses-mri02”.`;
    add(one, warning('USED_BEFORE', reason));
  }
}

/** `sub-1` beside `sub-001`: one of the two is probably a slip, and nobody but the booker knows which. */
function flagSimilar(booked: readonly BookedOutcome[], history: History | undefined, add: Add): void {
  for (const ofProject of groupBy(booked, ({ booking }) => booking.labels.project)) {
    const project = ofProject[0]?.booking.labels.project ?? '';
    const spellings = new Map<string, Set<string>>();
    const take = (subject: string): void => {
      const key = skeleton(subject);
      spellings.set(key, (spellings.get(key) ?? new Set()).add(subject));
    };
    for (const subject of history?.subjects(project) ?? []) take(subject);
    for (const { booking } of ofProject) take(booking.labels.subject);
    for (const one of ofProject) {
      const { subject } = one.booking.labels;
      const other = [...(spellings.get(skeleton(subject)) ?? [])].find((spelling) => spelling !== subject);
      if (other !== undefined)
        add(
          one,
          warning(
            'SIMILAR_SUBJECT',
            `This project also has the subject “${other}”, and subjects count as they are written. If it is the same person, write “${other}”.`,
          ),
        );
    }
  }
}

/** What is left of a subject when case, hyphens and leading zeros do not count. */
const skeleton = (subject: string): string =>
  subject
    .toLowerCase()
    .replaceAll(/[-_. ]/gu, '')
    .replaceAll(/(?<!\d)0+(?=\d)/gu, '');

function groupBy<T>(all: readonly T[], key: (one: T) => string): T[][] {
  return [...Map.groupBy(all, key).values()];
}
