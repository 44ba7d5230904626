/** Expands all components of one UID into the events of a window (RFC 5545 3.8.4.4, 3.8.5). */
import { defined, given } from '@scanflow/failure/defined';
import { addTo, Marks, formerly, instantOf, type Moment } from './moment.ts';
import type { Component, EventDetails, Recurrence } from './component.ts';
import type { EventExtras } from './property.ts';
import { overlaps, type CalendarEvent, type Window } from './event.ts';
import { givesStart, ruleStarts } from './rule.ts';

/** All that a calendar says under one UID. */
export interface Series {
  /** Missing if the calendar holds only overrides. */
  readonly master: Component | undefined;
  /** One override for each replaced instance. */
  readonly overrides: readonly Component[];
  /** Instances whose override is unreadable are left out. */
  readonly lost: readonly Recurrence[];
}

export interface Expansion {
  readonly events: readonly CalendarEvent[];
  /** Recurrence ids of live events outside the window; `undefined` stands for the single event or first instance. */
  readonly outside: readonly (string | undefined)[];
}

interface Instance {
  readonly id: string | undefined;
  readonly formerId: string | undefined;
  readonly component: Component;
  readonly start: Temporal.Instant;
  /** Set if an RDATE gives a length. */
  readonly length?: Temporal.Duration | undefined;
}

interface Start {
  readonly at: Temporal.Instant;
  /** The start that 0.1.0 read, if it differs. */
  readonly before?: Temporal.Instant | undefined;
  readonly length?: Temporal.Duration | undefined;
}

/** After `after`, the series continues as `component`. It ends there if the component is unreadable. */
interface Turn {
  readonly after: Temporal.Instant;
  readonly component: Component | undefined;
}

/** Expands one UID. Throws EventError. */
export function expandSeries(series: Series, window: Window): Expansion {
  const { master } = series;
  const instances = master === undefined ? [] : masterInstances(master, series, window);
  const all = [...instances, ...overrideInstances(series)].map((instance) => toEvent(instance, master));
  const live = (event: CalendarEvent): boolean => event.status !== 'CANCELLED' && !overlaps(event, window);
  return {
    events: all.filter((event) => overlaps(event, window)),
    outside: all
      .filter(live)
      .flatMap(({ recurrenceId, formerRecurrenceId }) => [recurrenceId, formerRecurrenceId ?? recurrenceId]),
  };
}

function masterInstances(master: Component, series: Series, window: Window): Instance[] {
  const turns = turnsOf(series);
  const replaced = new Marks(replacements(series).map(({ id }) => onSeries(id, master)));
  const isExcluded = exclusion(master);
  const { zone } = master.start;
  const seen = new Set<number>();
  const instances: Instance[] = [];
  for (const { at, before, length } of starts(master, turns, window)) {
    if (seen.has(at.epochMilliseconds) || replaced.has(at, zone) || isExcluded(at)) continue;
    seen.add(at.epochMilliseconds);
    const turn = turns.findLast(({ after }) => Temporal.Instant.compare(after, at) < 0);
    const component = turn === undefined ? master : turn.component;
    if (component === undefined) continue;
    const own = component === master ? length : undefined;
    const named = {
      id: idOf(at, master),
      formerId: before
        ? idOf(before, master)
        : formerIdOf({ ...master.start, wall: zone.wallAt(at) }, master),
    };
    instances.push({ ...named, component, start: shifted(at, component, master), length: own });
  }
  return instances;
}

const replacements = ({ overrides, lost }: Series): Recurrence[] => [
  ...overrides.flatMap(({ recurrence }) => recurrence ?? []),
  ...lost,
];

/** Overrides of an instance and all later ones (THISANDFUTURE), in order of time. */
function turnsOf({ master, overrides, lost }: Series): Turn[] {
  const turns: Turn[] = [];
  for (const component of overrides)
    if (component.recurrence?.thisAndFuture === true)
      turns.push({ after: original(component.recurrence, master), component });
  for (const recurrence of lost)
    if (recurrence.thisAndFuture) turns.push({ after: original(recurrence, master), component: undefined });
  return turns.sort((a, b) => Temporal.Instant.compare(a.after, b.after));
}

/** Starts that may touch the window. The first start is always included, because callers need to know if it is alive. */
function starts(master: Component, turns: readonly Turn[], window: Window): Start[] {
  const { start, rules, extraStarts } = master;
  const first = { at: instantOf(start) };
  if (rules.length === 0 && extraStarts.length === 0) return [first];
  const [from, to] = reach(master, turns, window);
  const ruled = rules.flatMap((rule) => ruleStarts(rule, start, from, to)).map((at) => ({ at }));
  // an RDATE that is a date takes its time of day from the series
  const extra = extraStarts.map(({ start: moment, length }) => ({
    at: placeOf(onSeries(moment, master), master),
    before: isTimeOfDays(moment, master) ? instantOf(moment) : undefined,
    length,
  }));
  // a start that its rule does not give is no instance, as in other readers
  const firsts = rules.length === 0 || rules.some((rule) => givesStart(rule, start)) ? [first] : [];
  // of two instances at one time, the one with its own length counts
  return [...extra, ...firsts, ...ruled].sort((a, b) => Temporal.Instant.compare(a.at, b.at));
}

/** The window, extended by the lengths of instances and by moves into the window. */
function reach(
  master: Component,
  turns: readonly Turn[],
  window: Window,
): [Temporal.Instant, Temporal.Instant] {
  const day = Temporal.Duration.from({ days: 1 });
  const components = turns.flatMap(({ component }) => component ?? []);
  const lengths = [master, ...components].map(({ length }) => length ?? day);
  const shifts = components.map((turn) => turn.start.wall.since(shiftBase(turn, master)).abs());
  const add = (time: Temporal.Instant, span: Temporal.Duration): Temporal.Instant =>
    addTo(master.start.zone, time, span);
  const from = [day, ...lengths, ...shifts].reduce((time, span) => add(time, span.negated()), window.from);
  return [from, [day, ...shifts].reduce(add, window.to)];
}

/** An override counts wherever it moved to, unless its instance was deleted. */
function overrideInstances({ master, overrides }: Series): Instance[] {
  const instances: Instance[] = [];
  const isExcluded = master === undefined ? () => false : exclusion(master);
  for (const component of overrides) {
    if (component.recurrence === undefined) continue;
    const at = original(component.recurrence, master);
    if (!isExcluded(at))
      instances.push({
        id: idOf(at, master),
        formerId: formerIdOf(component.recurrence.id, master),
        component,
        start: instantOf(component.start),
      });
  }
  return instances;
}

function exclusion({ excluded, excludedRules, start }: Component): (at: Temporal.Instant) => boolean {
  const marks = new Marks(excluded.map((moment) => (start.dateOnly ? dayOf(moment, start) : moment)));
  return (at) =>
    marks.has(at, start.zone) || excludedRules.some((rule) => ruleStarts(rule, start, at, at).length > 0);
}

/** The original time of an instance. */
const original = ({ id }: Recurrence, master: Component | undefined): Temporal.Instant =>
  placeOf(onSeries(id, master), master);

/** A RECURRENCE-ID or RDATE that is a date takes its time of day from the series. */
const placeOf = (id: Moment, master: Component | undefined): Temporal.Instant =>
  id.dateOnly && master !== undefined ? onDay(id.wall, master) : instantOf(id);

const isTimeOfDays = (id: Moment, master: Component | undefined): boolean =>
  master?.start.dateOnly === true && !id.dateOnly;

/** In a series of days, the name of an instance is a day, even if a program writes a time. */
const onSeries = (id: Moment, master: Component | undefined): Moment =>
  master?.start.dateOnly === true ? dayOf(id, master.start) : id;

/** The day that a time means: the day that begins then in the zone of the series, else the written day. */
function dayOf(moment: Moment, { zone }: Moment): Moment {
  if (moment.dateOnly) return moment;
  const here = zone.wallAt(instantOf(moment));
  const isMidnight = here.equals(here.withPlainTime());
  return { wall: (isMidnight ? here : moment.wall).withPlainTime(), zone, dateOnly: true };
}

const onDay = (day: Temporal.PlainDateTime, { start }: Component): Temporal.Instant =>
  start.zone.instantAt(day.withPlainTime(start.wall.toPlainTime()));

/** Names an instance by its original start, in whole seconds as in iCalendar. */
export const recurrenceIdOf = (at: Temporal.Instant): string => at.toString({ smallestUnit: 'second' });

/** The `recurrenceId` of the instance that an override replaces. */
export const replacedId = (recurrence: Recurrence, master: Component | undefined): string | undefined =>
  idOf(original(recurrence, master), master);

const idOf = (at: Temporal.Instant, master: Component | undefined): string | undefined =>
  master !== undefined && at.equals(instantOf(master.start)) ? undefined : recurrenceIdOf(at);

/** The id that 0.1.0 gave an instance. Its booking keeps the identity derived from that id. */
function formerIdOf(id: Moment, master: Component | undefined): string | undefined {
  const isOther = id.zone.former !== undefined || master?.start.zone.former !== undefined;
  if (!isOther && !isTimeOfDays(id, master)) return undefined;
  const before = master && { ...master, start: formerly(master.start) };
  return idOf(placeOf(formerly(id), before), before);
}

/** The time from which a THISANDFUTURE override moved the series, as wall-clock time in the override's zone. */
function shiftBase(override: Component, master: Component): Temporal.PlainDateTime {
  const { recurrence, start } = override;
  const at = recurrence === undefined ? instantOf(start) : original(recurrence, master);
  return start.zone.wallAt(at);
}

/** An instance after a THISANDFUTURE override moves as far as the override did, by the clock. */
function shifted(at: Temporal.Instant, component: Component, master: Component): Temporal.Instant {
  if (component === master) return at;
  const { start } = component;
  const here = start.zone.wallAt(at);
  return start.zone.instantAt(here.add(start.wall.since(shiftBase(component, master))));
}

const ids = ({ id, formerId }: Instance): Pick<CalendarEvent, 'recurrenceId' | 'formerRecurrenceId'> => ({
  ...defined({ recurrenceId: id }),
  ...(formerId === undefined || formerId === id ? {} : { formerRecurrenceId: formerId }),
});

function toEvent(instance: Instance, master: Component | undefined): CalendarEvent {
  const { component } = instance;
  const { start } = instance;
  const length =
    instance.length ??
    component.length ??
    (component === master ? undefined : master?.length) ??
    Temporal.Duration.from('PT0S');
  const { details } = component;
  const texts = saysWhat(details) ? details : (master?.details ?? details);
  return {
    uid: component.uid,
    ...ids(instance),
    start,
    end: addTo(component.start.zone, start, length),
    allDay: component.allDay,
    ...formerTextsOf(texts),
    ...people(details),
    ...extras(details, texts),
    summary: texts.summary ?? '',
    description: texts.description ?? '',
    status: isCancelledWith(component, master) ? 'CANCELLED' : details.status,
    transparency: details.transparent ? 'TRANSPARENT' : 'OPAQUE',
    // an override that only moves its instance does not make it public
    class: texts === details || details.class !== 'PUBLIC' ? details.class : texts.class,
  };
}

/**
 * An override replaces all properties of its instance (RFC 5545 3.8.4.4). An override without texts and labels
 * only moves its instance, which keeps the texts of the series.
 */
const saysWhat = ({ summary, description, extras: { labels } }: EventDetails): boolean =>
  summary !== undefined || description !== undefined || labels !== undefined;

const extras = (own: EventDetails, texts: EventDetails): EventExtras => ({ ...texts.extras, ...own.extras });

const formerTextsOf = ({ former }: EventDetails): Pick<CalendarEvent, 'formerTexts'> =>
  defined({
    formerTexts: given(former, (former) => ({
      ...former,
      summary: former.summary ?? '',
      description: former.description ?? '',
    })),
  });

/** The cancellation of a series also cancels overrides that are not newer (RFC 5546 3.2.5). */
const isCancelledWith = ({ age }: Component, master: Component | undefined): boolean =>
  master?.details.status === 'CANCELLED' && age.sequence <= master.age.sequence;

const people = ({
  location,
  organizer,
  attendees,
}: EventDetails): Pick<CalendarEvent, 'attendees'> & {
  location?: string;
  organizer?: string;
} => ({
  ...defined({ location, organizer }),
  attendees,
});
