/** One calendar event as a booking, as something to skip, or as a mistake that its booker can correct. */
import type { Booking, Labels } from '../booking.ts';
import { PatternTooSlow } from '../pattern/backtracking.ts';
import { checkLabels, tooSlow, twoLabels, twoSubjects } from './check.ts';
import { reject, warning, type Verdict } from './codes.ts';
import { contradiction } from './contradiction.ts';
import type { BookableEvent, UnreadableEvent } from './event.ts';
import { lineExample, listed } from './example.ts';
import { hintsOf } from './hints.ts';
import { looksLikeAnother } from './label-rules.ts';
import { findLabels, LABELS, type FoundLabels, type PartialLabels } from './labels.ts';
import { makeRecord, recordProblem, recordWarnings } from './make-record.ts';
import { noteOf, type BookedOutcome, type Note, type Outcome } from './outcome.ts';
import { checkProject } from './project-check.ts';
import type { BookingRules } from './rules.ts';
import { scannerOf } from './scanner.ts';
import { cleanText, oneLine } from './text.ts';
import { statusVerdict } from './status.ts';
import { LONG_HOURS, unlabelled } from './unlabelled.ts';

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
    return found.former === undefined
      ? {}
      : { formerLabels: { ...labels, ...rules.defaults, ...found.former } };
  const { summary, description, labels: own = {} } = texts;
  const before = findLabels({ ...event, summary, description, labels: own }, rules);
  if (!before.ok) return {};
  const formerTitle = event.class === 'PUBLIC' ? oneLine(summary) : '';
  const formerLabels = { ...labels, ...rules.defaults, ...(before.former ?? before.labels) };
  return LABELS.every((name) => formerLabels[name] === labels[name]) ? {} : { formerLabels, formerTitle };
}

/** An event that could not even be read, as an outcome. */
export function unreadable({ code, message, uid, recurrenceId, summary, start }: UnreadableEvent): Outcome {
  return {
    outcome: 'rejected',
    code,
    reason: message,
    ...(uid === undefined ? {} : { uid }),
    ...(recurrenceId === undefined ? {} : { recurrenceId }),
    ...(start === undefined ? {} : { start: Temporal.Instant.from(start) }),
    ...(summary === undefined ? {} : { summary }),
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
    ...(recurrenceId === undefined ? {} : { recurrenceId }),
    start,
    end,
    summary,
    ...(scanner === undefined ? {} : { scanner }),
  };
}

/** All three labels, or why they are not there or not right. */
function labelsOf(event: BookableEvent, found: Found, rules: BookingRules): Labels | Verdict {
  if (Object.keys(found.labels).length === 0) return unlabelled(event, rules);
  const { project, subject, session }: Found['labels'] = {
    ...completed(event, found, rules),
    ...rules.defaults,
    ...found.labels,
  };
  if (project === undefined || subject === undefined || session === undefined) {
    const given = { project, subject, session };
    const missing = LABELS.filter((name) => given[name] === undefined);
    const { letterO } = hintsOf(cleanText(event.summary), rules);
    return letterO ? unlabelled(event, rules) : incomplete(missing, rules);
  }
  const labels = { project, subject, session };
  return (found.titled ? several(event, found, rules) : undefined) ?? checkLabels(labels, rules) ?? labels;
}

/** What lines lack and the title says, where it is no title of the facility's form and agrees with the lines. */
function completed(event: BookableEvent, found: Found, rules: BookingRules): PartialLabels {
  if (found.titled || LABELS.every((name) => found.labels[name] !== undefined)) return {};
  const { single, subjects } = hintsOf(cleanText(event.summary), rules);
  const agrees = LABELS.every((name) => {
    const given = found.labels[name];
    return given === undefined || single[name] === undefined || single[name] === given;
  });
  return agrees && subjects < 2 ? single : {};
}

/** A title that names more than the labels which were taken from it. */
function several(event: BookableEvent, { rest }: Found, rules: BookingRules): Verdict | undefined {
  const hints = hintsOf(cleanText(event.summary), rules);
  if (hints.subjects > 1) return twoSubjects(rules);
  if (hints.several !== undefined) return twoLabels(hints.several, rules);
  return /^\s*(?:[,;&+/|]|(?:and|en|und|et|y|e|og|och|i|a)\s)\s*\d{1,3}(?![\p{L}\p{N}:.])/iu.test(rest)
    ? twoLabels('session', rules)
    : undefined;
}

/** A word with a digit right after the labels may be a label too; a time or a length is none. */
const TRAILING_CODE =
  /^[\s,;:|]+(?!\d{1,2}[:.h]\d{2}|\d+(?:T|ch|min|u|h)\b)#?[\p{L}._-]*\d[\p{L}\d._-]*(?=$|[\s,;)])/u;

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
  if (found.ok && TRAILING_CODE.test(found.rest))
    warnings.push(
      warning(
        'TITLE_GOES_ON',
        'The title goes on with a code after its labels, and that code counts for nothing. If it belongs to the session, write it without a space, like “ses-mri01-2”.',
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
    source: { calendar: rules.calendar, uid, ...(recurrenceId === undefined ? {} : { recurrenceId }) },
  };
}
