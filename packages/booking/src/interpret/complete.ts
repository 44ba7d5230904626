/** Labels that stand by themselves, and complete what other places lack. */
import type { BookableEvent } from './event.ts';
import { isRecognised } from './groups.ts';
import type { Matcher } from '../pattern/pattern.ts';
import { hintsOf } from './hints.ts';
import { LABELS, type LabelName, type PartialLabels } from './labels.ts';
import type { BookingRules } from './rules.ts';
import { plainText } from './html.ts';
import { cleanText } from './text.ts';
import { wholeLabels } from './whole.ts';

/** More lines are no note to a booking. */
const MOST_LINES = 200;

/**
 * What places lack, from a title that is not of the facility's form, and from lines that are nothing but a label. All
 * must agree, also with what is given. A title alone is judged by its form, not completed from itself.
 */
export function completed(event: BookableEvent, given: PartialLabels, rules: BookingRules): PartialLabels {
  const lacks = LABELS.filter((name) => given[name] === undefined);
  if (lacks.length === 0) return {};
  const { single, subjects } = hintsOf(cleanText(event.summary), rules);
  const lines = bareLines(event.description, rules);
  if (Object.keys(given).length === 0 && !lacks.some((name) => lines.has(name))) return {};
  const all = LABELS.map((name) => {
    const found = [given[name], single[name], ...(lines.get(name) ?? [])];
    return [name, new Set(found.filter((value) => value !== undefined))] as const;
  });
  if (subjects.length > 1 || all.some(([, values]) => values.size > 1)) return {};
  return Object.fromEntries(all.flatMap(([name, [value]]) => (value === undefined ? [] : [[name, value]])));
}

/** By label, lines that hold it, or a whole title, and nothing else. */
function bareLines(
  description: string,
  { patterns }: Pick<BookingRules, 'patterns'>,
): ReadonlyMap<LabelName, readonly string[]> {
  if (description === '') return new Map();
  const lines = cleanText(plainText(description)).split('\n', MOST_LINES);
  const found = lines.flatMap((line) => {
    const text = line.trim();
    if (text === '' || text.length > 200) return [];
    const name = LABELS.find((one) => isRecognised(one, text, patterns));
    return name === undefined ? titleIn(text, patterns) : [{ name, text }];
  });
  return new Map(
    [...Map.groupBy(found, ({ name }) => name)].map(([name, all]) => [name, all.map(({ text }) => text)]),
  );
}

/** A line that is a title of the facility, and nothing else. */
function titleIn(line: string, patterns: readonly Matcher[]): { name: LabelName; text: string }[] {
  const found = patterns.map((pattern) => wholeLabels(line, pattern)).find((one) => one !== undefined);
  const all = LABELS.flatMap((name) => {
    const text = found?.labels[name];
    return text === undefined ? [] : [{ name, text }];
  });
  const length = all.reduce((sum, { text }) => sum + text.length, 0);
  return all.length === LABELS.length && length + LABELS.length - 1 === line.length ? all : [];
}
