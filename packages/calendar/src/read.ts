/** From the bytes of a calendar to the events of a window, whatever is in them. */
import { readComponent, readProperties, uidOf, type Component, type Properties } from './component.ts';
import { eventKey, type CalendarEvent, type Window } from './event.ts';
import { splitFeed, type EventBlock, type FeedError } from './feed.ts';
import { readLines } from './lines.ts';
import { farOutside } from './prefilter.ts';
import { EventError, type EventProblem } from './problem.ts';
import { expandSeries } from './series.ts';
import { resolveZone } from './zone.ts';
import { unescapeText } from './property.ts';

export interface ReadOptions {
  /** Events that overlap it are given. */
  readonly window: Window;
  /** IANA zone of times that name none, in calendars that name none. */
  readonly zone: string;
}

/** What a readable calendar holds. */
export interface CalendarContent {
  /** In the window, sorted by start. Cancelled, tentative and all-day ones are among them, marked. */
  readonly events: readonly CalendarEvent[];
  /** Events that could not be read; each costs no other. */
  readonly problems: readonly EventProblem[];
  /**
   * `eventKey`s of events that are alive outside the window: all single events, first instances and overrides;
   * of other instances those next to the window.
   */
  readonly outside: ReadonlySet<string>;
}

export type ReadCalendar =
  | { readonly ok: true; readonly content: CalendarContent }
  | { readonly ok: false; readonly error: FeedError };

/** More events than this in one window is no booking calendar; the limit keeps memory bounded. */
const MAX_EVENTS = 100_000;

/** Reads a calendar. Never throws for its content, and never asks for the host's time zone or clock. */
export function readCalendar(bytes: Uint8Array, { window, zone }: ReadOptions): ReadCalendar {
  const feed = splitFeed(readLines(bytes));
  if (!feed.ok) return feed;
  const reading = new Reading(window);
  for (const block of feed.blocks) reading.add(block, zoneOf(block, zone));
  return reading.finish();
}

const zoneOf = ({ context }: EventBlock, zone: string): string =>
  context.zone === undefined ? zone : (resolveZone(context.zone) ?? zone);

interface Group {
  masters: Component[];
  overrides: Component[];
}

class Reading {
  readonly #window: Window;
  readonly #groups = new Map<string, Group>();
  readonly #problems: EventProblem[] = [];
  readonly #events: CalendarEvent[] = [];
  readonly #outside = new Set<string>();
  readonly #farOutside: (block: EventBlock) => string | undefined;
  /** Events far outside the window, by UID: read only where another one of that UID is not. */
  readonly #far = new Map<string, [EventBlock, string][]>();

  constructor(window: Window) {
    this.#window = window;
    this.#farOutside = farOutside(window);
  }

  add(block: EventBlock, zone: string): void {
    const uid = this.#farOutside(block);
    const same = this.#far.get(uid ?? '');
    if (uid === undefined) this.#read(block, zone);
    else if (same === undefined) this.#far.set(uid, [[block, zone]]);
    else same.push([block, zone]);
  }

  #read(block: EventBlock, zone: string): void {
    const properties = readProperties(block);
    const component = this.#guard(uidOf(properties), titleOf(properties), () =>
      readComponent(properties, block.context.method, zone),
    );
    if (component === undefined) return;
    const group = this.#groups.get(component.uid) ?? { masters: [], overrides: [] };
    this.#groups.set(component.uid, group);
    (component.recurrenceId === undefined ? group.masters : group.overrides).push(component);
  }

  finish(): ReadCalendar {
    for (const [uid, blocks] of this.#far) {
      if (this.#groups.has(uid)) for (const [block, zone] of blocks) this.#read(block, zone);
      else this.#outside.add(uid);
    }
    for (const [uid, group] of this.#groups) {
      this.#expand(uid, group);
      if (this.#events.length > MAX_EVENTS) return tooMuch();
    }
    const events = this.#events.sort((a, b) => Temporal.Instant.compare(a.start, b.start));
    return { ok: true, content: { events, problems: this.#problems, outside: this.#outside } };
  }

  #expand(uid: string, group: Group): void {
    const master = this.#newest(group.masters);
    const title = (master ?? group.overrides[0])?.details.summary;
    const expansion = this.#guard(uid, title, () =>
      expandSeries(master, newestOverrides(group.overrides), this.#window),
    );
    if (expansion === undefined) return;
    for (const event of expansion.events) this.#events.push(event);
    for (const id of expansion.outside) this.#outside.add(eventKey(uid, id));
  }

  /** Of several events under one UID the newest counts; the others are reported where they are not mere revisions. */
  #newest(masters: readonly Component[]): Component | undefined {
    const [newest, ...others] = masters.toSorted(byAge);
    for (const other of others) {
      if (newest === undefined || other.sequence !== newest.sequence || isCopy(other, newest)) continue;
      this.#report(other.uid, other.details.summary, {
        code: 'SHARED_UID',
        message: 'Two different events carry one UID, and only the newer one counts. Book this one again.',
      });
    }
    return newest;
  }

  #guard<T>(uid: string, summary: string | undefined, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      const known = error instanceof EventError;
      this.#report(uid, summary, {
        code: known ? error.code : 'UNREADABLE',
        message: known ? error.message : 'The event cannot be read. Delete it and book it again.',
      });
      return undefined;
    }
  }

  #report(uid: string, summary: string | undefined, problem: { code: string; message: string }): void {
    this.#problems.push({ uid, ...problem, ...(summary === undefined ? {} : { summary }) });
  }
}

const isCopy = (a: Component, b: Component): boolean =>
  a.start.wall.equals(b.start.wall) &&
  a.start.zone === b.start.zone &&
  a.details.summary === b.details.summary;

/** Newest first; of equals the one that came last. */
const byAge = (a: Component, b: Component): number =>
  b.sequence - a.sequence || (b.stamp === a.stamp ? 0 : b.stamp > a.stamp ? 1 : -1);

/** One override per RECURRENCE-ID, the newest, in the order of the instances that they replace. */
function newestOverrides(overrides: readonly Component[]): Component[] {
  const byId = new Map<string, Component>();
  for (const component of overrides.toSorted(byAge)) {
    const { recurrenceId } = component;
    if (recurrenceId === undefined) continue;
    const id = `${recurrenceId.wall.toString()} ${recurrenceId.zone}`;
    if (!byId.has(id)) byId.set(id, component);
  }
  return [...byId].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, component]) => component);
}

function titleOf(properties: Properties): string | undefined {
  const value = properties.get('SUMMARY')?.[0]?.value;
  return value === undefined ? undefined : unescapeText(value);
}

const tooMuch = (): ReadCalendar => ({
  ok: false,
  error: {
    code: 'FEED_TOO_MUCH',
    message: `The calendar holds more than ${MAX_EVENTS} events in the window: check that it is the calendar of one scanner.`,
  },
});
