/** What attributes of an image read as: labels by a pattern or template of the configuration, codes in several spellings, and when it was acquired. */
import { PatternTooSlow, wholeLabels, type Labels, type Matcher } from '@scanflow/booking';
import type { Attributes } from '../../model/series.ts';

/** Attribute keyword → pattern whose named groups are labels. */
export type Patterns = Readonly<Record<string, Matcher>>;
export type SomeLabels = Readonly<Partial<Labels>>;

export const LABELS = ['project', 'subject', 'session'] as const satisfies (keyof Labels)[];
/** Longer values are not labels, and keep a pattern busy for long. */
const MAX_VALUE = 256;

/**
 * What belongs to a label that stands before it. Blanks, brackets, quotes and the marks of Patient Names
 * (PS3.5 6.2.1.1) end it, and so does `_`, with which identifiers are put together.
 */
const GOES_ON = /^[^\s,;:|()[\]{}<>"'^=\\_]+/u;

/**
 * Labels of an image without booking, each whole: a pattern without an end would read `ses-mri-01` as `ses-mri`, and
 * two sessions would become one. Undefined where the pattern does not match.
 */
export const wholeByPattern = (pattern: Matcher, value: string): SomeLabels | undefined | 'too slow' =>
  inTime(value, () => wholeLabels(value, pattern, GOES_ON)?.labels);

/** What the pattern takes, and no more. Undefined where it does not match. */
export const byPattern = (pattern: Matcher, value: string): SomeLabels | undefined | 'too slow' =>
  inTime(value, () => {
    const match = pattern.exec(value);
    if (match === null) return undefined;
    const { groups = {} } = match;
    return Object.fromEntries(
      LABELS.flatMap((label) => (groups[label] ? [[label, groups[label]] as const] : [])),
    );
  });

function inTime(value: string, read: () => SomeLabels | undefined): SomeLabels | undefined | 'too slow' {
  if (value.length > MAX_VALUE) return undefined;
  try {
    return read();
  } catch (error) {
    if (error instanceof PatternTooSlow) return 'too slow';
    throw error;
  }
}

/** Such as `{project}_{subject}` with these labels. */
export const fill = (template: string, labels: Labels): string =>
  template.replaceAll(/\{(project|subject|session)\}/g, (_, name: keyof Labels) => labels[name]);

/**
 * A template read backwards. Almost any text with a `_` fits `{project}_{subject}`, so only a project that is known counts.
 * Undefined where it does not fit, or the template has no project.
 */
export function byTemplate(
  template: string,
  value: string,
  projects: Iterable<string>,
): SomeLabels | undefined {
  if (!template.includes('{project}') || value.length > MAX_VALUE) return undefined;
  for (const project of projects) {
    if (!value.includes(project)) continue;
    const found = templatePattern(template, project).exec(value)?.groups;
    if (found !== undefined) return { ...found, project };
  }
  return undefined;
}

function templatePattern(template: string, project: string): RegExp {
  const seen = new Set<string>();
  const source = template
    .split(/(\{(?:project|subject|session)\})/)
    .map((piece) => {
      const name = /^\{(\w+)\}$/.exec(piece)?.[1];
      if (name === undefined) return RegExp.escape(piece);
      if (name === 'project') return RegExp.escape(project);
      if (seen.has(name)) return String.raw`\k<${name}>`;
      seen.add(name);
      return `(?<${name}>[^\\s].*)`;
    })
    .join('');
  return new RegExp(`^${source}$`, 'u');
}

/**
 * Consoles and people change capitals, zeros in front, and what stands between letters and digits: `SUB 1` and `sub-001`
 * are one code. Between two numbers something has to stand, so that `1_1` is not `11`.
 */
export const sameCode = (a: string, b: string): boolean => a === b || plain(a) === plain(b);

/** The same for labels, which may lack the prefix that BIDS gives them: `001` and `sub-001`. */
export const sameLabel = (a: string, b: string): boolean =>
  sameCode(a, b) || sameCode(withoutPrefix(a), withoutPrefix(b));

const withoutPrefix = (label: string): string => label.replace(/^(?:sub|ses)[-_ ]?(?=\p{N})/iu, '');

/** In a form that all spellings of one code share. */
export const plain = (text: string): string =>
  text
    .slice(0, LONGEST)
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/\p{Nd}+/gu, (digits) => digits.replace(/^0+(?=.)/u, ''))
    .replaceAll(/[\s._^-]+/gu, '.')
    .replaceAll(/(?<!\p{Nd})\.|\.(?!\p{Nd})/gu, '');

/** PS3.5 6.2: LO has 64 characters, PN 64 in each of its groups; what is longer is no code. */
const LONGEST = 256;

/** The first group of a name that says something, without empty components at its end (PS3.5 6.2.1.1). */
export const nameText = (name: string): string =>
  name
    .split('=')
    .map((group) => group.replace(/[\s^]+$/u, '').trim())
    .find((group) => group !== '') ?? '';

/** Date and time of the series, the most telling first: reconstructions keep when the data was acquired. */
const TIMES = [
  ['AcquisitionDate', 'AcquisitionTime'],
  ['SeriesDate', 'SeriesTime'],
  ['StudyDate', 'StudyTime'],
] as const;

/** Keywords that `acquiredAt` looks at. */
export const TIME_KEYWORDS = [...TIMES.flat(), 'TimezoneOffsetFromUTC'] as const;

const DATE = /^(\d{4})\.?(\d{2})\.?(\d{2})$/;
/** TM: hours at least (PS3.5 6.2). */
const TIME = /^(\d{2}):?(\d{2})?:?(\d{2})?/;
/** PS3.3 C.12.1.1.8. */
const OFFSET = /^([+-]\d{2})(\d{2})$/;

/** Undefined where no date can be read. In the zone of the facility, unless the images name an offset from UTC. */
export function acquiredAt(attributes: Attributes, timeZone: string): Temporal.Instant | undefined {
  const offset = OFFSET.exec((attributes['TimezoneOffsetFromUTC'] ?? '').trim());
  const zone = offset === null ? timeZone : `${offset[1]}:${offset[2]}`;
  for (const [dateKey, timeKey] of TIMES) {
    const plain = plainTime((attributes[dateKey] ?? '').trim(), (attributes[timeKey] ?? '').trim());
    if (plain !== undefined) return instantOf(plain, zone);
  }
  return undefined;
}

/** A date and a time of DICOM (PS3.5 6.2), also as ACR-NEMA wrote them; undefined where they cannot be read. */
export function plainTime(date: string, time: string): Temporal.PlainDateTime | undefined {
  const [, year, month, day] = DATE.exec(date) ?? [];
  const [, hour, minute = '00', second = '00'] = TIME.exec(time) ?? [];
  if (year === undefined || hour === undefined) return undefined;
  try {
    return Temporal.PlainDateTime.from(`${year}-${month ?? ''}-${day ?? ''}T${hour}:${minute}:${second}`);
  } catch {
    // consoles write times that there are not
    return undefined;
  }
}

function instantOf(plain: Temporal.PlainDateTime, zone: string): Temporal.Instant | undefined {
  try {
    return plain.toZonedDateTime(zone).toInstant();
  } catch {
    // an offset that there is not
    return undefined;
  }
}

/** A series that is stored under labels. */
export interface EarlierStudy {
  readonly attributes: Attributes;
  /** Milliseconds since the epoch. */
  readonly firstSeen: number;
}

/**
 * A study of the same accession number goes on; without one, that of the same Study Instance UID. What was scanned on the same
 * day is one session that was booked, or entered at the console, twice.
 */
export function studyOfAnotherDay(
  attributes: Attributes,
  earlier: readonly EarlierStudy[],
  timeZone: string,
): { readonly day: string; readonly accession: string } | undefined {
  const day = dayOf(attributes);
  if (day === undefined) return undefined;
  for (const one of earlier) {
    if (isSameStudy(attributes, one.attributes)) continue;
    const other = dayOf(one.attributes) ?? dayOfArrival(one.firstSeen, timeZone);
    if (other !== day) return { day: other, accession: valueOf(one.attributes, 'AccessionNumber') || 'none' };
  }
  return undefined;
}

function isSameStudy(one: Attributes, other: Attributes): boolean {
  const accessions = [one, other].map((attributes) => valueOf(attributes, 'AccessionNumber'));
  const keyword = accessions.includes('') ? 'StudyInstanceUID' : 'AccessionNumber';
  return valueOf(one, keyword) === valueOf(other, keyword);
}

const valueOf = (attributes: Attributes, keyword: string): string => (attributes[keyword] ?? '').trim();

/** As YYYY-MM-DD. A study that runs past midnight keeps its date. */
function dayOf(attributes: Attributes): string | undefined {
  const [, year, month, day] = DATE.exec(valueOf(attributes, 'StudyDate')) ?? [];
  return year === undefined ? undefined : `${year}-${month ?? ''}-${day ?? ''}`;
}

const dayOfArrival = (firstSeen: number, timeZone: string): string =>
  Temporal.Instant.fromEpochMilliseconds(firstSeen).toZonedDateTimeISO(timeZone).toPlainDate().toString();
