/**
 * VTIMEZONE (RFC 5545 3.6.5): the clock that a calendar itself defines. It usually equals an IANA zone, which is
 * faster. Its name ("Customized Time Zone") does not matter.
 */
import { definedClock, ianaClock, type Change, type Clock, type Offsets } from './clock.ts';
import type { Window } from './event.ts';
import type { Property } from './property.ts';
import { ruleStarts } from './rule.ts';

/** The content lines of a VTIMEZONE, with the BEGIN and END of its parts. */
export type TimezoneLines = readonly Property[];

/** STANDARD or DAYLIGHT. */
interface Observance {
  readonly lines: Property[];
}

/** Two clocks must agree in the window, and in the year before and after it. */
const YEAR_MS = 366 * 86_400_000;
/** Years before the window that a clock without an IANA zone covers: series may have begun long ago. */
const YEARS_BACK = 30;

export interface ReadZoneOptions {
  readonly name: string;
  /** IANA zones to try first. */
  readonly favourites: readonly string[];
  readonly window: Window;
}

/** A clock that a calendar defines, and the IANA zone that it equals, if any. */
export interface DefinedZone {
  readonly clock: Clock;
  readonly iana: string | undefined;
}

/**
 * The clock of a definition: the IANA zone that has the same offsets and changes in the year before, in
 * and after the window, if any. Undefined for an unreadable definition.
 */
export function readZone(
  lines: TimezoneLines,
  { name, favourites, window }: ReadZoneOptions,
): DefinedZone | undefined {
  const from = window.from.epochMilliseconds - YEAR_MS;
  const to = window.to.epochMilliseconds + YEAR_MS;
  const wanted = readOffsets(lines, from, to);
  if (wanted === undefined) return undefined;
  const isIt = (zone: string): boolean => hasOffsets(zone, wanted, from, to);
  const iana = [...favourites, ...Intl.supportedValuesOf('timeZone')].find(isIt);
  if (iana !== undefined) return { clock: ianaClock(iana), iana };
  const all = readOffsets(lines, from - YEARS_BACK * YEAR_MS, to) ?? wanted;
  return { clock: definedClock(`VTIMEZONE ${name}`, all), iana };
}

function readOffsets(lines: TimezoneLines, from: number, to: number): Offsets | undefined {
  try {
    const observances = readObservances(lines);
    const all = observances.flatMap((observance) => changesOf(observance, from, to));
    all.sort((a, b) => a.at - b.at);
    const before = all.findLast(({ at }) => at <= from);
    const initial = before?.offset ?? offsetOf(observances[0], 'TZOFFSETFROM');
    const changes: Change[] = [];
    for (const change of all.filter(({ at }) => at > from && at <= to))
      if (change.offset !== (changes.at(-1)?.offset ?? initial)) changes.push(change);
    return { initial, changes };
  } catch {
    return undefined;
  }
}

function readObservances(lines: TimezoneLines): Observance[] {
  const observances: Observance[] = [];
  let depth = 0;
  for (const line of lines) {
    if (line.name === 'BEGIN' && depth === 0) observances.push({ lines: [] });
    if (line.name === 'BEGIN') depth += 1;
    else if (line.name === 'END') depth -= 1;
    else if (depth === 1) observances.at(-1)?.lines.push(line);
  }
  // a single observance means a fixed offset
  const [only, ...others] = observances;
  return only === undefined || others.length > 0 ? observances : [completed(only)];
}

/** The only observance of a zone counts without a beginning, even if some programs omit its start. */
function completed({ lines }: Observance): Observance {
  const has = (name: string): boolean => lines.some((line) => line.name === name);
  const offset = lines.find((line) => line.name === 'TZOFFSETTO');
  const from = offset === undefined || has('TZOFFSETFROM') ? [] : [{ ...offset, name: 'TZOFFSETFROM' }];
  const start = has('DTSTART')
    ? []
    : [{ name: 'DTSTART', params: new Map<string, string>(), value: '19700101T000000' }];
  return { lines: [...lines, ...from, ...start] };
}

/** The onsets of one observance until `to`. Before `from`, only the last onset is reliable. */
function changesOf(observance: Observance, from: number, to: number): Change[] {
  const before = offsetOf(observance, 'TZOFFSETFROM');
  const offset = offsetOf(observance, 'TZOFFSETTO');
  const values = (name: string): string[] =>
    observance.lines.filter((line) => line.name === name).flatMap(({ value }) => value.trim());
  const onset = (text: string): Temporal.PlainDateTime =>
    Temporal.PlainDateTime.from(text.replace(/Z$/i, ''));
  const start = onset(values('DTSTART')[0] ?? '');
  const moment = { wall: start, zone: definedClock('', { initial: before, changes: [] }), dateOnly: false };
  const ruled = values('RRULE').flatMap((rule) => {
    // a rule that ended may need onsets from long ago; otherwise two years suffice
    const since = rule.includes('UNTIL')
      ? at(start, before)
      : Math.max(at(start, before), from - 2 * YEAR_MS);
    return ruleStarts(rule, moment, instant(since), instant(to)).map((time) => time.epochMilliseconds);
  });
  const listed = values('RDATE').flatMap((value) =>
    value.split(',').map((text) => at(onset(text.replace(/\/.*$/, '')), before)),
  );
  return [at(start, before), ...ruled, ...listed].map((time) => ({ at: time, offset }));
}

const at = (wall: Temporal.PlainDateTime, offset: number): number =>
  wall.toZonedDateTime('UTC').epochMilliseconds - offset;

const instant = (ms: number): Temporal.Instant => Temporal.Instant.fromEpochMilliseconds(ms);

/** `+0530`, `-050000` as milliseconds. */
function offsetOf(observance: Observance | undefined, name: string): number {
  const value = observance?.lines.find((line) => line.name === name)?.value.trim() ?? '';
  const match = /^([+-]?)(\d{2}):?(\d{2}):?(\d{2})?$/.exec(value);
  if (match === null) throw new RangeError(`${name} is no offset`);
  const [, sign, hours, minutes, seconds] = match;
  const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds ?? 0);
  return (sign === '-' ? -1000 : 1000) * size;
}

function hasOffsets(zone: string, { initial, changes }: Offsets, from: number, to: number): boolean {
  let time = instant(from).toZonedDateTimeISO(zone);
  if (offsetAt(time) !== initial) return false;
  for (const change of changes) {
    const next = time.getTimeZoneTransition('next');
    if (next?.epochMilliseconds !== change.at || offsetAt(next) !== change.offset) return false;
    time = next;
  }
  const next = time.getTimeZoneTransition('next');
  return next === null || next.epochMilliseconds > to;
}

const offsetAt = (time: Temporal.ZonedDateTime): number => time.offsetNanoseconds / 1e6;
