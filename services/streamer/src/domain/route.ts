/** Which project an image series belongs to, or why nobody can tell. */
import { PatternTooSlow, type BookingRecord, type Labels, type Matcher } from '@scanflow/booking';

/** Attribute values of a series by keyword, as its first image has them. */
export type Attributes = Readonly<Record<string, string>>;

/** Attribute keyword → pattern whose named groups are labels. */
export type Patterns = Readonly<Record<string, Matcher>>;

export type Route =
  | {
      readonly kind: 'labels';
      readonly labels: Labels;
      /** `person`: somebody gave them; `kept`: it was stored with them before. */
      readonly by: 'accession' | 'study' | 'patterns' | 'person' | 'kept';
      readonly booking?: BookingRecord;
    }
  /** No project, but the configuration has a layout for such images. */
  | { readonly kind: 'unmatched'; readonly reason: Reason }
  | { readonly kind: 'quarantine'; readonly reason: Reason };

export interface Reason {
  readonly code: string;
  readonly message: string;
}

export interface RouteInput {
  readonly attributes: Attributes;
  /** The booking record whose accession number the series carries. */
  readonly byAccession: BookingRecord | undefined;
  /** The booking record whose Study Instance UID the series carries. */
  readonly byStudy: BookingRecord | undefined;
  readonly patterns: Patterns;
}

/** Attributes that are always needed to route a series, beside those of the patterns. */
export const ROUTE_KEYWORDS = ['AccessionNumber', 'StudyInstanceUID', 'PatientID', 'StudyID'] as const;

/** The record of the accession number first, then that of the Study Instance UID, then the patterns. */
export function route({ attributes, byAccession, byStudy, patterns }: RouteInput): Route {
  if (byAccession !== undefined) return byBooking(byAccession, 'accession');
  if (byStudy !== undefined) return byBooking(byStudy, 'study');
  const found = fromPatterns(attributes, patterns);
  return 'labels' in found
    ? { kind: 'labels', labels: found.labels, by: 'patterns' }
    : { kind: 'quarantine', reason: found };
}

const byBooking = (booking: BookingRecord, by: 'accession' | 'study'): Route => ({
  kind: 'labels',
  labels: booking.labels,
  by,
  booking,
});

const LABELS = ['project', 'subject', 'session'] as const;
/** Longer values are not labels, and keep a pattern busy for long. */
const MAX_VALUE = 256;

/** All patterns must match, agree, and together give all three labels. */
function fromPatterns(attributes: Attributes, patterns: Patterns): { labels: Labels } | Reason {
  const found = new Map<string, string>();
  for (const [keyword, pattern] of Object.entries(patterns)) {
    const value = attributes[keyword] ?? '';
    const groups = value.length > MAX_VALUE ? undefined : find(pattern, value);
    if (groups === 'too slow') return tooSlow(keyword);
    if (groups === undefined) return noMatch(keyword, attributes);
    for (const [label, text] of Object.entries(groups)) {
      if (text === undefined || text === '') continue;
      if ((found.get(label) ?? text) !== text) return contradiction(label);
      found.set(label, text);
    }
  }
  const missing = LABELS.filter((label) => !found.has(label));
  if (missing.length > 0)
    return {
      code: 'ROUTE_INCOMPLETE',
      message: `No booking record, and the patterns give no ${missing.join(', ')}. Correct the booking or the patterns.`,
    };
  const [project = '', subject = '', session = ''] = LABELS.map((label) => found.get(label));
  return { labels: { project, subject, session } };
}

type Groups = Readonly<Record<string, string | undefined>>;

function find(pattern: Matcher, value: string): Groups | undefined | 'too slow' {
  try {
    const match = pattern.exec(value);
    return match === null ? undefined : (match.groups ?? {});
  } catch (error) {
    if (error instanceof PatternTooSlow) return 'too slow';
    throw error;
  }
}

const tooSlow = (keyword: string): Reason => ({
  code: 'ROUTE_PATTERN_SLOW',
  message: `No booking record, and the pattern of ${keyword} takes too long on its value. Rewrite the pattern: scanflow check shows how.`,
});

function noMatch(keyword: string, attributes: Attributes): Reason {
  const accession = attributes['AccessionNumber'] ?? '';
  const booking =
    accession === '' ? 'It has no accession number' : 'No booking record has its accession number';
  return {
    code: 'ROUTE_NO_MATCH',
    message: `${booking}, and its ${keyword} does not match the pattern. It waits until a booking appears or the patterns change.`,
  };
}

function contradiction(label: string): Reason {
  return {
    code: 'ROUTE_CONTRADICTION',
    message: `No booking record, and the patterns give two different values for ${label}. Correct the patterns or the attributes.`,
  };
}
