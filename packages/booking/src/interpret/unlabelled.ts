/** An event without any label: a block that is meant so, a title that is hidden, or a mistake. */
import { letterO, twoSubjects, howTo, lineOf, listed } from './check.ts';
import { reject, skip, type Verdict } from './outcome.ts';
import type { BookableEvent, BookingRules } from './rules.ts';
import { LABELS, type LabelName, type Labels } from '../booking.ts';
import { hintsOf, saidOf, WORD_ALONE, type Hints, groupsOf } from './hints.ts';
import {
  pointedAt,
  quotable,
  hidesDetails,
  openWords,
  saysNoBooking,
  saysOpen,
  isQuotable,
  quoted,
} from './words.ts';
import { cleanText } from './text.ts';

/** Without labels, a longer event is no scan; with labels, a message says so. */
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

function formFault(title: string, hints: Hints, rules: BookingRules): string {
  const advice = howTo(rules, ownLabels(hints, rules));
  const fault = cutWord(hints) ?? order(hints, rules) ?? before(title, hints) ?? between(title, hints);
  return `${fault} ${advice}`;
}

/** `sub-001-b`, where the facility's subjects have no second hyphen. */
function cutWord({ coded }: Hints): string | undefined {
  const cut = coded.find(({ text, word }) => text !== word && isQuotable(word));
  if (cut === undefined) return undefined;
  const wrong = cut.word.charAt(cut.text.length);
  return `The ${cut.name} “${cut.word}” is not in the form that is read: “${wrong}” after “${cut.text}” does not belong there.`;
}

/** The labels in another order than that of the facility's title. */
function order({ coded }: Hints, rules: BookingRules): string | undefined {
  const typed = coded.map(({ name }) => name);
  const right = orderOf(rules).filter((name) => typed.includes(name));
  const index = right.findIndex((name, at) => typed[at] !== name);
  const [first, second] = [coded[index], coded.find(({ name }) => name === right[index])];
  if (first === undefined || second === undefined || typed.length !== right.length) return undefined;
  const words = [quoted(saidOf(first)), quoted(saidOf(second))];
  return words.includes(undefined)
    ? `The title has the ${first.name} before the ${second.name}.`
    : `The title has ${words.join(' before ')}.`;
}

/** The order in which the facility's first pattern that says so reads an example. */
function orderOf({ patterns }: Pick<BookingRules, 'patterns'>): readonly LabelName[] {
  const source = patterns[0]?.source ?? '';
  return LABELS.toSorted((a, b) => source.indexOf(`(?<${a}>`) - source.indexOf(`(?<${b}>`));
}

/** Words that are no name. */
const KNOWN =
  /^(?:pilot|phantom|fantoom|test|reserved?|reserv(?:ation|ering|ierung|asjon)|option(?:al)?|optie|tentative|backup|old|proj|moved|rescheduled|postponed|verplaatst|verzet|uitgesteld|verschoben|verlegt|reporté|déplacé|flyttet|udsat|utsatt|flyttad|aplazad[oa]|spostat[oa]|rinviat[oa]|przeniesion[eay]|přesunuto|changed|\d{1,2}[:.]\d{2}(?:\s?-\s?\d{1,2}[:.]\d{2})?)\W*$/iu;

/** Other words before the labels; they are repeated only where they are no name. */
function before(title: string, { coded: [first] }: Hints): string | undefined {
  if (first === undefined) return undefined;
  const words = title.slice(0, first.from).trim();
  if (words === '') return undefined;
  const what = KNOWN.test(words) ? `“${words}” stands` : 'Other words or marks stand';
  return `${what} before ${quoted(saidOf(first)) ?? `the ${first.name}`}, and the title must begin with its labels.`;
}

/** Where other words stand between the labels; they are repeated only where they are no name. */
function between(title: string, { coded }: Hints): string {
  const gaps = coded.slice(1).map((next, index) => {
    const one = coded[index] ?? next;
    return {
      one,
      next,
      words: title.slice(one.from + one.word.length, next.from).match(/[\p{L}\p{N}].*/u)?.[0] ?? '',
    };
  });
  const gap = gaps.find(({ words }) => words !== '');
  const said = gap && quoted(gap.words.replace(/[^\p{L}\p{N}]+$/u, ''));
  const behind = gap && quoted(saidOf(gap.one));
  const ends = [coded[0], coded.at(-1)].flatMap((one) =>
    one === undefined ? [] : (quoted(saidOf(one)) ?? []),
  );
  const where =
    (behind === undefined ? '' : ` behind ${behind},`) +
    (ends.length < 2 ? '' : ` between ${ends.join(' and ')}`);
  return `The title names what is needed, but ${said ?? 'something else'} stands${where}, so that it is not in the form that is read.`;
}

/** The booker's own labels, for the advice; undefined where one is missing, or may not be repeated. */
function ownLabels({ single }: Hints, { defaults }: BookingRules): Labels | undefined {
  const { project = '', subject = '', session = '' } = { ...defaults, ...single };
  const labels = { project, subject, session };
  return Object.values(labels).every((label) => label !== '' && isQuotable(label)) ? labels : undefined;
}

/** What may have been meant by a mark; nothing where the mark does not belong there. */
const MEANT = ['.', '-', '_', ''];

/** Which mark of a word keeps it from being a label, as the end of a sentence; empty where none does. */
function slipIn(
  words: readonly string[],
  names: readonly LabelName[],
  { patterns }: Pick<BookingRules, 'patterns'>,
): string {
  const groups = names.flatMap((name) => groupsOf(patterns).get(name) ?? []);
  const takes = (text: string): boolean => groups.some(({ whole }) => whole.exec(text) !== null);
  for (const word of words) {
    if (quoted(word) === undefined) continue;
    for (const { 0: mark, index } of word.matchAll(/[^\p{L}\p{N}]/gu)) {
      const meant = MEANT.find((one) => takes(word.slice(0, index) + one + word.slice(index + mark.length)));
      if (meant === undefined) continue;
      return `: the “${mark}” of “${word}” ${meant === '' ? 'does not belong there' : `should be “${meant}”`}`;
    }
  }
  return '';
}
