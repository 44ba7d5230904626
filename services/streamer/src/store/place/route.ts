/** Which project a series belongs to, or why nobody can tell; also by who sent it. */
import {
  labelProblem,
  PatternTooSlow,
  type BookingRecord,
  type LabelRules,
  type Labels,
} from '@scanflow/booking';
import { TIME_KEYWORDS, type EarlierStudy, LABELS, wholeByPattern, type Patterns } from './reading.ts';
import type { Attributes, Doubt, DoubtKind, Reason } from '../../model/series.ts';
import { evidenceAgainst, type Chosen, type EvidenceRules, type KnownBookings } from './evidence.ts';

export type Route =
  | {
      readonly kind: 'labels';
      readonly labels: Labels;
      /** `person`: somebody gave them; `kept`: it was stored with them before. */
      readonly by: Chosen['by'] | 'person' | 'kept';
      readonly booking?: BookingRecord;
      /** Weak signs against it. */
      readonly doubts?: readonly Doubt[];
    }
  /** No project, but the configuration has a layout for such images. */
  | { readonly kind: 'unmatched'; readonly reason: Reason }
  | {
      readonly kind: 'quarantine';
      readonly reason: Reason;
      /** The labels that it would have got, but for what speaks against them. */
      readonly instead?: Chosen;
    };

export interface RouteRules extends EvidenceRules, SenderRules {
  /** Doubts that are reason enough for quarantine; the others are shown. */
  readonly quarantined: ReadonlySet<DoubtKind>;
  /** What labels may be that images give themselves; undefined: as 0.1.0 judged them. */
  readonly labels?: LabelRules | undefined;
}

interface RouteInput {
  readonly attributes: Attributes;
  /** Who sent it; undefined where nobody has looked yet. */
  readonly sender?: Sender | undefined;
  /** The booking record whose accession number the series carries. */
  readonly byAccession: BookingRecord | undefined;
  /** The booking record whose Study Instance UID the series carries. */
  readonly byStudy: BookingRecord | undefined;
  readonly known: KnownBookings;
  readonly rules: RouteRules;
  /** What is stored under the labels that it is to get. */
  readonly earlier?: readonly EarlierStudy[];
}

/** Attributes that are always needed to route a series, beside those of the patterns. */
export const ROUTE_KEYWORDS = [
  'AccessionNumber',
  'StudyInstanceUID',
  'PatientID',
  'StudyID',
  ...TIME_KEYWORDS,
] as const;
/** Read to route it, and kept only while it is quarantined: what people type as a name may be one. */
export const PASSING_KEYWORDS = ['PatientName'] as const;

/**
 * The record of the accession number first, then that of the Study Instance UID, then the patterns; from a known sender,
 * and where nothing in the images contradicts it.
 */
export function route(input: RouteInput): Route {
  const { attributes, sender, known, rules, earlier } = input;
  const chosen = choose(input);
  const stranger = unknownSender(sender, rules);
  if (stranger !== undefined)
    return { kind: 'quarantine', reason: stranger, ...('code' in chosen ? {} : { instead: chosen }) };
  if ('code' in chosen) return { kind: 'quarantine', reason: chosen };
  const scanner = rules.senders.get(sender?.aet ?? '');
  const { contradictions, doubts } = evidenceAgainst(chosen, { attributes, known, rules, scanner, earlier });
  const grave = doubts.filter(({ kind }) => rules.quarantined.has(kind));
  const reason =
    contradictions.length > 0
      ? because('ROUTE_CONTRADICTION', contradictions)
      : grave.length > 0
        ? because(
            'ROUTE_DOUBT',
            grave.map(({ message }) => message),
          )
        : undefined;
  return reason === undefined
    ? { kind: 'labels', ...chosen, doubts }
    : { kind: 'quarantine', reason, instead: chosen };
}

/** Whether nothing is known of its project, and nothing speaks against anything. */
export const isUnmatched = (decided: Route): boolean =>
  decided.kind === 'quarantine' &&
  decided.instead === undefined &&
  decided.reason.code !== 'ROUTE_UNKNOWN_SENDER';

const because = (code: string, what: readonly string[]): Reason => ({
  code,
  message: `${what.join(' ')} Find out who was scanned. Then release the series with the right labels, or correct the booking.`,
});

function choose({ attributes, byAccession, byStudy, rules }: RouteInput): Chosen | Reason {
  if (byAccession !== undefined) return { labels: byAccession.labels, by: 'accession', booking: byAccession };
  if (byStudy !== undefined) return { labels: byStudy.labels, by: 'study', booking: byStudy };
  const found = fromPatterns(attributes, rules.patterns);
  if ('code' in found) return found;
  return refusedLabel(found.labels, rules.labels) ?? { labels: found.labels, by: 'patterns' };
}

/** All patterns must match, agree, and together give all three labels. */
function fromPatterns(attributes: Attributes, patterns: Patterns): { labels: Labels } | Reason {
  const found = new Map<string, string>();
  for (const [keyword, pattern] of Object.entries(patterns)) {
    const read = wholeByPattern(pattern, attributes[keyword] ?? '');
    if (read === 'too slow') return tooSlow(keyword);
    if (read === undefined) return noMatch(keyword, attributes);
    for (const [label, text] of Object.entries(read)) {
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

/** Labels of bookings were judged when they were booked. */
function refusedLabel(labels: Labels, rules: LabelRules | undefined): Reason | undefined {
  try {
    const problems = LABELS.map((name) => labelProblem(name, labels[name], rules));
    const problem = problems.find(
      (one) => one !== undefined && (rules !== undefined || one.code === 'LABEL_RESERVED'),
    );
    if (problem === undefined) return undefined;
    const message = `No booking record, and the labels in its attributes break the facility's rules. ${problem.message} Release it with the right labels, or correct bookings.labels.`;
    return { code: 'ROUTE_LABEL', message };
  } catch (error) {
    if (error instanceof PatternTooSlow) return tooSlow('a label');
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

export interface Sender {
  /** AE title; empty where Orthanc noted none. */
  readonly aet: string;
  /** The AE title that was called. */
  readonly called?: string;
  readonly address?: string;
  /** It came through Orthanc's HTTP interface: from somebody who has its password. */
  readonly uploaded?: boolean;
}

interface SenderRules {
  /** `arrivals.from`: whether images of this AE title go to projects. */
  readonly admits: (aet: string) => boolean;
  /** AE title → name of the scanner. */
  readonly senders: ReadonlyMap<string, string>;
}

/** Why images of this sender are quarantined; undefined where they are not. */
function unknownSender(sender: Sender | undefined, { admits }: SenderRules): Reason | undefined {
  if (sender === undefined || sender.uploaded === true || admits(sender.aet)) return undefined;
  const { aet, called, address } = sender;
  const whom = aet === '' ? 'a sender without an AE title' : `AE title ${aet}`;
  const details = [
    ...(address === undefined ? [] : [`address ${address}`]),
    ...(called === undefined ? [] : [`calling ${called}`]),
  ].join(', ');
  return {
    code: 'ROUTE_UNKNOWN_SENDER',
    message: `It was sent by ${whom}${details === '' ? '' : ` (${details})`}, which arrivals.from does not name. If that is a scanner of yours, add the AE title to its sends; the series is looked at again after a restart. Else release it, or delete it from Orthanc.`,
  };
}
