/** An event without any label: a block that is meant so, a title that is hidden, or a mistake. */
import { letterO, twoSubjects } from './check.ts';
import { reject, skip, type Verdict } from './codes.ts';
import type { BookableEvent } from './event.ts';
import { howTo, lineOf, listed } from './example.ts';
import { hintsOf, saidOf, WORD_ALONE, type Hints } from './hints.ts';
import { slipIn } from './slip.ts';
import { LABELS } from './labels.ts';
import { pointedAt, quotable } from './quote.ts';
import type { BookingRules } from './rules.ts';
import { cleanText } from './text.ts';
import { formFault } from './title-form.ts';
import { hidesDetails, openWords, saysNoBooking, saysOpen } from './words.ts';

/** Without labels, what lasts longer is no scan; with them, it is told. */
export const LONG_HOURS = 12;

export function unlabelled(event: BookableEvent, rules: BookingRules): Verdict {
  const title = cleanText(event.summary).trim();
  const hints = hintsOf(title, rules);
  return nearMiss(title, hints, rules) ?? block(event, title, rules) ?? mistake(title, hints, rules);
}

/** Another number right behind a subject: `sub-001+002`, `sub-001, 002`, `sub-001 and 002`. */
const JOINED = /^(?:\s*[+&/,]\s*|\s(?:and|en|und|et|og|och|y|e|i|a|or|of)\s)(\d{1,4})(?![\p{L}\p{N}.:])/iu;

function joined(title: string, { coded }: Hints): string[] {
  const subject = coded.find(({ name }) => name === 'subject');
  if (subject === undefined) return [];
  const [, second] = JOINED.exec(title.slice(subject.from + subject.text.length)) ?? [];
  return second === undefined ? [] : [saidOf(subject), second];
}

/** A title in which labels stand, but not as they should. */
function nearMiss(title: string, hints: Hints, rules: BookingRules): Verdict | undefined {
  const { seen, subjects } = hints;
  if (hints.letterO.length > 0) return letterO(hints.letterO, rules);
  const several = subjects.length > 1 ? subjects : joined(title, hints);
  if (several.length > 1) return twoSubjects(several, rules);
  const open = openWords(title);
  if ((saysOpen(title) || (open.length > 0 && seen.length > 0)) && (seen.length > 0 || !saysNoBooking(title)))
    return undecided(open, rules);
  const missing = LABELS.filter((name) => !seen.includes(name) && rules.defaults[name] === undefined);
  if (seen.length < 2 && !(seen.length === 1 && missing.length === 0)) return undefined;
  return missing.length === 0
    ? reject('TITLE_FORM', formFault(title, hints, rules))
    : lacking(title, hints, rules);
}

function undecided(words: readonly string[], rules: BookingRules): Verdict {
  const said = quotable(words);
  const what =
    said.length === 0 ? 'The title says that something' : `${listed(said)} in the title says that something`;
  return reject('SUBJECT_OPEN', `${what} is not decided yet. Complete it before the scan. ${howTo(rules)}`);
}

/** Which labels a title lacks, and which of its words may have been meant for them. */
function lacking(title: string, { seen, coded, single }: Hints, rules: BookingRules): Verdict {
  const missing = LABELS.filter((name) => !seen.includes(name) && rules.defaults[name] === undefined);
  const read = new Set(coded.map(({ word }) => word));
  const unread = title
    .split(/[\s;|()[\]"“”]+|,(?!\d)/u)
    .filter(
      (word) =>
        (/\p{N}|^\p{L}{3}[-_]/u.test(word) || WORD_ALONE.test(word)) &&
        !/^\d{1,2}[:.h]\d{2}/u.test(word) &&
        !read.has(word),
    );
  const said = pointedAt(unread, title);
  const strange = Array.from(unread.join('')).find((character) => character > '~');
  const words =
    strange !== undefined
      ? ` The character “${strange}” in the title is no letter A to Z and no digit 0 to 9.`
      : said.length === 0
        ? ''
        : ` ${capital(listed(said))} in the title ${said.length === 1 ? 'is' : 'are'} not in the form that is read${slipIn(unread, missing, rules)}.`;
  return reject(
    'INCOMPLETE',
    `The ${listed(missing)} cannot be read.${words} Complete the title, or add to the description all of ${listed(LABELS.map((name) => lineOf(name, single[name], rules)))}.`,
  );
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

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

function mistake(title: string, hints: Hints, rules: BookingRules): Verdict {
  if (hints.coded.length > 0) return lacking(title, hints, rules);
  if (!hidesDetails(title))
    return reject('NO_LABELS', `Project, subject and session cannot be read. ${howTo(rules)}`);
  const reason = `The calendar shows no details of this event: check its sharing level. Share the calendar with all details, and do not mark bookings as private. ${howTo(rules)}`;
  return rules.busy === 'skip' ? skip('BUSY_SKIPPED', reason) : reject('NO_DETAILS', reason);
}
