/** What keeps a title with all labels from being read, in a sentence for its booker. */
import type { Labels } from '../booking.ts';
import { howTo } from './example.ts';
import { saidOf, type Hints } from './hints.ts';
import { LABELS, type LabelName } from './groups.ts';
import { isQuotable, quoted } from './quote.ts';
import type { BookingRules } from './rules.ts';

export function formFault(title: string, hints: Hints, rules: BookingRules): string {
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
