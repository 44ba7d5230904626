/** One VEVENT as typed data, before its recurrence is expanded (RFC 5545 3.6.1). */
import { createHash } from 'node:crypto';
import {
  withFormer,
  instantOf,
  positive,
  readDuration,
  readExtraStarts,
  readMoment,
  readMoments,
  type ExtraStart,
  type Moment,
  type Zones,
} from './moment.ts';
import {
  isDeclinedRoom,
  isTurnedDown,
  readExtras,
  type EventExtras,
  parseProperty,
  unescapeText,
  type Property,
} from './property.ts';
import { EventError, type CalendarEvent } from './event.ts';

/** The texts and settings of an event, without its times. */
export interface EventDetails {
  readonly summary: string | undefined;
  readonly description: string | undefined;
  readonly location: string | undefined;
  readonly organizer: string | undefined;
  readonly attendees: readonly string[];
  readonly status: CalendarEvent['status'];
  readonly transparent: boolean;
  readonly class: CalendarEvent['class'];
  readonly extras: EventExtras;
  /** Texts as Scanflow 0.1.0 read them, if it read one differently. */
  readonly former: EventTexts | undefined;
}

/** The texts that describe the event. */
export interface EventTexts {
  readonly summary: string | undefined;
  readonly description: string | undefined;
  readonly labels: EventExtras['labels'];
}

/** The instances of a series that an override replaces (RFC 5545 3.8.4.4). */
export interface Recurrence {
  readonly id: Moment;
  readonly thisAndFuture: boolean;
}

/** What decides which of two versions of an event is newer. */
export interface Age {
  readonly sequence: number;
  /** LAST-MODIFIED or DTSTAMP as written: the later one counts if SEQUENCE is equal. */
  readonly stamp: string;
  /** The last one in the feed counts if all else is equal. */
  readonly position: number;
}

/** Newest first. */
export const byAge = (a: { readonly age: Age }, b: { readonly age: Age }): number =>
  b.age.sequence - a.age.sequence ||
  (b.age.stamp === a.age.stamp ? b.age.position - a.age.position : b.age.stamp > a.age.stamp ? 1 : -1);

export interface Component {
  readonly uid: string;
  readonly start: Moment;
  /** Undefined without DTEND and DURATION. Hours and less are exact, days and weeks nominal. */
  readonly length: Temporal.Duration | undefined;
  readonly allDay: boolean;
  readonly rules: readonly string[];
  readonly extraStarts: readonly ExtraStart[];
  readonly excluded: readonly Moment[];
  /** EXRULEs (RFC 2445 only): the series leaves out their times. */
  readonly excludedRules: readonly string[];
  readonly recurrence: Recurrence | undefined;
  readonly age: Age;
  readonly details: EventDetails;
}

/** The properties of one VEVENT by name, in the order of the feed. */
export type Properties = ReadonlyMap<string, readonly Property[]>;

export function readProperties(lines: readonly string[]): Properties {
  const properties = new Map<string, Property[]>();
  for (const line of lines) {
    const property = parseProperty(line);
    if (property === undefined) continue;
    const same = properties.get(property.name);
    if (same === undefined) properties.set(property.name, [property]);
    else same.push(property);
  }
  return properties;
}

/** The event's UID. An event without one gets a name from its start and title, the same at each fetch. */
export function uidOf(properties: Properties): string {
  const uid = properties.get('UID')?.[0]?.value.trim();
  if (uid !== undefined && uid !== '') return uid;
  const text = ['DTSTART', 'SUMMARY', 'RECURRENCE-ID'].map((name) => properties.get(name)?.[0]?.value ?? '');
  return `no-uid-${createHash('sha1').update(JSON.stringify(text)).digest('hex')}`;
}

export interface ComponentContext {
  readonly uid: string;
  /** The same as 0.1.0 read it, if that differs. */
  readonly former: Properties | undefined;
  /** METHOD of its VCALENDAR. */
  readonly method: string | undefined;
  readonly zones: Zones;
  /** Position in the feed. */
  readonly position: number;
}

/** Reads one VEVENT. Throws EventError. */
export function readComponent(
  properties: Properties,
  { uid, former, method, zones, position }: ComponentContext,
): Component {
  const all = allOf(properties);
  const recurrence = isStartless(properties, method) ? readRecurrence(properties, zones) : undefined;
  const start = recurrence?.id ?? readStart(all('DTSTART'), zones);
  const local = localZones(all('DTSTART')[0], start, zones);
  return {
    uid,
    start,
    length: readLength(start, all('DTEND')[0], all('DURATION')[0], local),
    allDay: start.dateOnly || text(all('X-MICROSOFT-CDO-ALLDAYEVENT')[0])?.toUpperCase() === 'TRUE',
    rules: all('RRULE').map(({ value }) => value.trim()),
    extraStarts: all('RDATE').flatMap((property) => readExtraStarts(property, local)),
    excluded: all('EXDATE').flatMap((property) => readMoments(property, local)),
    excludedRules: all('EXRULE').map(({ value }) => value.trim()),
    recurrence: readRecurrence(properties, local),
    age: readAge(properties, position),
    details: readDetails(all, allOf(former ?? properties), method),
  };
}

/** A cancellation may leave out the start (RFC 5546 3.2.5). It is the start of the instance that it cancels. */
export const isStartless = (properties: Properties, method: string | undefined): boolean =>
  !properties.has('DTSTART') &&
  (method === 'CANCEL' ||
    statusOf(text(properties.get('STATUS')?.[0])?.toUpperCase(), undefined) === 'CANCELLED');

/** The start of an event whose other values may be unreadable. Throws EventError. */
export const startOf = (properties: Properties, zones: Zones): Moment =>
  readStart(allOf(properties)('DTSTART'), zones);

/** The instances that an override replaces; undefined for an event that is no override. Throws EventError. */
export function readRecurrence(properties: Properties, zones: Zones): Recurrence | undefined {
  const property = properties.get('RECURRENCE-ID')?.[0];
  if (property === undefined) return undefined;
  const thisAndFuture = property.params.get('RANGE')?.toUpperCase() === 'THISANDFUTURE';
  return { id: readMoment(property, zones), thisAndFuture };
}

export function readAge(properties: Properties, position: number): Age {
  const all = allOf(properties);
  return {
    sequence: Number.parseInt(all('SEQUENCE')[0]?.value ?? '0', 10) || 0,
    stamp: (all('LAST-MODIFIED')[0] ?? all('DTSTAMP')[0])?.value.trim() ?? '',
    position,
  };
}

type AllOf = (name: string) => readonly Property[];

const allOf =
  (properties: Properties): AllOf =>
  (name) =>
    properties.get(name) ?? [];

/** A time without a zone takes the zone of the start. */
function localZones(property: Property | undefined, start: Moment, zones: Zones): Zones {
  if (property?.params.has('TZID') !== true || /Z\s*$/i.test(property.value)) return zones;
  // 0.1.0 read such times as local if the start was in UTC
  const former = start.zone.name === 'UTC' ? zones.floating : undefined;
  return { ...zones, floating: withFormer(start.zone, former) };
}

function readStart(starts: readonly Property[], zones: Zones): Moment {
  const [first] = starts;
  if (first === undefined)
    throw new EventError('NO_START', 'The event has no start. Save it again in the calendar.');
  if (starts.some(({ value }) => value !== first.value))
    throw new EventError('TWO_STARTS', 'The event has two different starts. Save it again in the calendar.');
  return readMoment(first, zones);
}

/** A day that ends when it begins means one day (RFC 5545 3.6.1: a DATE without DTEND lasts one day). */
function readLength(
  start: Moment,
  end: Property | undefined,
  duration: Property | undefined,
  zones: Zones,
): Temporal.Duration | undefined {
  const told =
    end === undefined ? duration && readDuration(duration.value) : until(start, readMoment(end, zones));
  const length = told && positive(told);
  const isEmpty = length === undefined || length.blank;
  return start.dateOnly && isEmpty ? Temporal.Duration.from({ days: 1 }) : length;
}

/** Whole days between DATEs, exact between times (RFC 5545 3.8.5.3: DTEND gives all instances one exact length). */
function until(start: Moment, end: Moment): Temporal.Duration {
  if (start.dateOnly && end.dateOnly) return end.wall.since(start.wall, { largestUnit: 'day' });
  return instantOf(end).since(instantOf(start));
}

function readDetails(all: AllOf, before: AllOf, method: string | undefined): EventDetails {
  const one = (name: string): string | undefined => text(all(name)[0]);
  const capitals = (name: string): string | undefined => one(name)?.toUpperCase();
  const busy = capitals('X-MICROSOFT-CDO-BUSYSTATUS');
  const visibility = capitals('CLASS');
  const extras = readExtras(all);
  const summary = one('SUMMARY');
  const described = unescapedTwice(plainDescription(all));
  const description =
    described === undefined || described.trim() === '' ? (styled(all) ?? described) : described;
  return {
    extras,
    summary,
    description,
    former: formerTexts(before, { summary, description, labels: extras.labels }),
    location: one('LOCATION'),
    organizer: all('ORGANIZER').map(personName)[0],
    attendees: all('ATTENDEE')
      .filter((one) => !isDeclinedRoom(one))
      .map(personName),
    status: statusOf(
      method === 'CANCEL' || isTurnedDown(all('ATTENDEE')) ? 'CANCELLED' : capitals('STATUS'),
      busy,
    ),
    transparent: capitals('TRANSP') === 'TRANSPARENT' || busy === 'FREE',
    class:
      visibility === undefined || visibility === 'PUBLIC'
        ? 'PUBLIC'
        : visibility === 'CONFIDENTIAL'
          ? visibility
          : 'PRIVATE',
  };
}

const plainDescription = (all: AllOf): string | undefined => {
  const descriptions = all('DESCRIPTION').map(({ value }) => unescapeText(value));
  return descriptions.length === 0 ? undefined : descriptions.join('\n');
};

/** A program that escapes line ends twice leaves `\
` before the key of the next line. */
const unescapedTwice = (text: string | undefined): string | undefined =>
  text !== undefined && !text.includes('\n') && /\\n\s*[\p{L} ]{1,40}[:=]/iu.test(text)
    ? unescapeText(text)
    : text;

/** A description that exists only as HTML, in the properties of Outlook, Thunderbird and RFC 9073. */
const styled = (all: AllOf): string | undefined =>
  ['X-ALT-DESC', 'STYLED-DESCRIPTION']
    .map((name) => text(all(name)[0]))
    .find((html) => html !== undefined && html !== '');

function formerTexts(before: AllOf, now: EventTexts): EventTexts | undefined {
  const summary = text(before('SUMMARY')[0]);
  const description = plainDescription(before);
  const { labels } = readExtras(before);
  const isSame =
    summary === now.summary &&
    description === now.description &&
    JSON.stringify(labels) === JSON.stringify(now.labels);
  return isSame ? undefined : { summary, description, labels };
}

function statusOf(status: string | undefined, busy: string | undefined): CalendarEvent['status'] {
  if (status === 'CANCELLED' || status === 'CANCELED') return 'CANCELLED';
  return status === 'TENTATIVE' || busy === 'TENTATIVE' ? 'TENTATIVE' : 'CONFIRMED';
}

const text = (property: Property | undefined): string | undefined =>
  property === undefined ? undefined : unescapeText(property.value).trim();

/** CN of a calendar user, else the address without `mailto:`. */
function personName({ params, value }: Property): string {
  const name = params.get('CN')?.trim();
  return name === undefined || name === '' ? value.trim().replace(/^mailto:/i, '') : name;
}
