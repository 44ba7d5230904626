/** One VEVENT as typed data, before recurrence is worked out (RFC 5545 3.6.1). */
import { createHash } from 'node:crypto';
import type { EventBlock } from './feed.ts';
import { instantOf, readMoment, readMoments, type Moment } from './moment.ts';
import { EventError } from './problem.ts';
import { parseProperty, unescapeText, type Property } from './property.ts';

export type EventStatus = 'CONFIRMED' | 'TENTATIVE' | 'CANCELLED';
export type EventClass = 'PUBLIC' | 'PRIVATE' | 'CONFIDENTIAL';

/** What people wrote and set, apart from time. */
export interface EventDetails {
  readonly summary: string | undefined;
  readonly description: string | undefined;
  readonly location: string | undefined;
  readonly organizer: string | undefined;
  readonly attendees: readonly string[];
  readonly status: EventStatus;
  readonly transparent: boolean;
  readonly class: EventClass;
}

export interface Component {
  readonly uid: string;
  readonly start: Moment;
  /** Undefined when neither DTEND nor DURATION is given. Hours and less are exact, days and weeks nominal. */
  readonly length: Temporal.Duration | undefined;
  readonly allDay: boolean;
  readonly rules: readonly string[];
  readonly extraStarts: readonly Moment[];
  readonly excluded: readonly Moment[];
  readonly recurrenceId: Moment | undefined;
  readonly thisAndFuture: boolean;
  readonly sequence: number;
  /** DTSTAMP or LAST-MODIFIED as written: of two with one SEQUENCE the later one counts. */
  readonly stamp: string;
  readonly details: EventDetails;
}

/** The properties of one VEVENT by name, in the order they came. */
export type Properties = ReadonlyMap<string, readonly Property[]>;

export function readProperties(block: EventBlock): Properties {
  const properties = new Map<string, Property[]>();
  for (const line of block.lines) {
    const property = parseProperty(line);
    if (property === undefined) continue;
    const same = properties.get(property.name);
    if (same === undefined) properties.set(property.name, [property]);
    else same.push(property);
  }
  return properties;
}

/** The event's UID; for one without, a name made of its start and title, so that each fetch gives the same. */
export function uidOf(properties: Properties): string {
  const uid = properties.get('UID')?.[0]?.value.trim();
  if (uid !== undefined && uid !== '') return uid;
  const text = ['DTSTART', 'SUMMARY', 'RECURRENCE-ID'].map((name) => properties.get(name)?.[0]?.value ?? '');
  return `no-uid-${createHash('sha1').update(JSON.stringify(text)).digest('hex')}`;
}

/** Reads one VEVENT; `floating` is the zone of times that name none. Throws EventError. */
export function readComponent(
  properties: Properties,
  method: string | undefined,
  floating: string,
): Component {
  const all = (name: string): readonly Property[] => properties.get(name) ?? [];
  const start = readStart(all('DTSTART'), floating);
  const recurrenceId = all('RECURRENCE-ID')[0];
  return {
    uid: uidOf(properties),
    start,
    length: readLength(start, all('DTEND')[0], all('DURATION')[0], floating),
    allDay: start.dateOnly || text(all('X-MICROSOFT-CDO-ALLDAYEVENT')[0])?.toUpperCase() === 'TRUE',
    rules: all('RRULE').map(({ value }) => value.trim()),
    extraStarts: all('RDATE').flatMap((property) => readMoments(property, floating)),
    excluded: all('EXDATE').flatMap((property) => readMoments(property, floating)),
    recurrenceId: recurrenceId === undefined ? undefined : readMoment(recurrenceId, floating),
    thisAndFuture: recurrenceId?.params.get('RANGE')?.toUpperCase() === 'THISANDFUTURE',
    sequence: Number.parseInt(all('SEQUENCE')[0]?.value ?? '0', 10) || 0,
    stamp: (all('LAST-MODIFIED')[0] ?? all('DTSTAMP')[0])?.value ?? '',
    details: readDetails(all, method),
  };
}

function readStart(starts: readonly Property[], floating: string): Moment {
  const [first] = starts;
  if (first === undefined)
    throw new EventError('NO_START', 'The event has no start. Save it again in the calendar.');
  if (starts.some(({ value }) => value !== first.value))
    throw new EventError('TWO_STARTS', 'The event has two different starts. Save it again in the calendar.');
  return readMoment(first, floating);
}

function readLength(
  start: Moment,
  end: Property | undefined,
  duration: Property | undefined,
  floating: string,
): Temporal.Duration | undefined {
  const length = end === undefined ? durationOf(duration) : until(start, readMoment(end, floating));
  if (length !== undefined && length.sign < 0)
    throw new EventError(
      'ENDS_BEFORE_START',
      'The event ends before it starts. Correct its end in the calendar.',
    );
  return length ?? (start.dateOnly ? Temporal.Duration.from({ days: 1 }) : undefined);
}

/** Between DATEs whole days, between times exact (RFC 5545 3.8.5.3: a DTEND gives all instances one exact length). */
function until(start: Moment, end: Moment): Temporal.Duration {
  if (start.dateOnly && end.dateOnly) return end.wall.since(start.wall, { largestUnit: 'day' });
  return instantOf(end).since(instantOf(start));
}

function durationOf(property: Property | undefined): Temporal.Duration | undefined {
  if (property === undefined) return undefined;
  try {
    return Temporal.Duration.from(property.value.trim());
  } catch {
    throw new EventError(
      'BAD_DURATION',
      'The length of the event cannot be read. Set its end again in the calendar.',
    );
  }
}

function readDetails(all: (name: string) => readonly Property[], method: string | undefined): EventDetails {
  const one = (name: string): string | undefined => text(all(name)[0]);
  const capitals = (name: string): string | undefined => one(name)?.toUpperCase();
  const busy = capitals('X-MICROSOFT-CDO-BUSYSTATUS');
  const descriptions = all('DESCRIPTION').map((property) => unescapeText(property.value));
  const visibility = capitals('CLASS');
  return {
    summary: one('SUMMARY'),
    description: descriptions.length === 0 ? undefined : descriptions.join('\n'),
    location: one('LOCATION'),
    organizer: all('ORGANIZER').map(personName)[0],
    attendees: all('ATTENDEE').map(personName),
    status: statusOf(method === 'CANCEL' ? 'CANCELLED' : capitals('STATUS'), busy),
    transparent: capitals('TRANSP') === 'TRANSPARENT' || busy === 'FREE',
    class:
      visibility === undefined || visibility === 'PUBLIC'
        ? 'PUBLIC'
        : visibility === 'CONFIDENTIAL'
          ? visibility
          : 'PRIVATE',
  };
}

function statusOf(status: string | undefined, busy: string | undefined): EventStatus {
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
