/** One calendar event as a booking, as something to skip, or as a mistake that its booker can correct. */
import { defined, given } from '@scanflow/failure/defined';
import { type Booking, type Labels, LABELS, type PartialLabels, identify } from '../booking.ts';
import { PatternTooSlow } from '../pattern/pattern.ts';
import {
  besides,
  codeAfter,
  behind,
  checkLabels,
  tooSlow,
  contradiction,
  lineExample,
  listed,
} from './check.ts';
import {
  reject,
  warning,
  type Verdict,
  noteOf,
  type BookedOutcome,
  type Note,
  type Outcome,
} from './outcome.ts';
import { completed, findLabels, type FoundLabels } from './labels.ts';
import { type BookableEvent, type UnreadableEvent, type BookingRules, looksLikeAnother } from './rules.ts';
import { hintsOf } from './hints.ts';
import { checkProject } from './projects.ts';
import { scannerOf, statusVerdict } from './status.ts';
import { cleanText, oneLine } from './text.ts';
import { lowered } from './title.ts';
import { LONG_HOURS, unlabelled } from './unlabelled.ts';
import type { BookingRecord } from '../records.ts';

type Found = Extract<FoundLabels, { ok: true }>;

/** Judges one event. Labels are taken verbatim; nothing is padded, folded or guessed but by a configured rule. */
export function interpret(event: BookableEvent, rules: BookingRules): Outcome {
  const status = statusVerdict(event, rules);
  if (status !== undefined) return told(event, status);
  const scanner = scannerOf(event, rules);
  if (typeof scanner !== 'string') return told(event, scanner);
  try {
    return labelled(event, scanner, rules);
  } catch (error) {
    if (!(error instanceof PatternTooSlow)) throw error;
    return told(event, tooSlow(rules), scanner);
  }
}

/** An event whose scanner is known, by its labels. */
function labelled(event: BookableEvent, scanner: string, rules: BookingRules): Outcome {
  const found = findLabels(event, rules);
  const judged = found.ok ? labelsOf(event, found, rules) : contradiction(found.contradiction, rules);
  if ('code' in judged) return told(event, judged, scanner);
  const refused = checkProject(judged.project, event, scanner, rules);
  if (refused !== undefined) return told(event, refused, scanner);
  const booking = toBooking(event, judged, scanner, rules);
  const record = makeRecord(booking, rules);
  const problem = recordProblem(record);
  if (problem !== undefined) return told(event, problem, scanner);
  const warnings = [...warningsOf(event, found), ...lookalikes(judged), ...recordWarnings(record)];
  const note = noteOf(warnings);
  const former = found.ok ? formerOf(event, found, judged, rules) : {};
  return { ...told(event, note, scanner), outcome: 'booking', booking, record, warnings, ...former };
}

/** What 0.1.0 read of the same event, where that differs. */
function formerOf(
  event: BookableEvent,
  found: Found,
  labels: Labels,
  rules: BookingRules,
): Pick<BookedOutcome, 'formerLabels' | 'formerTitle'> {
  const { formerTexts: texts } = event;
  if (texts === undefined)
    return defined({
      formerLabels: given(found.former, (former) => ({ ...labels, ...rules.defaults, ...former })),
    });
  const { summary, description, labels: own = {} } = texts;
  const before = findLabels({ ...event, summary, description, labels: own }, rules);
  if (!before.ok) return {};
  const formerTitle = event.class === 'PUBLIC' ? oneLine(summary) : '';
  const formerLabels = { ...labels, ...rules.defaults, ...(before.former ?? before.labels) };
  return LABELS.every((name) => formerLabels[name] === labels[name]) ? {} : { formerLabels, formerTitle };
}

/** The outcome of an event that could not be read: rejected, with the code and the sentence that the reader gave. */
export function unreadable({ code, message, uid, recurrenceId, summary, start }: UnreadableEvent): Outcome {
  return {
    outcome: 'rejected',
    code,
    reason: message,
    ...defined({ uid, recurrenceId, start: given(start, (start) => Temporal.Instant.from(start)), summary }),
  };
}

function told(event: BookableEvent, verdict: Note & Partial<Verdict>, scanner?: string): Outcome {
  const { uid, recurrenceId, start, end, summary } = event;
  const { outcome = 'rejected', code, reason } = verdict;
  return {
    outcome,
    code,
    reason,
    uid,
    ...defined({ recurrenceId }),
    start,
    end,
    summary,
    ...defined({ scanner, bookers: bookersOf(event) }),
  };
}

/** All three labels, or why they are not there or not right. */
function labelsOf(event: BookableEvent, found: Found, rules: BookingRules): Labels | Verdict {
  const title = cleanText(event.summary);
  const completion = found.titled ? {} : completed(event, found.labels, rules);
  const given = { ...completion, ...rules.defaults, ...found.labels };
  const { project, subject, session }: PartialLabels = given;
  if (Object.keys(found.labels).length === 0 && !LABELS.every((name) => given[name] !== undefined))
    return unlabelled(event, rules);
  if (project === undefined || subject === undefined || session === undefined) {
    const missing = LABELS.filter((name) => given[name] === undefined);
    return hintsOf(title, rules).letterO.length > 0 ? unlabelled(event, rules) : incomplete(missing, rules);
  }
  const labels = asWritten({ project, subject, session }, rules);
  return (found.titled ? besides(title, found, rules) : undefined) ?? checkLabels(labels, rules) ?? labels;
}

/** Labels whose capitals in front (`SUB-001`) the facility's rules refuse, and which they take without. */
function asWritten(labels: Labels, rules: BookingRules): Labels {
  const written = (name: keyof Labels): string => {
    const pattern = rules.labels?.patterns[name];
    const small = lowered(labels[name]);
    const isOther = small !== labels[name] && pattern !== undefined && pattern.exec(labels[name]) === null;
    return isOther && pattern.exec(small) !== null ? small : labels[name];
  };
  return { project: written('project'), subject: written('subject'), session: written('session') };
}

/** Only where the configuration has no `labels`: with them, such labels are refused. */
const lookalikes = (labels: Labels): Note[] =>
  LABELS.some((name) => looksLikeAnother(labels[name]))
    ? [
        warning(
          'LOOKALIKE',
          'A label mixes alphabets, or has digits other than 0 to 9, so it may be another one than it looks like. Type it anew.',
        ),
      ]
    : [];

const incomplete = (missing: readonly (keyof Labels)[], rules: BookingRules): Verdict =>
  reject(
    'INCOMPLETE',
    `The ${listed(missing)} ${missing.length === 1 ? 'is' : 'are'} missing. Add to the description ${listed(missing.map((name) => lineExample(name, rules)))}.`,
  );

function warningsOf(event: BookableEvent, found: FoundLabels): Note[] {
  const warnings: Note[] = [];
  if (event.start.equals(event.end))
    warnings.push(warning('NO_LENGTH', 'The event has no length; the usual one was taken. Give it an end.'));
  const code = found.ok ? codeAfter(found.rest) : undefined;
  if (code !== undefined)
    warnings.push(
      warning(
        'TITLE_GOES_ON',
        `The title goes on with a code after its labels${behind([code])}, and that code counts for nothing. If it belongs to the session, write it without a space, like “ses-mri01-2”.`,
      ),
    );
  if (event.end.since(event.start).total('hours') > LONG_HOURS)
    warnings.push(
      warning('LONG_BOOKING', `The booking lasts longer than ${LONG_HOURS} hours. Check its end.`),
    );
  const rewritten = found.ok ? LABELS.filter((name) => found.rewritten[name] !== undefined) : [];
  if (rewritten.length > 0)
    warnings.push(
      warning('NORMALISED', `The ${listed(rewritten)} was rewritten by the facility's rules. Check it.`),
    );
  return warnings;
}

/** Who booked; a room that was invited is nobody. */
const personOf = ({ organizer, attendees, resources = [] }: BookableEvent): string | undefined =>
  organizer ?? attendees.find((name) => !resources.includes(name));

/** Without an organizer, all who attend count: some lists have thousands. */
const MOST_BOOKERS = 50;
/** Of a mail address (RFC 5321 4.5.3.1.3). */
const MOST_ADDRESS = 254;

function bookersOf({ bookers = [] }: BookableEvent): readonly string[] | undefined {
  const all = [...new Set(bookers.map((one) => one.toLowerCase()))]
    .filter(({ length }) => length <= MOST_ADDRESS)
    .slice(0, MOST_BOOKERS);
  return all.length === 0 ? undefined : all;
}

function toBooking(event: BookableEvent, labels: Labels, scanner: string, rules: BookingRules): Booking {
  const { uid, recurrenceId, start } = event;
  const isPublic = event.class === 'PUBLIC';
  // of a private event only what its booker wrote for the scanner is copied
  const operator = isPublic ? personOf(event) : undefined;
  return {
    scanner,
    start,
    end: start.equals(event.end) ? start.add({ milliseconds: rules.defaultLength }) : event.end,
    labels,
    title: isPublic ? oneLine(event.summary) : '',
    ...(operator === undefined || operator === '' ? {} : { operator: oneLine(operator) }),
    ...defined({ bookers: isPublic ? bookersOf(event) : undefined }),
    source: { calendar: rules.calendar, uid, ...defined({ recurrenceId }) },
  };
}

/** Longest Patient ID (LO, PS3.5 table 6.2-1): cut off, two subjects could become one. */
const MAX_ID = 64;
/** Requested Procedure ID is SH: a longer session is shown shortened at the scanner. */
const MAX_SESSION = 16;

export function makeRecord(
  booking: Booking,
  { modalities, patientId, patientName }: Pick<BookingRules, 'modalities' | 'patientId' | 'patientName'>,
): BookingRecord {
  const { scanner, start, end, labels, title, operator, bookers, source } = booking;
  return {
    version: 1,
    ...identify(source, labels),
    status: 'scheduled',
    scanner,
    modality: modalities[scanner] ?? '',
    start: start.round('second').toString(),
    end: end.round('second').toString(),
    labels,
    title,
    ...defined({ operator, bookers }),
    patientId: fill(patientId, labels),
    patientName: fill(patientName, labels),
    source,
  };
}

/** What DICOM would cut off so that it means something else. */
function recordProblem({ patientId, patientName }: BookingRecord): Verdict | undefined {
  if (patientId.length <= MAX_ID && patientName.length <= MAX_ID) return undefined;
  return reject(
    'ID_TOO_LONG',
    `Project and subject together are longer than ${MAX_ID} characters. Use shorter names, like “3010000.01” and “sub-001”.`,
  );
}

function recordWarnings({ labels }: BookingRecord): Note[] {
  if (labels.session.length <= MAX_SESSION) return [];
  return [
    warning(
      'SESSION_SHORTENED',
      `The session has more than ${MAX_SESSION} characters, so the scanner shows only its beginning. Use a shorter one, like “ses-mri01”.`,
    ),
  ];
}

const fill = (template: string, labels: Labels): string =>
  template.replaceAll(/\{(project|subject|session)\}/g, (_, name: keyof Labels) => labels[name]);
