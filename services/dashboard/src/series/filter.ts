/** The filter of the series' page, as it stands in the address. Pure. */
import { dateIn } from '../day/facts.ts';
import { t } from '../texts/pages.ts';

const STATES = Object.keys(t.series.states);
const LEGS = Object.keys(t.series.legs);
const TEXTS = [
  ...(['target', 'project', 'subject', 'session', 'accession', 'modality', 'code', 'scanner'] as const),
];
const DATES = ['from', 'to'] as const;
const MOST_CHARACTERS = 200;

type Key = (typeof TEXTS)[number] | (typeof DATES)[number] | 'state' | 'leg';

/** Only keys that ask something. Dates are days of the facility. */
export type Filter = Readonly<Partial<Record<Key, string>>>;

export type Read = { readonly filter: Filter } | { readonly problem: string };

/** Reads what an address or a form says; empty fields ask nothing, and other keys are none of a filter. */
export function filterIn(query: Readonly<Record<string, string | undefined>>): Read {
  const filter: Partial<Record<Key, string>> = {};
  for (const key of [...TEXTS, ...DATES, 'state', 'leg'] as const) {
    const value = (query[key] ?? '').trim();
    if (value === '') continue;
    const problem = problemOf(key, value);
    if (problem !== undefined) return { problem };
    filter[key] = value;
  }
  return { filter };
}

function problemOf(key: Key, value: string): string | undefined {
  const bad = (known: string): string => t.series.badFilter(key, value.slice(0, MOST_CHARACTERS), known);
  if (key === 'state') return STATES.includes(value) ? undefined : bad(STATES.join(', '));
  if (key === 'leg') return LEGS.includes(value) ? undefined : bad(LEGS.join(', '));
  if (key === 'from' || key === 'to')
    return dateIn(value) === undefined ? bad(t.series.expected.day) : undefined;
  return value.length > MOST_CHARACTERS ? bad(t.series.expected.characters(MOST_CHARACTERS)) : undefined;
}

export const SORTS = ['came', 'session', 'series', 'state', 'images'] as const;

/** How a page is sorted, as it stands in the address: `sort=state` or `sort=-state`. */
export interface Sort {
  readonly by: (typeof SORTS)[number];
  readonly up: boolean;
}

/** The newest first. */
export const NEWEST: Sort = { by: 'came', up: false };

/** Undefined where the address says something else. */
export function sortIn(text: string | undefined): Sort | undefined {
  if (text === undefined || text === '') return NEWEST;
  const by = SORTS.find((one) => one === text.replace(/^-/, ''));
  return by && { by, up: !text.startsWith('-') };
}

export const sortText = ({ by, up }: Sort): string => `${up ? '' : '-'}${by}`;

/** As in the address of the page. */
export const queryOf = (filter: Filter): URLSearchParams => new URLSearchParams(Object.entries(filter));

interface Asking {
  /** The scanner of an AE title. */
  readonly scannerOf: ReadonlyMap<string, string>;
  /** Those that a member sees. */
  readonly projects?: readonly string[] | undefined;
}

/** As the streamer takes it. */
export function askedOf(filter: Filter, timezone: string, { scannerOf, projects }: Asking): URLSearchParams {
  const { leg, from, to, scanner, ...texts } = filter;
  const asked = new URLSearchParams(Object.entries(texts));
  const midnight = (date: Temporal.PlainDate): string =>
    date.toZonedDateTime(timezone).toInstant().toString();
  const first = dateIn(from ?? '');
  const last = dateIn(to ?? '');
  if (leg === 'waits') asked.set('waits', '1');
  else if (leg !== undefined) asked.set('leg', leg);
  if (first !== undefined) asked.set('from', midnight(first));
  if (last !== undefined) asked.set('to', midnight(last.add({ days: 1 })));
  // its name, or an AE title that no scanner of the configuration has
  if (scanner !== undefined) {
    const titles = [...scannerOf].flatMap(([aet, name]) => (name === scanner ? [aet] : []));
    asked.set('senders', (titles.length === 0 ? [scanner] : titles).join('\n'));
  }
  if (projects !== undefined) asked.set('projects', projects.join('\n'));
  return asked;
}
