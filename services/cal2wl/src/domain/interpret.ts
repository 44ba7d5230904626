/** One calendar event as a booking, as something to skip, or as a mistake that its booker can correct. */
import type { Booking, Labels } from '@scanflow/booking';
import type { CalendarEvent, EventProblem } from '@scanflow/calendar';
import {
  cleanText,
  findLabels,
  LABELS,
  type Contradiction,
  type LabelName,
  type PartialLabels,
} from './labels.ts';

export interface InterpretOptions {
  /** Key of the calendar in the configuration. */
  readonly calendar: string;
  /** Key of the scanner that it books. */
  readonly scanner: string;
  /** Over SUMMARY, with the named groups project, subject and session. */
  readonly patterns: readonly RegExp[];
}

interface Told {
  /** For machines; stays the same when sentences change. */
  readonly code: string;
  /** For the person who booked: what is wrong, and an example that is right. */
  readonly reason: string;
  readonly uid?: string;
  readonly recurrenceId?: string;
  readonly start?: Temporal.Instant;
  readonly end?: Temporal.Instant;
  readonly summary?: string;
}

export type Outcome =
  | (Told & { readonly outcome: 'booking'; readonly booking: Booking })
  | (Told & { readonly outcome: 'skipped' })
  | (Told & { readonly outcome: 'rejected' });

type Verdict =
  | { readonly outcome: 'booking'; readonly code: string; readonly reason: string; readonly labels: Labels }
  | { readonly outcome: 'skipped' | 'rejected'; readonly code: string; readonly reason: string };

const TITLE_EXAMPLE = '3010000.01 sub-001 ses-mri01';
const EXAMPLES: Labels = { project: '3010000.01', subject: 'sub-001', session: 'ses-mri01' };
const MAX_UNLABELLED_HOURS = 12;
const DEFAULT_LENGTH = Temporal.Duration.from({ hours: 1 });

const CANCELLED_TITLE =
  /^\W*(?:cancell?ed|cancell?ation|afgezegd|geannuleerd|abgesagt|annul[eé]e?)(?![\p{L}\p{N}])/iu;
const NO_BOOKING =
  /(?<![\p{L}\p{N}])(?:maintenance|service|servicing|repairs?|upgrades?|installation|qa|qc|quality (?:assurance|control)|calibration|phantoms?|cleaning|closed|closure|blocked|block|reserved|holidays?|training|meeting|safety|inspection|onderhoud|storing|gesloten|schoonmaak|wartung|gesperrt|reinigung)(?![\p{L}\p{N}])/iu;
const NO_DETAILS =
  /^(?:busy|private(?: appointment| event)?|bezet|priv[eé](?:-?afspraak)?|gebucht|besetzt|privater termin|occup[eé]|unavailable|no title|\(no title\))?$/iu;

/** Judges one event. Labels are taken verbatim; nothing is padded, folded or guessed. */
export function interpret(event: CalendarEvent, options: InterpretOptions): Outcome {
  const verdict = statusVerdict(event) ?? labelVerdict(event, options.patterns);
  const told = { code: verdict.code, reason: verdict.reason, ...where(event) };
  if (verdict.outcome !== 'booking') return { outcome: verdict.outcome, ...told };
  return { outcome: 'booking', ...told, booking: toBooking(event, verdict.labels, options) };
}

/** An event that could not even be read, as an outcome. */
export function unreadable({ uid, code, message, summary }: EventProblem): Outcome {
  return {
    outcome: 'rejected',
    code,
    reason: message,
    ...(uid === undefined ? {} : { uid }),
    ...(summary === undefined ? {} : { summary }),
  };
}

const where = ({ uid, recurrenceId, start, end, summary }: CalendarEvent): Omit<Told, 'code' | 'reason'> => ({
  uid,
  ...(recurrenceId === undefined ? {} : { recurrenceId }),
  start,
  end,
  summary,
});

/** What the event says about itself, whatever its title. */
function statusVerdict(event: CalendarEvent): Verdict | undefined {
  const skip = (code: string, reason: string): Verdict => ({ outcome: 'skipped', code, reason });
  if (event.status === 'CANCELLED') return skip('CANCELLED', 'The event is cancelled.');
  if (CANCELLED_TITLE.test(event.summary))
    return skip(
      'CANCELLED_TITLE',
      'The title says that the event is cancelled. Delete the event to free the slot.',
    );
  if (event.transparency === 'TRANSPARENT')
    return skip(
      'FREE',
      'The event is shown as free, so it books nothing. If it is a booking, show it as busy.',
    );
  if (event.allDay)
    return skip(
      'ALL_DAY',
      'The event lasts all day, so it is no scan. If it is a booking, give it a start and an end time.',
    );
  if (event.status === 'TENTATIVE')
    return skip('TENTATIVE', 'The event is tentative. Confirm it, and it comes to the scanner.');
  return undefined;
}

function labelVerdict(event: CalendarEvent, patterns: readonly RegExp[]): Verdict {
  const reject = (code: string, reason: string): Verdict => ({ outcome: 'rejected', code, reason });
  const found = findLabels(event.summary, event.description, patterns);
  if (!found.ok) return reject('CONTRADICTION', contradiction(found.contradiction));
  const missing = LABELS.filter((name) => found.labels[name] === undefined);
  if (missing.length === LABELS.length) return unlabelled(event, patterns);
  if (missing.length > 0) return reject('INCOMPLETE', incomplete(missing));
  const labels = complete(found.labels);
  const wrong = LABELS.map((name) => labelProblem(name, labels[name])).find(
    (problem) => problem !== undefined,
  );
  if (wrong !== undefined) return reject(...wrong);
  if (event.start.equals(event.end))
    return {
      outcome: 'booking',
      code: 'NO_LENGTH',
      reason: 'The event has no length; one hour was taken. Give it an end.',
      labels,
    };
  return { outcome: 'booking', code: 'BOOKING', reason: '', labels };
}

const complete = ({ project = '', subject = '', session = '' }: PartialLabels): Labels => ({
  project,
  subject,
  session,
});

/** No label at all: a block that is meant so, a title that is hidden, or a mistake. */
function unlabelled(event: CalendarEvent, patterns: readonly RegExp[]): Verdict {
  const title = cleanText(event.summary).trim();
  if (NO_BOOKING.test(title))
    return {
      outcome: 'skipped',
      code: 'MAINTENANCE',
      reason: 'The title reads as maintenance or another block, not as a scan.',
    };
  if (NO_DETAILS.test(title))
    return {
      outcome: 'rejected',
      code: 'NO_DETAILS',
      reason: `The calendar shows no details of this event. Share the calendar with all details, and do not mark bookings as private. ${howTo(patterns)}`,
    };
  if (event.end.since(event.start).total('hours') > MAX_UNLABELLED_HOURS)
    return {
      outcome: 'skipped',
      code: 'LONG_BLOCK',
      reason: `The event lasts longer than ${MAX_UNLABELLED_HOURS} hours and names no subject, so it is no scan. ${howTo(patterns)}`,
    };
  return {
    outcome: 'rejected',
    code: 'NO_LABELS',
    reason: `Project, subject and session cannot be read. ${howTo(patterns)}`,
  };
}

/** The title is shown as an example only where the facility's patterns read it. */
function howTo(patterns: readonly RegExp[]): string {
  const title = findLabels(TITLE_EXAMPLE, '', patterns);
  const fits = title.ok && LABELS.every((name) => title.labels[name] !== undefined);
  const lines = LABELS.map(lineExample).join(', ');
  return fits
    ? `Write the title like “${TITLE_EXAMPLE}”, or write in the description the three lines ${lines}.`
    : `Write in the description the three lines ${lines}.`;
}

const capital = (name: LabelName): string => name.charAt(0).toUpperCase() + name.slice(1);
const lineExample = (name: LabelName): string => `“${capital(name)}: ${EXAMPLES[name]}”`;

const incomplete = (missing: readonly LabelName[]): string =>
  `The ${missing.join(' and the ')} ${missing.length === 1 ? 'is' : 'are'} missing. Add to the description ${missing.map(lineExample).join(' and ')}.`;

const contradiction = ({ label, values: [first, second] }: Contradiction): string =>
  `The ${label} is given twice and differently, “${first}” and “${second}”. Correct the title or the description so that both say the same, such as ${lineExample(label)}.`;

/** Characters that names of folders and DICOM values have in common (no `\`, `^`, `=`, `/`, `*`, `?`, controls). */
const LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}._+()-]| (?! ))*$/u;

function labelProblem(name: LabelName, value: string): [code: string, reason: string] | undefined {
  const example = `Write it like ${lineExample(name)}.`;
  // a subject in words may be a person's name, which must not reach images
  if (name === 'subject' && (/\s/u.test(value) || !/\p{N}/u.test(value)))
    return [
      'SUBJECT_NO_CODE',
      `The subject must be a code with a digit and without spaces, never a person's name. ${example}`,
    ];
  if (value.length > 64) return ['LABEL_TOO_LONG', `The ${name} is longer than 64 characters. ${example}`];
  if (!LABEL.test(value))
    return [
      'LABEL_CHARACTERS',
      `The ${name} may hold only letters, digits and . _ - + ( ), and begins with a letter or digit. ${example}`,
    ];
  return undefined;
}

function toBooking(event: CalendarEvent, labels: Labels, { calendar, scanner }: InterpretOptions): Booking {
  const { uid, recurrenceId, start } = event;
  const operator = event.organizer ?? event.attendees[0];
  return {
    scanner,
    start,
    end: start.equals(event.end) ? start.add(DEFAULT_LENGTH) : event.end,
    labels,
    title: oneLine(event.summary),
    ...(operator === undefined || operator === '' ? {} : { operator: oneLine(operator) }),
    source: { calendar, uid, ...(recurrenceId === undefined ? {} : { recurrenceId }) },
  };
}

const oneLine = (text: string): string =>
  text
    .normalize('NFC')
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim();
