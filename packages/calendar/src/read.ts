/** Reads the bytes of a calendar into the events of a window, whatever the bytes hold. */
import type { UnreadableEvent } from '@scanflow/booking';
import { defined } from '@scanflow/failure/defined';
import {
  byAge,
  isStartless,
  readAge,
  readComponent,
  readProperties,
  readRecurrence,
  startOf,
  uidOf,
  type Age,
  type Component,
  type Properties,
  type Recurrence,
} from './component.ts';
import { charsetOf } from './text.ts';
import { eventKey, type CalendarEvent, type Window, note, type FeedNote, EventError } from './event.ts';
import {
  linesOf,
  splitFeed,
  type EventBlock,
  type FeedContext,
  type FeedError,
  type SetAside,
} from './feed.ts';
import { instantOf, type Moment, type Zones } from './moment.ts';
import type { Span } from './outline.ts';
import { toPlain } from './plain.ts';
import { unescapeText } from './property.ts';
import { expandSeries, recurrenceIdOf, replacedId, type Series } from './series.ts';
import { zonesOf } from './zone.ts';

export interface ReadOptions {
  /** The reader returns events that overlap this window. */
  readonly window: Window;
  /** IANA zone of times without a zone, in calendars without a zone. */
  readonly zone: string;
  /** The declared character set, such as a Content-Type's. Valid UTF-8 takes precedence. */
  readonly charset?: string | undefined;
}

/** The contents of a readable calendar. */
export interface CalendarContent {
  /** Events in the window, sorted by start. Cancelled, tentative and all-day events are included and marked. */
  readonly events: readonly CalendarEvent[];
  /** Unreadable events. They do not affect other events. */
  readonly problems: readonly UnreadableEvent[];
  /**
   * `eventKey`s of live events outside the window: all single events, first instances and overrides, and
   * other instances next to the window.
   */
  readonly outside: ReadonlySet<string>;
  /** Events that may be alive although `events` does not hold them. */
  readonly unreadable: Unreadable;
  /** Oddities of the feed, one note per kind. */
  readonly notes: readonly FeedNote[];
}

/** The events that unreadable events leave unknown. */
export interface Unreadable {
  /** UIDs whose instances may all be alive. */
  readonly uids: ReadonlySet<string>;
  /** `eventKey`s of single instances whose series is readable. */
  readonly instances: ReadonlySet<string>;
}

export type ReadCalendar =
  | { readonly ok: true; readonly content: CalendarContent }
  | { readonly ok: false; readonly error: FeedError };

/** No booking calendar has more events in one window. The limit bounds memory. */
const MAX_EVENTS = 100_000;

/**
 * Reads a calendar. It never throws for content, and never uses the host's time zone or clock.
 *
 * @param bytes the feed as fetched, in any common encoding
 * @param options the window of events, and the zone and character set to assume
 * @returns events and notes, or why the feed as a whole is unusable
 * @example
 * ```ts
 * import { readCalendar } from '@scanflow/calendar';
 *
 * const from = Temporal.Instant.from('2026-11-22T00Z');
 * const window = { from, to: from.add({ hours: 24 }) };
 * const read = readCalendar(Buffer.from('<html>'), { window, zone: 'Europe/Amsterdam' });
 * read.ok; // → false
 * ```
 */
export function readCalendar(bytes: Uint8Array, { window, zone, charset }: ReadOptions): ReadCalendar {
  try {
    const { bytes: plain, notes } = toPlain(bytes);
    const feed = splitFeed(plain, charsetOf(charset), farFrom(window));
    if (!feed.ok) return feed;
    return new Reading(plain, { window, zone }, [...notes, ...feed.notes]).run(feed.blocks, feed.aside);
  } catch (error) {
    return unexpected(error);
  }
}

/** A defect of this package. It becomes a feed error, so that published bookings stay. */
function unexpected(error: unknown): ReadCalendar {
  const name = error instanceof Error ? error.name : 'unknown';
  const message = `The calendar could not be read (${name}). What it published stays. Report this to the maintainers of Scanflow.`;
  return { ok: false, error: { code: 'FEED_UNEXPECTED', message } };
}

interface Group {
  readonly masters: Component[];
  readonly overrides: Component[];
  /** Unreadable overrides whose replaced instance is readable. */
  readonly lost: LostOverride[];
  /** Instances that other unreadable overrides may replace, by a guessed zone. They hide no instance of the series. */
  readonly guessed: Recurrence[];
  /** A cancellation of the whole event or series that names no start. */
  cancelled?: Age;
  /** Whether the event or series itself is unreadable. */
  isUnreadable: boolean;
}

const newGroup = (): Group => ({
  masters: [],
  overrides: [],
  lost: [],
  guessed: [],
  isUnreadable: false,
});

interface LostOverride {
  readonly recurrence: Recurrence;
  readonly age: Age;
}

/** Replies and counter-proposals are no events (RFC 5546 3.2.3, 3.2.6 to 3.2.8). */
const NO_EVENTS = new Set(['REPLY', 'REFRESH', 'COUNTER', 'DECLINECOUNTER']);

class Reading {
  readonly #bytes: Buffer;
  readonly #window: Window;
  readonly #zone: string;
  readonly #zones = new Map<FeedContext, Zones>();
  readonly #groups = new Map<string, Group>();
  readonly #problems: UnreadableEvent[] = [];
  readonly #events: CalendarEvent[] = [];
  readonly #outside = new Set<string>();
  readonly #unreadable = { uids: new Set<string>(), instances: new Set<string>() };
  readonly #notes: FeedNote[];
  #isUtf8 = true;

  constructor(bytes: Buffer, { window, zone }: ReadOptions, notes: readonly FeedNote[]) {
    this.#bytes = bytes;
    this.#window = window;
    this.#zone = zone;
    this.#notes = [...notes];
  }

  /** Parses the events that may matter in the window, and others only if they share a UID with one of those. */
  run(blocks: readonly EventBlock[], far: SetAside): ReadCalendar {
    for (const block of blocks) this.#read(block);
    // the UID of a cancellation says which event it cancels; its dates do not
    for (const index of far.uids.keys()) if (far.isCancelled(index)) this.#read(far.block(index));
    for (const [index, uid] of far.uids.entries()) {
      if (!this.#groups.has(uid)) this.#outside.add(uid);
      else if (!far.isCancelled(index)) this.#read(far.block(index));
    }
    for (const [uid, group] of this.#groups) {
      this.#expand(uid, group);
      if (this.#events.length > MAX_EVENTS) return tooMuch();
    }
    const events = this.#events.sort((a, b) => Temporal.Instant.compare(a.start, b.start));
    const [problems, outside, unreadable] = [this.#problems, this.#outside, this.#unreadable];
    const notes = this.#isUtf8 ? this.#notes : [...this.#notes, note('FEED_NOT_UTF8')];
    return { ok: true, content: { events, problems, outside, unreadable, notes } };
  }

  #read(block: EventBlock | undefined): void {
    if (block === undefined || NO_EVENTS.has(block.context.method ?? '')) return;
    const { lines, former: before, isUtf8 } = linesOf(this.#bytes, block);
    this.#isUtf8 &&= isUtf8;
    const properties = readProperties(lines);
    const former = before && readProperties(before);
    // booking identities derive from it, so the first reading stays
    const uid = uidOf(former ?? properties);
    const group = this.#groups.get(uid) ?? newGroup();
    this.#groups.set(uid, group);
    const zones = this.#zonesOf(block.context);
    const { method } = block.context;
    const position = block.from;
    if (isStartless(properties, method) && !properties.has('RECURRENCE-ID')) {
      group.cancelled = readAge(properties, position);
      return;
    }
    const read = attempt(() => readComponent(properties, { uid, former, method, zones, position }));
    if (read.ok) (read.value.recurrence === undefined ? group.masters : group.overrides).push(read.value);
    else this.#lose({ uid, properties, group, zones, position }, read.problem);
  }

  /** The instance that an unreadable event replaces may be readable. It must not stay at its old time. */
  #lose({ uid, properties, group, zones, position }: Lost, problem: Problem): void {
    const recurrence = attempt(() => readRecurrence(properties, zones));
    const replaced = recurrence.ok ? recurrence.value : undefined;
    if (replaced !== undefined) group.lost.push({ recurrence: replaced, age: readAge(properties, position) });
    else noteUnreadable(group, properties, zones);
    const recurrenceId = replaced && recurrenceIdOf(instantOf(replaced.id));
    const title = properties.get('SUMMARY')?.[0]?.value;
    const about = { uid, recurrenceId, start: textOf(() => startOf(properties, zones)) };
    this.#report({ ...about, summary: title && unescapeText(title) }, problem);
  }

  #zonesOf(context: FeedContext): Zones {
    const zones = this.#zones.get(context) ?? zonesOf(context, this.#zone, this.#window);
    this.#zones.set(context, zones);
    return zones;
  }

  #expand(uid: string, group: Group): void {
    const master = unlessCancelled(this.#newest(group.masters), group.cancelled);
    const summary = (master ?? group.overrides[0])?.details.summary;
    const series = { master, ...newestOverrides(group, master) };
    const expansion = attempt(() => expandSeries(series, this.#window));
    if (!expansion.ok) {
      this.#unreadable.uids.add(uid);
      this.#report({ uid, start: master && textOf(() => master.start), summary }, expansion.problem);
      return;
    }
    this.#hide(uid, group, master);
    for (const event of expansion.value.events) this.#events.push(event);
    for (const id of expansion.value.outside) this.#outside.add(eventKey(uid, id));
  }

  /** An unreadable override costs only its own instance if the series is readable. */
  #hide(uid: string, { lost, guessed, isUnreadable }: Group, master: Component | undefined): void {
    const replaced = [...lost.map(({ recurrence }) => recurrence), ...guessed];
    const isOpen = master === undefined && guessed.length > 0;
    if (isUnreadable || isOpen || replaced.some(({ thisAndFuture }) => thisAndFuture))
      this.#unreadable.uids.add(uid);
    for (const one of replaced) this.#unreadable.instances.add(eventKey(uid, replacedId(one, master)));
  }

  /** The newest event under a UID counts. Others that are no mere revisions are reported. */
  #newest(masters: readonly Component[]): Component | undefined {
    const [newest, ...others] = masters.toSorted(byAge);
    for (const other of others) {
      if (newest === undefined || other.age.sequence !== newest.age.sequence || isCopy(other, newest))
        continue;
      const { uid, start, details } = other;
      this.#report({ uid, start: textOf(() => start), summary: details.summary }, SHARED_UID);
    }
    return newest;
  }

  #report(about: About, problem: Problem): void {
    const { uid, recurrenceId, start, summary } = about;
    this.#problems.push({
      uid,
      ...defined({ recurrenceId }),
      ...problem,
      ...defined({ start, summary }),
    });
  }
}

/** The event or series, cancelled where a cancellation without a start is not older. */
function unlessCancelled(master: Component | undefined, cancelled: Age | undefined): Component | undefined {
  if (master === undefined || cancelled === undefined || cancelled.sequence < master.age.sequence)
    return master;
  return {
    ...master,
    age: { ...master.age, sequence: cancelled.sequence },
    details: { ...master.details, status: 'CANCELLED' },
  };
}

/** An unreadable event or series, or an override whose replaced instance is unknown. */
function noteUnreadable(group: Group, properties: Properties, zones: Zones): void {
  const { floating } = zones;
  const guess = attempt(() => readRecurrence(properties, { floating, resolve: () => floating }));
  if (guess.ok && guess.value !== undefined) group.guessed.push(guess.value);
  else group.isUnreadable = true;
}

/** An unreadable event. */
interface Lost {
  readonly uid: string;
  readonly properties: Properties;
  readonly group: Group;
  readonly zones: Zones;
  readonly position: number;
}

interface About {
  readonly uid: string;
  readonly recurrenceId?: string | undefined;
  readonly start: string | undefined;
  readonly summary: string | undefined;
}

/** A time as a UTC instant, if there is one. */
function textOf(read: () => Moment): string | undefined {
  const text = attempt(() => instantOf(read()).toString());
  return text.ok ? text.value : undefined;
}

type Problem = Pick<UnreadableEvent, 'code' | 'message'>;

const SHARED_UID: Problem = {
  code: 'SHARED_UID',
  message: 'Two different events carry one UID, and only the newer one counts. Book this one again.',
};

type Attempt<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

function attempt<T>(read: () => T): Attempt<T> {
  try {
    return { ok: true, value: read() };
  } catch (error) {
    if (error instanceof EventError)
      return { ok: false, problem: { code: error.code, message: error.message } };
    const message = 'The event cannot be read. Delete it and book it again.';
    return { ok: false, problem: { code: 'UNREADABLE', message } };
  }
}

/** Days around the window in which time zones decide. */
const MARGIN_DAYS = 2;
const DAY_MS = 86_400_000;

/** Whether the text alone proves that an event lies outside the window. */
function farFrom({ from, to }: Window): (span: Span) => boolean {
  const first = Math.floor(from.epochMilliseconds / DAY_MS) - MARGIN_DAYS;
  const last = Math.ceil(to.epochMilliseconds / DAY_MS) + MARGIN_DAYS;
  return (span) => span.first > last || span.last < first;
}

const isCopy = (a: Component, b: Component): boolean =>
  a.start.wall.equals(b.start.wall) &&
  a.start.zone.name === b.start.zone.name &&
  a.details.summary === b.details.summary;

/** The newest override of each instance. */
function newestOverrides({ overrides, lost }: Group, master: Component | undefined): Omit<Series, 'master'> {
  const byId = new Map<string, { component?: Component; recurrence: Recurrence; age: Age }>();
  const readable = overrides.flatMap((component) => {
    const { recurrence, age } = component;
    return recurrence === undefined ? [] : { component, recurrence, age };
  });
  for (const one of [...readable, ...lost].sort(byAge)) {
    const key = replacedId(one.recurrence, master) ?? '';
    if (!byId.has(key)) byId.set(key, one);
  }
  const newest = [...byId].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  return {
    overrides: newest.flatMap(({ component }) => component ?? []),
    lost: newest.filter(({ component }) => component === undefined).map(({ recurrence }) => recurrence),
  };
}

const tooMuch = (): ReadCalendar => ({
  ok: false,
  error: {
    code: 'FEED_TOO_MUCH',
    message: `The calendar holds more than ${MAX_EVENTS} events in the window: check that it is the calendar of one scanner.`,
  },
});
