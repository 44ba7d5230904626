/** A second opinion: what ical.js makes of a calendar in a window. It knows only the zones that the calendar defines. */
import { defined, given } from '@scanflow/failure/defined';
import ical from 'ical.js';
import { byStart, type EventOutcome } from './calendar-support.ts';

/** As much of ical.js as is used: its package hides its types from `import`. */
interface IcalTime {
  toUnixTime(): number;
}
interface IcalEvent {
  readonly uid: string;
  /** Overrides by the instance that they replace. */
  readonly exceptions: object;
  readonly startDate: IcalTime;
  readonly endDate: IcalTime;
  readonly recurrenceId: IcalTime | null;
  isRecurring(): boolean;
  isRecurrenceException(): boolean;
  iterator(): { next(): IcalTime | undefined };
  getOccurrenceDetails(time: IcalTime): { readonly startDate: IcalTime; readonly endDate: IcalTime };
}
interface IcalComponent {
  getAllSubcomponents(name: string): IcalComponent[];
  getFirstPropertyValue(name: string): unknown;
  hasProperty(name: string): boolean;
}
interface Ical {
  readonly parse: (text: string) => unknown;
  readonly Component: new (parsed: unknown) => IcalComponent;
  readonly Event: new (
    component: IcalComponent,
    options: { readonly strictExceptions: boolean; readonly exceptions: readonly IcalComponent[] },
  ) => IcalEvent;
}
const { parse, Component, Event } = ical as unknown as Ical;

/** Seconds since 1970; half open. */
export interface Seconds {
  readonly from: number;
  readonly to: number;
}

/** How far behind the window an instance can have been that was moved into it; before it, no event is longer. */
const MOVED = 40 * 86_400;

/** Start, end, UID and recurrence id of all events in the window. */
export function readWithIcalJs(text: string, window: Seconds): EventOutcome[] {
  const found: EventOutcome[] = [];
  const take = (event: IcalEvent, id: IcalTime | undefined, start: IcalTime, end: IcalTime): void => {
    const [first, last] = [start.toUnixTime(), end.toUnixTime()];
    if (first >= window.to || last < window.from || (last === window.from && first !== last)) return;
    const recurrenceId = defined({ recurrenceId: given(id, (id) => iso(id.toUnixTime())) });
    found.push({ uid: event.uid, ...recurrenceId, start: iso(first), end: iso(last) });
  };
  for (const event of eventsOf(text)) {
    if (!event.isRecurring()) {
      take(event, event.recurrenceId ?? undefined, event.startDate, event.endDate);
      continue;
    }
    const isMoved = Object.keys(event.exceptions).length > 0;
    const [instances, begin] = [event.iterator(), event.startDate.toUnixTime()];
    for (let next = instances.next(); next !== undefined; next = instances.next()) {
      const at = next.toUnixTime();
      if (at >= window.to + MOVED) break;
      if (at < window.from - MOVED && !isMoved) continue;
      const { startDate, endDate } = event.getOccurrenceDetails(next);
      take(event, at === begin ? undefined : next, startDate, endDate);
    }
  }
  return found.sort(byStart);
}

/**
 * Series with their overrides, single events, and overrides without series. Told its overrides, ical.js does not look
 * for them among all events for each event anew.
 */
function eventsOf(text: string): IcalEvent[] {
  const components = new Component(parse(text)).getAllSubcomponents('vevent');
  const overrides = Map.groupBy(
    components.filter((component) => component.hasProperty('recurrence-id')),
    (component) => component.getFirstPropertyValue('uid'),
  );
  const masters = components.filter((component) => !component.hasProperty('recurrence-id'));
  const events = masters.map((component) => {
    const uid = component.getFirstPropertyValue('uid');
    const exceptions = overrides.get(uid) ?? [];
    overrides.delete(uid);
    return new Event(component, { strictExceptions: true, exceptions });
  });
  const alone = [...overrides.values()].flat();
  return [...events, ...alone.map((one) => new Event(one, { strictExceptions: true, exceptions: [] }))];
}

const iso = (seconds: number): string => Temporal.Instant.fromEpochMilliseconds(seconds * 1000).toString();
