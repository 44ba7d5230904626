/** Moments at which software that reads the clock goes wrong. */

/** The zone whose midnights and changes of clocks count: that of the tests' facilities. */
const ZONE = 'Europe/Amsterdam';

/** Each moment by name, later than `now`: a run that begins there passes the critical instant within a minute. */
export function moments(now: Temporal.Instant): ReadonlyMap<string, Temporal.Instant> {
  const here = now.toZonedDateTimeISO(ZONE);
  const first = transition(here);
  const second = transition(first);
  const critical = {
    tomorrow: here.add({ hours: 24 }),
    'in 400 days': here.add({ hours: 24 * 400 }),
    'the last minute of a year': endOfYear(here),
    [`the night when clocks go to ${first.offset}`]: first.subtract({ minutes: 1 }),
    [`the night when clocks go to ${second.offset}`]: second.subtract({ minutes: 1 }),
    '29 February': leapDay(here),
  };
  return new Map(Object.entries(critical).map(([name, at]) => [name, at.toInstant()]));
}

/** When clocks change next. Throws where the zone never changes them again. */
function transition(from: Temporal.ZonedDateTime): Temporal.ZonedDateTime {
  const next = from.getTimeZoneTransition('next');
  if (next === null) throw new Error(`${ZONE} changes its clocks no more: choose another zone`);
  return next;
}

function endOfYear(from: Temporal.ZonedDateTime): Temporal.ZonedDateTime {
  const end = from.with({ month: 12, day: 31 }).withPlainTime('23:59');
  return Temporal.ZonedDateTime.compare(end, from) > 0 ? end : end.add({ years: 1 });
}

/** An hour and a half before midnight, so that the day before and the day after count as well. */
function leapDay(from: Temporal.ZonedDateTime): Temporal.ZonedDateTime {
  const next = Array.from({ length: 9 }, (_, more) => from.with({ day: 1, month: 2 }).add({ years: more }))
    .filter(({ inLeapYear }) => inLeapYear)
    .map((month) => month.with({ day: 29 }).withPlainTime('22:30'))
    .find((day) => Temporal.ZonedDateTime.compare(day, from) > 0);
  if (next === undefined) throw new Error('no leap year within nine years');
  return next;
}
