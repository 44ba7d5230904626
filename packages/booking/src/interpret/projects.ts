/** The facility's list of projects, and whether a booking may use its project: booked by whom, where and when. */
import { reject, type RejectCode, type Verdict } from './outcome.ts';
import { isQuotable } from './words.ts';
import { defined, given } from '@scanflow/failure/defined';
import { isObject } from '../records.ts';

/** What of an event decides. */
interface Booked {
  readonly start: Temporal.Instant;
  readonly bookers?: readonly string[];
}

/** None of them names a person: reasons stand in files that others read. `NUMBER` is the project of the booking. */
const SENTENCES: Readonly<Record<Refusal, string>> = {
  PROJECT_NOT_YOURS:
    'The facility lets only certain people book this project, and the event was not made by one of them. Check NUMBER, or ask the facility to add your mail address to the project.',
  PROJECT_NOT_HERE:
    'The facility does not let this project use this scanner. Check NUMBER, or ask the facility to add the scanner to the project.',
  PROJECT_NOT_YET:
    'The project has not begun on the day of this booking. Check NUMBER, or make the booking for a later day.',
  PROJECT_ENDED:
    'The project has ended before the day of this booking. Check NUMBER, or ask the facility to extend the project.',
};

/** What keeps the booking from its project; undefined where nothing does. */
export function checkProject(
  project: string,
  event: Booked,
  scanner: string,
  { projects, zone }: { readonly projects?: Projects | undefined; readonly zone: string },
): Verdict | undefined {
  const rule = projects?.get(project);
  if (projects === undefined) return undefined;
  if (rule === undefined) return unknown([...projects.keys()][0]);
  const refusal = refusalOf(rule, { event, scanner, zone });
  if (refusal === undefined) return undefined;
  const number = `the number, “Project: ${isQuotable(project) ? project : '…'}”`;
  return reject(refusal satisfies RejectCode, SENTENCES[refusal].replace('NUMBER', number));
}

function unknown(example: string | undefined): Verdict {
  const like = example === undefined ? '' : `, like “Project: ${example}”`;
  return reject(
    'PROJECT_UNKNOWN',
    `There is no project of this name in the facility's list. Check its number, or ask the facility to add it; write it as it is there${like}.`,
  );
}

/** What is not given is not asked. */
export interface ProjectRule {
  /** Mail addresses, or domains such as `lab.example.org`, of who may book; in lower case. */
  readonly bookers?: readonly string[];
  /** Keys of scanners in the configuration. */
  readonly scanners?: readonly string[];
  /** First and last day, in the time zone of the facility. */
  readonly from?: Temporal.PlainDate;
  readonly until?: Temporal.PlainDate;
}

export type Projects = ReadonlyMap<string, ProjectRule>;
export type ParsedProjects =
  { readonly ok: true; readonly projects: Projects } | { readonly ok: false; readonly problem: string };

const NONE = 'The list of projects holds none.';
const KEYS = new Set(['project', 'bookers', 'scanners', 'from', 'until']);

/**
 * One project a line, `#` begins a comment; or a JSON array of texts and of objects
 * `{"project": …, "bookers": […], "scanners": […], "from": "2026-01-31", "until": "2026-12-31"}`.
 */
export function parseProjects(text: string): ParsedProjects {
  const trimmed = text.replace(/^\ufeff/u, '').trim();
  return trimmed.startsWith('[') ? fromJson(trimmed) : listed(fromLines(trimmed).map((name) => [name, {}]));
}

const fromLines = (text: string): string[] =>
  text
    .split(/\r\n?|\n/u)
    .map((line) => line.replace(/(?:^|\s)#.*$/u, '').trim())
    .filter((line) => line !== '');

function fromJson(text: string): ParsedProjects {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, problem: 'The list of projects begins like JSON and is none.' };
  }
  if (!Array.isArray(value)) return { ok: false, problem: NONE };
  const entries: (readonly [string, ProjectRule])[] = [];
  for (const [index, one] of value.entries()) {
    const entry = typeof one === 'string' ? ([one.trim(), {}] as const) : entryOf(one);
    if (typeof entry === 'string')
      return { ok: false, problem: `Entry ${index + 1} of the list of projects ${entry}.` };
    if (entry[0] !== '') entries.push(entry);
  }
  return listed(entries);
}

function listed(entries: readonly (readonly [string, ProjectRule])[]): ParsedProjects {
  const isPage = entries.some(([name]) => name.length > 64 || name.startsWith('<'));
  if (entries.length === 0 || isPage) return { ok: false, problem: NONE };
  // a project that stands twice would be judged by one of the two
  const projects = new Map(entries);
  const twice = projects.size < entries.length && entries.some(([, rule]) => Object.keys(rule).length > 0);
  return twice
    ? { ok: false, problem: 'The list of projects names a project twice.' }
    : { ok: true, projects };
}

/** The entry, or what is wrong with it. A key that is not known may be a restriction that nobody would keep. */
function entryOf(value: unknown): readonly [string, ProjectRule] | string {
  if (!isObject(value)) return 'is neither text nor object';
  const { project, bookers, scanners } = value;
  if (typeof project !== 'string' || project.trim() === '') return 'lacks project';
  if (Object.keys(value).some((key) => !KEYS.has(key)))
    return 'has another key than project, bookers, scanners, from, until';
  if (!isTexts(bookers) || !isTexts(scanners)) return 'has bookers or scanners that are no list of texts';
  const [from, until] = [dayOf(value['from']), dayOf(value['until'])];
  if (from === 'none' || until === 'none') return 'has a day that is not written like 2026-12-31';
  const rule = {
    ...defined({
      bookers: given(bookers, (bookers) => bookers.map((one) => one.trim().toLowerCase().replace(/^@/u, ''))),
      scanners,
      from,
      until,
    }),
  };
  return [project.trim(), rule];
}

const isTexts = (value: unknown): value is readonly string[] | undefined =>
  value === undefined || (Array.isArray(value) && value.every((one) => typeof one === 'string'));

function dayOf(value: unknown): Temporal.PlainDate | undefined | 'none' {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}$/u.test(value)) return 'none';
  try {
    return Temporal.PlainDate.from(value, { overflow: 'reject' });
  } catch {
    return 'none';
  }
}

type Refusal = 'PROJECT_NOT_YOURS' | 'PROJECT_NOT_HERE' | 'PROJECT_NOT_YET' | 'PROJECT_ENDED';

/** Why a project may not be booked by this event; undefined where it may. */
function refusalOf(
  rule: ProjectRule,
  { event, scanner, zone }: { event: Booked; scanner: string; zone: string },
): Refusal | undefined {
  if (rule.bookers?.some((booker) => isFrom(event.bookers, booker)) === false) return 'PROJECT_NOT_YOURS';
  if (rule.scanners?.includes(scanner) === false) return 'PROJECT_NOT_HERE';
  const day = event.start.toZonedDateTimeISO(zone).toPlainDate();
  if (rule.from !== undefined && Temporal.PlainDate.compare(day, rule.from) < 0) return 'PROJECT_NOT_YET';
  if (rule.until !== undefined && Temporal.PlainDate.compare(day, rule.until) > 0) return 'PROJECT_ENDED';
  return undefined;
}

/** An address is compared as a whole, a domain with what follows the last `@`. */
const isFrom = (addresses: readonly string[] | undefined, booker: string): boolean =>
  (addresses ?? []).some((address) => {
    const lower = address.toLowerCase();
    return booker.includes('@') ? lower === booker : lower.slice(lower.lastIndexOf('@') + 1) === booker;
  });
