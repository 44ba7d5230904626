/** Which scanner an event books: that of its calendar, or the one that its location, category or resource names. */
import { reject, skip, type Verdict } from './codes.ts';
import type { BookableEvent } from './event.ts';
import type { BookingRules } from './rules.ts';
import { cleanText } from './text.ts';

const WORDS = { location: 'location', categories: 'category', resource: 'resource' } as const;

/** The scanner's key, or why there is none. */
export function scannerOf(event: BookableEvent, { scanner: rule }: BookingRules): string | Verdict {
  if ('name' in rule) return rule.name;
  const { by, map, otherwise } = rule;
  const scanners = new Map(Object.entries(map).map(([text, name]) => [fold(text), name]));
  const named = new Set(texts(event, by).flatMap((text) => scanners.get(fold(text)) ?? []));
  const [first, second] = named;
  const example = `such as “${Object.keys(map)[0] ?? ''}”`;
  if (first !== undefined && second === undefined) return first;
  if (first !== undefined)
    return reject(
      'SCANNER_AMBIGUOUS',
      `The ${WORDS[by]} names more than one scanner. Make one booking for each, each with one ${WORDS[by]}, ${example}.`,
    );
  if (typeof otherwise === 'object') return otherwise.name;
  if (otherwise === 'skip')
    return skip('OTHER_PLACE', `The ${WORDS[by]} of the event is none of the scanners, so it is no scan.`);
  return reject(
    'SCANNER_UNKNOWN',
    `Which scanner is meant is not clear: the ${WORDS[by]} names none. Choose the ${WORDS[by]} of the scanner, ${example}.`,
  );
}

function texts(event: BookableEvent, by: keyof typeof WORDS): readonly string[] {
  if (by === 'categories') return event.categories ?? [];
  if (by === 'resource') return event.resources ?? [];
  const { location = '' } = event;
  // Outlook writes several rooms with semicolons between them
  return [location, ...location.split(';')];
}

const fold = (text: string): string => cleanText(text).replaceAll(/\s+/gu, ' ').trim().toLowerCase();
