/** An event without any label: a block that is meant so, a title that is hidden, or a mistake. */
import { twoSubjects } from './check.ts';
import { reject, skip, type Verdict } from './codes.ts';
import type { BookableEvent } from './event.ts';
import { howTo, lineExample, listed } from './example.ts';
import { hintsOf } from './hints.ts';
import { LABELS } from './labels.ts';
import type { BookingRules } from './rules.ts';
import { cleanText } from './text.ts';
import { hasOpenWord, hidesDetails, saysNoBooking, saysOpen } from './words.ts';

/** Without labels, what lasts longer is no scan; with them, it is told. */
export const LONG_HOURS = 12;

export function unlabelled(event: BookableEvent, rules: BookingRules): Verdict {
  const title = cleanText(event.summary).trim();
  return nearMiss(title, rules) ?? block(event, title, rules) ?? mistake(title, rules);
}

/** A title in which labels stand, but not as they should. */
function nearMiss(title: string, rules: BookingRules): Verdict | undefined {
  const { seen, subjects, letterO } = hintsOf(title, rules);
  if (letterO)
    return reject(
      'LETTER_O',
      `The title has the letter O where a zero is meant. Type the digit 0. ${howTo(rules)}`,
    );
  if (subjects > 1) return twoSubjects(rules);
  if (
    (saysOpen(title) || (hasOpenWord(title) && seen.length > 0)) &&
    (seen.length > 0 || !saysNoBooking(title))
  )
    return reject(
      'SUBJECT_OPEN',
      `The title says that something is not decided yet. Complete it before the scan. ${howTo(rules)}`,
    );
  const missing = LABELS.filter((name) => !seen.includes(name) && rules.defaults[name] === undefined);
  if (seen.length < 2 && !(seen.length === 1 && missing.length === 0)) return undefined;
  if (missing.length === 0)
    return reject(
      'TITLE_FORM',
      `The title names what is needed, but not in the form that is read. ${howTo(rules)}`,
    );
  return reject(
    'INCOMPLETE',
    `The ${listed(missing)} cannot be read. Complete the title, or add to the description all of ${listed(LABELS.map((name) => lineExample(name, rules)))}.`,
  );
}

function block(event: BookableEvent, title: string, rules: BookingRules): Verdict | undefined {
  if (event.allDay)
    return skip(
      'ALL_DAY',
      'The event lasts all day, so it is no scan. If it is a booking, give it a start and an end time.',
    );
  if (saysNoBooking(title))
    return skip('MAINTENANCE', 'The title reads as maintenance or another block, not as a scan.');
  if (event.end.since(event.start).total('hours') > LONG_HOURS)
    return skip(
      'LONG_BLOCK',
      `The event lasts longer than ${LONG_HOURS} hours and names no subject, so it is no scan. ${howTo(rules)}`,
    );
  return undefined;
}

function mistake(title: string, rules: BookingRules): Verdict {
  if (!hidesDetails(title))
    return reject('NO_LABELS', `Project, subject and session cannot be read. ${howTo(rules)}`);
  const reason = `The calendar shows no details of this event: check its sharing level. Share the calendar with all details, and do not mark bookings as private. ${howTo(rules)}`;
  return rules.busy === 'skip' ? skip('BUSY_SKIPPED', reason) : reject('NO_DETAILS', reason);
}
