/** Calendars at random, within what our reader and ical.js understand alike (see docs/calendar-differences.md). */
import fc from 'fast-check';

export interface ZoneDefinition {
  readonly id: string;
  readonly lines: readonly string[];
}

const observance = (kind: string, from: string, to: string, start: string, rule: string): string[] => [
  `BEGIN:${kind}`,
  `DTSTART:${start}`,
  `TZOFFSETFROM:${from}`,
  `TZOFFSETTO:${to}`,
  ...(rule === '' ? [] : [`RRULE:${rule}`]),
  `END:${kind}`,
];
const definition = (id: string, ...observances: string[][]): ZoneDefinition => ({
  id,
  lines: ['BEGIN:VTIMEZONE', `TZID:${id}`, ...observances.flat(), 'END:VTIMEZONE'],
});

const european = [
  observance('DAYLIGHT', '+0100', '+0200', '19810329T020000', 'FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU'),
  observance('STANDARD', '+0200', '+0100', '19961027T030000', 'FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU'),
];

/** Zones with the rules that they have had since 2007; the last is known by its rules only. */
export const zones: readonly ZoneDefinition[] = [
  definition('Europe/Amsterdam', ...european),
  definition(
    'America/New_York',
    observance('DAYLIGHT', '-0500', '-0400', '20070311T020000', 'FREQ=YEARLY;BYMONTH=3;BYDAY=2SU'),
    observance('STANDARD', '-0400', '-0500', '20071104T020000', 'FREQ=YEARLY;BYMONTH=11;BYDAY=1SU'),
  ),
  definition('Asia/Kolkata', observance('STANDARD', '+0530', '+0530', '19700101T000000', '')),
  definition('Customized Time Zone', ...european),
];

/** A series or single event; `skip` and `move` are places of instances in the series. */
export interface GeneratedEvent {
  readonly start: string;
  readonly zone: number;
  readonly minutes: number;
  readonly rule: string | undefined;
  readonly skip: readonly number[];
  readonly move: readonly { readonly at: number; readonly minutes: number }[];
}

const DAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];

/** Starts between four and eleven o'clock in the evening: no clock is ever changed then. */
const startArbitrary = fc
  .record({ day: fc.integer({ min: 0, max: 500 }), slot: fc.integer({ min: 16, max: 92 }) })
  .map(({ day, slot }) =>
    Temporal.PlainDateTime.from('2025-08-01T00:00').add({ days: day, minutes: slot * 15 }),
  );

/** A rule that is in step with its start: of others RFC 5545 leaves open what they give. */
function ruleArbitrary(start: Temporal.PlainDateTime): fc.Arbitrary<string> {
  const today = DAYS[start.dayOfWeek - 1] ?? 'MO';
  const days = fc.subarray(DAYS).map((some) => [...new Set([today, ...some])].join());
  const nth = Math.ceil(start.day / 7);
  const fromEnd = Math.ceil((start.daysInMonth - start.day + 1) / 7);
  const shape = fc.oneof(
    fc.constant('FREQ=DAILY'),
    days.map((some) => `FREQ=DAILY;BYDAY=${some}`),
    fc.constant(`FREQ=DAILY;BYMONTH=${start.month},${(start.month % 12) + 1}`),
    fc.constant('FREQ=WEEKLY'),
    fc
      .tuple(days, fc.constantFrom('MO', 'SU', 'WE'))
      .map(([some, wkst]) => `FREQ=WEEKLY;BYDAY=${some};WKST=${wkst}`),
    fc.constant('FREQ=MONTHLY'),
    fc.constantFrom(`${nth}${today}`, `-${fromEnd}${today}`).map((day) => `FREQ=MONTHLY;BYDAY=${day}`),
    fc
      .integer({ min: 1, max: 31 })
      .map((day) => `FREQ=MONTHLY;BYMONTHDAY=${[...new Set([start.day, day])].join()}`),
    fc.constant(`FREQ=MONTHLY;BYMONTHDAY=${start.day - start.daysInMonth - 1}`),
    fc.constant(`FREQ=MONTHLY;BYDAY=${DAYS.join()};BYSETPOS=${start.day}`),
    fc.constant(`FREQ=YEARLY;BYMONTH=${start.month};BYMONTHDAY=${start.day}`),
    fc.constant(`FREQ=YEARLY;BYMONTH=${start.month};BYDAY=${nth}${today}`),
  );
  const end = fc.oneof(
    fc.constant(''),
    fc.integer({ min: 1, max: 60 }).map((count) => `;COUNT=${count}`),
    fc.integer({ min: 1, max: 400 }).map((days) => {
      const last = start.toPlainDate().add({ days }).toString().replaceAll('-', '');
      return `;UNTIL=${last}T120000Z`;
    }),
  );
  const interval = fc.integer({ min: 1, max: 3 }).map((n) => (n === 1 ? '' : `;INTERVAL=${n}`));
  return fc
    .tuple(shape, interval, end)
    .map(([base, every, last]) => base + (base.startsWith('FREQ=DAILY;BYMONTH') ? '' : every) + last);
}

/** By whole days and a little: from one time without clock change to another. */
const shiftArbitrary = fc
  .record({ days: fc.integer({ min: -3, max: 3 }), quarters: fc.integer({ min: 0, max: 2 }) })
  .map(({ days, quarters }) => days * 24 * 60 + quarters * 15);

/** Where clocks change an event ends by midnight: ical.js takes lengths over a change by the clock. */
function longest(zone: number, start: Temporal.PlainDateTime): number {
  const changes = zones[zone]?.lines.includes('BEGIN:DAYLIGHT') === true;
  return changes ? 24 * 60 - (start.hour * 60 + start.minute) : 36 * 60;
}

const eventArbitrary: fc.Arbitrary<GeneratedEvent> = fc
  .tuple(startArbitrary, fc.nat({ max: zones.length }))
  .chain(([start, zone]) =>
    fc.record({
      start: fc.constant(start.toString()),
      zone: fc.constant(zone),
      minutes: fc.integer({ min: 1, max: longest(zone, start) / 15 }).map((quarters) => quarters * 15),
      rule: fc.option(ruleArbitrary(start), { nil: undefined, freq: 5 }),
      skip: fc.uniqueArray(fc.nat({ max: 40 }), { maxLength: 4 }),
      move: fc.uniqueArray(fc.record({ at: fc.nat({ max: 40 }), minutes: shiftArbitrary }), {
        maxLength: 3,
        selector: ({ at }) => at,
      }),
    }),
  );

export const eventsArbitrary: fc.Arbitrary<GeneratedEvent[]> = fc.array(eventArbitrary, {
  minLength: 1,
  maxLength: 5,
});
