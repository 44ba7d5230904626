/**
 * What the images say against the labels that a series is to get. An identifier that reads as another booking, subject or
 * project contradicts them. What happens every day (another spelling, a Study Instance UID of the scanner's own) is a doubt.
 */
import type { BookingRecord, Labels } from '@scanflow/booking';
import {
  acquiredAt,
  studyOfAnotherDay,
  type EarlierStudy,
  byPattern,
  byTemplate,
  fill,
  LABELS,
  type Patterns,
  type SomeLabels,
  nameText,
  sameCode,
  sameLabel,
} from './reading.ts';
import type { Attributes, DoubtKind, Doubt } from '../../model/series.ts';

export type KnownBooking = Pick<BookingRecord, 'accessionNumber' | 'labels'>;

/** What bookings are known, beside the one by which the series is routed. */
export interface KnownBookings {
  byStudy(studyInstanceUid: string): KnownBooking | undefined;
  /** With exactly this Patient ID, or this name. */
  byPatientId(value: string): readonly KnownBooking[];
  byPatientName(value: string): readonly KnownBooking[];
  /** Whose Patient ID or name is another spelling of it. */
  spelled(value: string): readonly KnownBooking[];
  readonly projects: ReadonlySet<string>;
}

export interface EvidenceRules {
  readonly patterns: Patterns;
  /** Templates of Patient ID and name in the worklist. */
  readonly patientId: string;
  readonly patientName: string;
  /** Of the facility: images carry local time. */
  readonly timeZone: string;
}

/** The labels that a series is to get, and why. */
export interface Chosen {
  readonly labels: Labels;
  readonly by: 'accession' | 'study' | 'patterns';
  readonly booking?: BookingRecord;
}

export interface Evidence {
  readonly attributes: Attributes;
  readonly known: KnownBookings;
  readonly rules: EvidenceRules;
  /** Of the scanner that sent the images; undefined where nobody knows it. */
  readonly scanner?: string | undefined;
  /** What is stored under the same labels. */
  readonly earlier?: readonly EarlierStudy[] | undefined;
}

interface Verdict {
  /** Sentences for people, each with both values and where they come from. */
  readonly contradictions: readonly string[];
  readonly doubts: readonly Doubt[];
}

/** Everything that speaks against the choice. */
export function evidenceAgainst(chosen: Chosen, evidence: Evidence): Verdict {
  const signs = [
    ...IDENTIFIERS.flatMap((identifier) => identifierSigns(identifier, chosen, evidence)),
    ...studySigns(chosen, evidence),
    ...otherPatternSigns(chosen, evidence),
    ...timeSigns(chosen, evidence),
    ...scannerSigns(chosen, evidence),
    ...labelSigns(chosen, evidence),
  ];
  return {
    contradictions: signs.flatMap(({ kind, message }) => (kind === 'contradiction' ? [message] : [])),
    doubts: signs.flatMap(({ kind, message }) => (kind === 'contradiction' ? [] : [{ kind, message }])),
  };
}

interface Sign {
  readonly kind: DoubtKind | 'contradiction';
  readonly message: string;
}

/** One of the two identifiers of a person, and where the configuration and bookings have it. */
interface Identifier {
  readonly keyword: 'PatientID' | 'PatientName';
  readonly key: 'patientId' | 'patientName';
  readonly text: (value: string) => string;
  readonly named: (known: KnownBookings, value: string) => readonly KnownBooking[];
}

const IDENTIFIERS: readonly Identifier[] = [
  {
    keyword: 'PatientID',
    key: 'patientId',
    text: (value) => value.trim(),
    named: (known, value) => known.byPatientId(value),
  },
  {
    keyword: 'PatientName',
    key: 'patientName',
    text: nameText,
    named: (known, value) => known.byPatientName(value),
  },
];

function identifierSigns(identifier: Identifier, chosen: Chosen, evidence: Evidence): Sign[] {
  const { keyword, key, text } = identifier;
  const { attributes, rules } = evidence;
  const value = text(attributes[keyword] ?? '');
  const booked = text(chosen.booking?.[key] ?? '');
  const expected = booked === '' ? fill(rules[key], chosen.labels) : booked;
  if (value === '' || value === expected) return [];
  const read = readsAs(identifier, value, expected, chosen, evidence);
  if (read !== undefined) {
    const { labels, source } = read;
    const message = `${keyword} “${value}” reads as ${textOf(labels)} (${source}), but ${because(chosen)}.`;
    return [{ kind: 'contradiction', message }];
  }
  if (chosen.booking === undefined) return [];
  // a name that is no code may be a person's, and doubts are kept beside the images
  const said = key === 'patientName' ? 'another' : `“${value}”`;
  return [{ kind: 'spelling', message: `${keyword} is ${said} where the booking says “${expected}”.` }];
}

/** The other booking, subject or project that it reads as; undefined where it reads as nothing, or as what is chosen. */
function readsAs(
  { keyword, key, named }: Identifier,
  value: string,
  expected: string,
  chosen: Chosen,
  { known, rules }: Evidence,
): { readonly labels: SomeLabels; readonly source: string } | undefined {
  const names = LABELS.filter((name) => rules[key].includes(`{${name}}`));
  const other = (records: readonly KnownBooking[]) => {
    const record = others(chosen, names, records);
    return record && { labels: record.labels, source: `booking ${record.accessionNumber}` };
  };
  const exactly = other(named(known, value));
  if (exactly !== undefined) return exactly;
  if (sameCode(value, expected)) return undefined;
  const pattern = rules.patterns[keyword];
  const projects = new Set([chosen.labels.project, ...known.projects]);
  const patterned = pattern === undefined ? undefined : readBy(pattern, value);
  const read = patterned ?? byTemplate(rules[key], value, projects);
  if (read === undefined) return other(known.spelled(value));
  const source = patterned === undefined ? `bookings.${key}` : 'arrivals.patterns';
  return differs(read, chosen.labels, LABELS) ? { labels: read, source } : undefined;
}

/** A pattern that takes too long tells nothing. */
function readBy(pattern: Patterns[string], value: string): SomeLabels | undefined {
  const read = byPattern(pattern, value);
  return read === 'too slow' ? undefined : read;
}

/** A booking of other labels; undefined where one of them has the very labels of the choice, or there is none. */
const others = (
  { labels }: Chosen,
  names: readonly (keyof Labels)[],
  records: readonly KnownBooking[],
): KnownBooking | undefined =>
  records.some((record) => names.every((name) => record.labels[name] === labels[name]))
    ? undefined
    : records[0];

const differs = (read: SomeLabels, labels: Labels, names: readonly (keyof Labels)[]): boolean =>
  names.some((name) => read[name] !== undefined && !sameLabel(read[name], labels[name]));

function studySigns({ labels, by, booking, ...rest }: Chosen, { attributes, known }: Evidence): Sign[] {
  const uid = (attributes['StudyInstanceUID'] ?? '').trim();
  if (booking === undefined || by === 'study' || uid === '' || uid === booking.studyInstanceUid) return [];
  const other = known.byStudy(uid);
  if (other !== undefined && LABELS.some((name) => other.labels[name] !== labels[name]))
    return [
      {
        kind: 'contradiction',
        message: `StudyInstanceUID ${uid} is that of booking ${other.accessionNumber}, ${textOf(other.labels)}, but ${because({ labels, by, booking, ...rest })}.`,
      },
    ];
  const whose = other === undefined ? 'no booking' : `booking ${other.accessionNumber} of the same labels`;
  return [
    {
      kind: 'study',
      message: `StudyInstanceUID ${uid} is that of ${whose}; booking ${booking.accessionNumber} has ${booking.studyInstanceUid}.`,
    },
  ];
}

/** Patterns over further attributes. A StudyID is typed by hand or counted by the scanner, so a session there is a weak sign. */
function otherPatternSigns(chosen: Chosen, { attributes, rules }: Evidence): Sign[] {
  if (chosen.booking === undefined) return [];
  return Object.entries(rules.patterns).flatMap(([keyword, pattern]): Sign[] => {
    const value = (attributes[keyword] ?? '').trim();
    if (keyword === 'PatientID' || keyword === 'PatientName' || value === '') return [];
    const read = readBy(pattern, value);
    if (read === undefined) return [];
    const message = `${keyword} “${value}” reads as ${textOf(read)} (arrivals.patterns), but ${because(chosen)}.`;
    if (differs(read, chosen.labels, ['project', 'subject'])) return [{ kind: 'contradiction', message }];
    const session = read.session ?? '';
    // SH has 16 characters: the worklist shows a longer session shortened (PS3.5 6.2)
    const shortened = session.length >= SH && chosen.labels.session.startsWith(session);
    return session === '' || shortened || sameLabel(session, chosen.labels.session)
      ? []
      : [{ kind: 'spelling', message }];
  });
}

const SH = 16;

/** Slots are overrun, and consoles' clocks are set by hand. */
const MARGIN = Temporal.Duration.from({ hours: 1 });

function timeSigns({ booking }: Chosen, { attributes, rules }: Evidence): Sign[] {
  const at = acquiredAt(attributes, rules.timeZone);
  if (booking === undefined || at === undefined) return [];
  const from = Temporal.Instant.from(booking.start).subtract(MARGIN);
  const to = Temporal.Instant.from(booking.end).add(MARGIN);
  const within = Temporal.Instant.compare(from, at) <= 0 && Temporal.Instant.compare(at, to) <= 0;
  const local = (instant: Temporal.Instant): string =>
    instant.toZonedDateTimeISO(rules.timeZone).toPlainDateTime().toString({ smallestUnit: 'minute' });
  if (within) return [];
  const slot = `${local(Temporal.Instant.from(booking.start))} to ${local(Temporal.Instant.from(booking.end))}`;
  return [{ kind: 'time', message: `It was acquired at ${local(at)}; the slot of the booking is ${slot}.` }];
}

function scannerSigns({ booking }: Chosen, { scanner }: Evidence): Sign[] {
  if (booking === undefined || scanner === undefined || scanner === booking.scanner) return [];
  return [{ kind: 'scanner', message: `It came from ${scanner}; the booking is for ${booking.scanner}.` }];
}

function labelSigns({ labels }: Chosen, { attributes, rules, earlier = [] }: Evidence): Sign[] {
  const other = studyOfAnotherDay(attributes, earlier, rules.timeZone);
  if (other === undefined) return [];
  return [
    {
      kind: 'labels',
      message: `The labels ${textOf(labels)} have images of another study already, of ${other.day} (accession number ${other.accession}). Find out whether the session was booked under the right labels; scanflow series move puts it elsewhere.`,
    },
  ];
}

const textOf = (labels: SomeLabels): string => LABELS.flatMap((name) => labels[name] ?? []).join(' ');

function because({ labels, by, booking }: Chosen): string {
  const all = textOf(labels);
  if (booking === undefined) return `the patterns read the images as ${all}`;
  return by === 'accession'
    ? `AccessionNumber ${booking.accessionNumber} is the booking of ${all}`
    : `StudyInstanceUID is that of booking ${booking.accessionNumber}, ${all}`;
}
