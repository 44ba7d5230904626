import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hoursOf, nextOpening, openingAt, type Window } from './hours.ts';

const ZONE = 'Europe/Amsterdam';
const NIGHT: readonly Window[] = [{ from: '19:00', to: '07:00' }];

const at = (local: string): Temporal.Instant =>
  Temporal.PlainDateTime.from(local).toZonedDateTime(ZONE).toInstant();

/** As `open until 2026-11-23T07:00`, in the facility's time. */
function shown(now: Temporal.Instant, windows: readonly Window[], zone = ZONE): string {
  const { open, until } = openingAt(now, windows, zone);
  const local = Temporal.Instant.fromEpochMilliseconds(until).toZonedDateTimeISO(zone).toPlainDateTime();
  return `${open ? 'open' : 'closed'} until ${local.toString({ smallestUnit: 'minute' })}`;
}

test('hours: a window over midnight', () => {
  assert.equal(shown(at('2026-11-22T18:59:59.999'), NIGHT), 'closed until 2026-11-22T19:00');
  assert.equal(shown(at('2026-11-22T19:00'), NIGHT), 'open until 2026-11-23T07:00');
  assert.equal(shown(at('2026-11-23T00:00'), NIGHT), 'open until 2026-11-23T07:00');
  assert.equal(shown(at('2026-11-23T06:59:59.999'), NIGHT), 'open until 2026-11-23T07:00');
  assert.equal(shown(at('2026-11-23T07:00'), NIGHT), 'closed until 2026-11-23T19:00');
});

test('hours: the next opening is now where it is open', () => {
  const now = at('2026-11-22T20:00');
  assert.equal(nextOpening(now, NIGHT, ZONE), now.epochMilliseconds);
  assert.equal(nextOpening(at('2026-11-22T12:00'), NIGHT, ZONE), at('2026-11-22T19:00').epochMilliseconds);
});

test('hours: days are those on which a window opens', () => {
  // 2026-11-22 is a Sunday
  const weekdays: readonly Window[] = [{ from: '19:00', to: '07:00', days: ['mon', 'fri'] }];
  assert.equal(shown(at('2026-11-22T20:00'), weekdays), 'closed until 2026-11-23T19:00');
  assert.equal(shown(at('2026-11-24T06:00'), weekdays), 'open until 2026-11-24T07:00');
  assert.equal(shown(at('2026-11-24T20:00'), weekdays), 'closed until 2026-11-27T19:00');
  assert.equal(shown(at('2026-11-28T06:00'), weekdays), 'open until 2026-11-28T07:00');
});

test('hours: windows that overlap or touch are one', () => {
  const windows: readonly Window[] = [
    { from: '12:00', to: '13:00' },
    { from: '13:00', to: '14:00' },
    { from: '12:30', to: '12:45' },
  ];
  assert.equal(shown(at('2026-11-22T12:40'), windows), 'open until 2026-11-22T14:00');
  assert.equal(shown(at('2026-11-22T14:00'), windows), 'closed until 2026-11-23T12:00');
});

test('hours: whole days, with 24:00 as their end', () => {
  const weekend: readonly Window[] = [{ from: '00:00', to: '24:00', days: ['sat', 'sun'] }];
  assert.equal(shown(at('2026-11-21T09:00'), weekend), 'open until 2026-11-23T00:00');
  assert.equal(shown(at('2026-11-23T00:00'), weekend), 'closed until 2026-11-28T00:00');
});

test('hours: a night in which the clocks go forward has an hour less, one in which they go back an hour more', () => {
  const length = (day: string): number => {
    const opens = at(`${day}T19:00`);
    return (openingAt(opens, NIGHT, ZONE).until - opens.epochMilliseconds) / 3_600_000;
  };
  assert.equal(length('2026-03-27'), 12);
  assert.equal(length('2026-03-28'), 11);
  assert.equal(length('2026-10-24'), 13);
});

test('hours: a window in the hour that is left out is not there on that day', () => {
  const early: readonly Window[] = [{ from: '02:00', to: '03:00', days: ['sun'] }];
  assert.equal(shown(at('2026-03-28T12:00'), early), 'closed until 2026-04-05T02:00');
  // it begins in that hour, and ends after it
  const later: readonly Window[] = [{ from: '02:30', to: '04:00' }];
  assert.equal(shown(at('2026-03-29T01:59'), later), 'closed until 2026-03-29T03:30');
});

test('hours: of a time that comes twice it is the first', () => {
  const early: readonly Window[] = [{ from: '01:00', to: '02:30' }];
  const opens = at('2026-10-25T01:00');
  assert.equal(openingAt(opens, early, ZONE).until - opens.epochMilliseconds, 90 * 60_000);
  const second = Temporal.ZonedDateTime.from('2026-10-25T02:10+01:00[Europe/Amsterdam]').toInstant();
  assert.equal(shown(second, early), 'closed until 2026-10-26T01:00');
});

test('hours: in the time of the facility, wherever this runs', () => {
  const tokyo = Temporal.Instant.from('2026-11-22T09:59:00Z');
  assert.equal(shown(tokyo, NIGHT, 'Asia/Tokyo'), 'closed until 2026-11-22T19:00');
  assert.equal(shown(tokyo.add({ minutes: 1 }), NIGHT, 'Asia/Tokyo'), 'open until 2026-11-23T07:00');
});

test('hours: every minute of a year is open or closed as the wall clock says', () => {
  let instant = at('2026-01-01T00:00').epochMilliseconds;
  const hours = hoursOf(NIGHT, ZONE);
  assert.ok(hours !== undefined);
  for (let step = 0; step < 365 * 24 * 4; step += 1, instant += 15 * 60_000) {
    const { hour } = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(ZONE);
    assert.equal(hours(instant).open, hour >= 19 || hour < 7, String(instant));
  }
});

test('hours: what is known is worked out anew when the clock was set back', () => {
  const hours = hoursOf(NIGHT, ZONE);
  assert.ok(hours !== undefined);
  assert.equal(hours(at('2026-11-22T20:00').epochMilliseconds).open, true);
  assert.equal(hours(at('2026-11-22T18:00').epochMilliseconds).open, false);
  assert.equal(hours(at('2026-11-22T19:00').epochMilliseconds).open, true);
});

test('hours: without windows there is nothing to wait for', () =>
  assert.equal(hoursOf(undefined, ZONE), undefined));
