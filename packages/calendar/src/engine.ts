/**
 * The only importer of node-ical. It answers two questions that do not depend on the host's time zone: which
 * times a recurrence rule gives, and which IANA zone a Windows name means.
 *
 * Wall-clock times go in and come out as if they were UTC. So node-ical never resolves a zone itself: it does that
 * wrongly for floating times, custom zones and the autumn fold. The caller turns wall-clock times into instants.
 */
import nodeIcal, { type VEvent } from 'node-ical';

/** Texts that cannot stand in a TZID, and names for which node-ical guesses the host's zone. */
const NO_NAME = /[\r\n"]|^$|^Customized Time Zone|^tzone:/i;

/**
 * The wall-clock times that `rule` (the value of an RRULE, UNTIL as UTC) gives for a series that starts at `start`,
 * between `from` and `to` inclusive. Throws for a text that is no rule.
 */
export function ruleTimes(
  rule: string,
  start: Temporal.PlainDateTime,
  from: Temporal.PlainDateTime,
  to: Temporal.PlainDateTime,
): Temporal.PlainDateTime[] {
  const calendar = parse([
    ['UID:series', `DTSTART:${asUtc(start)}`, `RRULE:${rule}`],
    ['UID:from', `DTSTART:${asUtc(from)}`],
    ['UID:to', `DTSTART:${asUtc(to)}`],
  ]);
  const rrule = calendar('series')?.rrule;
  const [first, last] = [calendar('from')?.start, calendar('to')?.start];
  if (rrule === undefined || first === undefined || last === undefined) throw new Error('no rule was read');
  return rrule
    .between(first, last, true)
    .map((time) => Temporal.PlainDateTime.from(time.toISOString().slice(0, 19)));
}

/** The IANA zone of a Windows zone name (`W. Europe Standard Time`), by node-ical's table. */
export function windowsZone(name: string): string | undefined {
  if (NO_NAME.test(name)) return undefined;
  try {
    const event = parse([['UID:zone', `DTSTART;TZID="${name}":20240101T120000`]])('zone');
    // the type promises a start, but an unreadable name leaves none
    const start: { tz?: string } | undefined = event?.start;
    return start?.tz;
  } catch {
    // the table knows abbreviations (JST, PST) that Temporal does not
    return undefined;
  }
}

/** A wall-clock time in the form of a UTC one, `20261122T090000Z`. */
function asUtc(time: Temporal.PlainDateTime): string {
  return `${time.toString({ smallestUnit: 'second' }).replaceAll(/[-:]/g, '')}Z`;
}

function parse(events: readonly (readonly string[])[]): (uid: string) => VEvent | undefined {
  const blocks = events.flatMap((lines) => ['BEGIN:VEVENT', ...lines, 'END:VEVENT']);
  const calendar = nodeIcal.sync.parseICS(['BEGIN:VCALENDAR', ...blocks, 'END:VCALENDAR', ''].join('\r\n'));
  return (uid) => {
    const component = calendar[uid];
    return component?.type === 'VEVENT' ? component : undefined;
  };
}
