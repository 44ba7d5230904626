/** All components of one UID as the events that they give in a window (RFC 5545 3.8.4.4, 3.8.5). */
import type { Component, EventDetails } from './component.ts';
import { overlaps, type CalendarEvent, type Window } from './event.ts';
import { instantAt, instantOf, type Moment } from './moment.ts';
import { ruleStarts } from './rule.ts';

export interface Expansion {
  readonly events: readonly CalendarEvent[];
  /** Recurrence ids of live events outside the window, `undefined` for the single or first one. */
  readonly outside: readonly (string | undefined)[];
}

interface Instance {
  readonly id: string | undefined;
  readonly component: Component;
  readonly wall: Temporal.PlainDateTime;
}

/** Expands one UID. `overrides` are its components with a RECURRENCE-ID; `master` may be missing. Throws EventError. */
export function expandSeries(
  master: Component | undefined,
  overrides: readonly Component[],
  window: Window,
): Expansion {
  const instances = master === undefined ? [] : masterInstances(master, overrides, window);
  const all = [...instances, ...overrideInstances(master, overrides)].map((instance) =>
    toEvent(instance, master),
  );
  const live = (event: CalendarEvent): boolean => event.status !== 'CANCELLED' && !overlaps(event, window);
  return {
    events: all.filter((event) => overlaps(event, window)),
    outside: all.filter(live).map(({ recurrenceId }) => recurrenceId),
  };
}

function masterInstances(master: Component, overrides: readonly Component[], window: Window): Instance[] {
  const ranged = overrides.filter(({ thisAndFuture }) => thisAndFuture);
  const seen = new Set<string>();
  const instances: Instance[] = [];
  for (const wall of starts(master, ranged, window)) {
    const instant = instantAt(wall, master.start.zone);
    const key = instant.toString();
    const replaced = overrides.some((override) => names(override.recurrenceId, instant, wall));
    if (seen.has(key) || replaced || isExcluded(master, instant, wall)) continue;
    seen.add(key);
    const component = ranged.filter((override) => isBefore(override, instant)).at(-1) ?? master;
    instances.push({ id: idOf(instant, master), component, wall: shifted(wall, component, master) });
  }
  return instances;
}

/** Wall-clock starts that may touch the window, and always the first one: whether it is alive is asked for. */
function starts(master: Component, ranged: readonly Component[], window: Window): Temporal.PlainDateTime[] {
  const { start } = master;
  if (master.rules.length === 0 && master.extraStarts.length === 0) return [start.wall];
  const day = Temporal.Duration.from({ days: 1 });
  const lengths = [master, ...ranged].map(({ length }) => length ?? day);
  const shifts = ranged.map((override) => override.start.wall.since(shiftBase(override, master)).abs());
  const wall = (instant: Temporal.Instant): Temporal.PlainDateTime =>
    instant.toZonedDateTimeISO(start.zone).toPlainDateTime();
  const from = [...lengths, ...shifts].reduce(
    (time, span) => time.subtract(span),
    wall(window.from).subtract(day),
  );
  const to = shifts.reduce((time, span) => time.add(span), wall(window.to).add(day));
  const ruled = master.rules.flatMap((rule) => ruleStarts(rule, start, from, to));
  const extra = master.extraStarts.map((moment) =>
    wall(instantOf({ ...moment, zone: extraZone(moment, start) })),
  );
  const first = master.rules.length === 0 ? [start.wall] : ruledFirst(master);
  return [...first, ...ruled, ...extra].sort((a, b) => Temporal.PlainDateTime.compare(a, b));
}

const extraZone = (moment: Moment, start: Moment): string => (moment.dateOnly ? start.zone : moment.zone);

/** The start itself where a rule gives it: a rule that is out of step with DTSTART does not (as other readers do). */
const ruledFirst = (master: Component): Temporal.PlainDateTime[] =>
  master.rules.flatMap((rule) => ruleStarts(rule, master.start, master.start.wall, master.start.wall));

/** Overrides stand for themselves, wherever they moved to, unless their instance was deleted. */
function overrideInstances(master: Component | undefined, overrides: readonly Component[]): Instance[] {
  const instances: Instance[] = [];
  for (const component of overrides) {
    const original = originalStart(component, master);
    if (original === undefined) continue;
    const wall = original.toZonedDateTimeISO(master?.start.zone ?? component.start.zone).toPlainDateTime();
    if (master !== undefined && isExcluded(master, original, wall)) continue;
    instances.push({ id: idOf(original, master), component, wall: component.start.wall });
  }
  return instances;
}

/** A RECURRENCE-ID that is only a date takes its time of day from the series. */
function originalStart(
  { recurrenceId }: Component,
  master: Component | undefined,
): Temporal.Instant | undefined {
  if (recurrenceId === undefined) return undefined;
  if (!recurrenceId.dateOnly || master === undefined) return instantOf(recurrenceId);
  return instantAt(recurrenceId.wall.withPlainTime(master.start.wall.toPlainTime()), master.start.zone);
}

const idOf = (original: Temporal.Instant, master: Component | undefined): string | undefined =>
  master !== undefined && original.equals(instantOf(master.start)) ? undefined : original.toString();

const isExcluded = (master: Component, instant: Temporal.Instant, wall: Temporal.PlainDateTime): boolean =>
  master.excluded.some((moment) => names(moment, instant, wall));

function names(moment: Moment | undefined, instant: Temporal.Instant, wall: Temporal.PlainDateTime): boolean {
  if (moment === undefined) return false;
  if (moment.dateOnly) return moment.wall.toPlainDate().equals(wall.toPlainDate());
  return instantOf(moment).equals(instant);
}

const isBefore = ({ recurrenceId }: Component, instant: Temporal.Instant): boolean =>
  recurrenceId !== undefined && Temporal.Instant.compare(instantOf(recurrenceId), instant) < 0;

/** Where the series was when a THISANDFUTURE override moved it, as wall-clock time in the zone of the override. */
function shiftBase(override: Component, master: Component): Temporal.PlainDateTime {
  const original = originalStart(override, master) ?? instantOf(override.start);
  return original.toZonedDateTimeISO(override.start.zone).toPlainDateTime();
}

/** An instance after a THISANDFUTURE override moves by as much as the override did. */
function shifted(
  wall: Temporal.PlainDateTime,
  component: Component,
  master: Component,
): Temporal.PlainDateTime {
  if (component === master) return wall;
  const here = instantAt(wall, master.start.zone).toZonedDateTimeISO(component.start.zone).toPlainDateTime();
  return here.add(component.start.wall.since(shiftBase(component, master)));
}

function toEvent({ id, component, wall }: Instance, master: Component | undefined): CalendarEvent {
  const start = wall.toZonedDateTime(component.start.zone);
  const length =
    component.length ?? (component === master ? undefined : master?.length) ?? Temporal.Duration.from('PT0S');
  const { details } = component;
  return {
    uid: component.uid,
    ...(id === undefined ? {} : { recurrenceId: id }),
    start: start.toInstant(),
    end: start.add(length).toInstant(),
    allDay: component.allDay,
    ...people(details),
    summary: details.summary ?? master?.details.summary ?? '',
    description: details.description ?? master?.details.description ?? '',
    status: details.status,
    transparency: details.transparent ? 'TRANSPARENT' : 'OPAQUE',
    class: details.class,
  };
}

const people = ({
  location,
  organizer,
  attendees,
}: EventDetails): Pick<CalendarEvent, 'attendees'> & {
  location?: string;
  organizer?: string;
} => ({
  ...(location === undefined ? {} : { location }),
  ...(organizer === undefined ? {} : { organizer }),
  attendees,
});
