/** Calendars at random must become the same events for our reader and for ical.js. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { eventKey, overlaps, readCalendar, type CalendarEvent, type Window } from '@scanflow/calendar';
import { outcomeOf, type EventOutcome } from './calendar-support.ts';
import { eventsArbitrary, zones, type GeneratedEvent } from './calendar-generate.ts';
import { readWithIcalJs } from './calendar-second.ts';

const SEED = 20_261_122;
const RUNS = 300;
const FROM = Temporal.Instant.from('2026-09-20T00:00:00Z');
const TO = Temporal.Instant.from('2026-12-01T00:00:00Z');
const YEARS = { from: 1_735_689_600, to: 1_811_808_000 };

const seconds = (instant: Temporal.Instant): number => Math.floor(instant.epochMilliseconds / 1000);
const calendar = (lines: readonly string[]): string =>
  [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    ...zones.flatMap((zone) => zone.lines),
    ...lines,
    'END:VCALENDAR',
    '',
  ].join('\r\n');

/** A time in the zone of the event; one number more than there are zones means UTC. */
function timeLine(name: string, { zone }: GeneratedEvent, wall: Temporal.PlainDateTime): string {
  const text = wall.toString({ smallestUnit: 'second' }).replaceAll(/[-:]/g, '');
  const { id } = zones[zone] ?? {};
  return id === undefined ? `${name}:${text}Z` : `${name};TZID=${id}:${text}`;
}

function lines(
  event: GeneratedEvent,
  uid: string,
  more: readonly string[],
  shift = 0,
  from = event.start,
): string[] {
  const start = Temporal.PlainDateTime.from(from).add({ minutes: shift });
  const time = (name: string, wall: Temporal.PlainDateTime): string => timeLine(name, event, wall);
  const end = time('DTEND', start.add({ minutes: event.minutes }));
  return ['BEGIN:VEVENT', `UID:${uid}`, time('DTSTART', start), end, ...more, 'END:VEVENT'];
}

/** The event with the EXDATEs and overrides that it asks for, at instances that ical.js sees. */
function dressed(event: GeneratedEvent, uid: string): string[] {
  if (event.rule === undefined) return lines(event, uid, []);
  const rule = `RRULE:${event.rule}`;
  const bare = readWithIcalJs(calendar(lines(event, uid, [rule])), YEARS);
  const iana = zones[event.zone]?.id.replace('Customized Time Zone', 'Europe/Amsterdam') ?? 'UTC';
  const instances = bare
    .slice(0, 400)
    .map(({ start }) => Temporal.Instant.from(start).toZonedDateTimeISO(iana).toPlainDateTime());
  const excluded = event.skip.flatMap((place) => instances[place * 7] ?? []);
  const exdates = excluded.map((wall) => timeLine('EXDATE', event, wall));
  const overrides = event.move.flatMap(({ at, minutes }) => {
    const wall = instances[at * 7 + 1];
    return wall === undefined
      ? []
      : lines(event, uid, [timeLine('RECURRENCE-ID', event, wall)], minutes, wall.toString());
  });
  return [...lines(event, uid, [rule, ...exdates]), ...overrides];
}

function compare(events: readonly GeneratedEvent[]): void {
  const text = calendar(events.flatMap((event, index) => dressed(event, `e${index}`)));
  const read = readCalendar(Buffer.from(text), { window: { from: FROM, to: TO }, zone: 'Europe/Amsterdam' });
  const { events: ours, problems } = outcomeOf(read);
  assert.deepEqual(problems, [], text);
  const theirs = readWithIcalJs(text, { from: seconds(FROM), to: seconds(TO) });
  const plain = ({ uid, recurrenceId = '-', start, end }: EventOutcome): string =>
    [uid, String(recurrenceId), start, end].join(' ');
  assert.deepEqual(ours?.map(plain).sort(), theirs.map(plain).sort(), text);
}

test(`generated: ${RUNS} calendars are read as ical.js reads them`, () => {
  fc.assert(fc.property(eventsArbitrary, compare), { seed: SEED, numRuns: RUNS, endOnFailure: false });
});

test(`generated: what is read for a week is what is read for years, cut to that week`, () => {
  const wide = {
    from: Temporal.Instant.from('2025-01-01T00:00:00Z'),
    to: Temporal.Instant.from('2028-01-01T00:00:00Z'),
  };
  const weeks = fc.integer({ min: 0, max: 140 }).map((week) => {
    const from = wide.from.add({ hours: 24 * 7 * week });
    return { from, to: from.add({ hours: 24 * 7 }) };
  });
  const isCut = (events: readonly GeneratedEvent[], week: Window): void => {
    const bytes = Buffer.from(calendar(events.flatMap((event, index) => dressed(event, `e${index}`))));
    const [all, some] = [wide, week].map((window) =>
      readCalendar(bytes, { window, zone: 'Europe/Amsterdam' }),
    );
    assert.ok(all?.ok && some?.ok);
    const cut = all.content.events.filter((event) => overlaps(event, week));
    const keys = (list: readonly CalendarEvent[]): string[] =>
      list
        .map(
          ({ uid, recurrenceId = '-', start, end }) =>
            `${uid} ${recurrenceId} ${start.toString()} ${end.toString()}`,
        )
        .sort();
    assert.deepEqual(keys(some.content.events), keys(cut), bytes.toString());
    // what is alive outside the window is never taken for deleted: first instances, single events, overrides
    const known = new Set([
      ...some.content.outside,
      ...some.content.events.map((event) => eventKey(event.uid, event.recurrenceId)),
    ]);
    for (const { uid, recurrenceId } of all.content.events)
      if (recurrenceId === undefined) assert.ok(known.has(uid), `${uid}\n${bytes.toString()}`);
  };
  fc.assert(fc.property(eventsArbitrary, weeks, isCut), { seed: SEED, numRuns: RUNS });
});
