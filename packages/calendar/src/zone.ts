/** Finds the time zone that a TZID means. It never uses the host's zone. */
import {
  ianaClock,
  withFormer,
  type Clock,
  type Zones,
  definedClock,
  type Change,
  type Offsets,
} from './moment.ts';
import { windowsZone, ruleStarts } from './rule.ts';
import type { Window } from './event.ts';
import type { FeedContext } from './feed.ts';
import { parseProperty, unescapeText, type Property } from './property.ts';
import { contentLines } from './text.ts';

/**
 * The zones that a VCALENDAR names and defines; `zone` applies to times without one. A TZID means, in this order: an
 * IANA name of area and city; the VTIMEZONE of that name (RFC 5545 3.2.19); another IANA name; a Windows
 * name; a vendor's path that ends in an IANA name (`/freeassociation.sourceforge.net/Europe/Amsterdam`).
 */
export function zonesOf(
  { zone: told, timezones, charset }: FeedContext,
  zone: string,
  window: Window,
): Zones {
  const all = timezones.map((bytes) => readDefinition(bytes, charset));
  const definitions = Map.groupBy(all, ([name]) => name.toLowerCase());
  const resolved = new Map<string, Clock | undefined>();
  const clockOf = (name: string): Clock | undefined => {
    const place = placeName(name);
    if (place !== undefined) return ianaClock(place);
    const [byName, bySuffix] = [namedZone(name), suffix(name)];
    const favourites = [byName ?? bySuffix ?? zone, zone];
    const lines = named(definitions.get(name.toLowerCase()) ?? [], name);
    const defined = agreed(
      lines.map((one) => readZone(one, { name, favourites, window })),
      window,
    );
    const former = byName ?? defined?.iana ?? bySuffix;
    if (defined !== undefined)
      return withFormer(defined.clock, former === undefined ? undefined : ianaClock(former));
    const found = former ?? numberedZone(name) ?? lines.map(locationOf).find((place) => place !== undefined);
    return found === undefined ? undefined : ianaClock(found);
  };
  const resolve = (tzid: string): Clock | undefined => {
    const name = plainName(tzid);
    if (!resolved.has(name)) resolved.set(name, clockOf(name));
    return resolved.get(name);
  };
  const floating = ianaClock(zone);
  return { floating: told === undefined ? floating : (resolve(told) ?? floating), resolve };
}

/** A VTIMEZONE writes a TZID as TEXT and a time writes it quoted, or both do. They mean one name. */
const plainName = (tzid: string): string =>
  unescapeText(tzid)
    .trim()
    .replace(/^"(.*)"$/s, '$1')
    .trim();

type Definition = readonly [string, TimezoneLines];

/** Definitions of this name, else of a name that differs only in case. */
function named(all: readonly Definition[], name: string): TimezoneLines[] {
  const exact = all.filter(([own]) => own === name);
  return (exact.length > 0 ? exact : all).map(([, lines]) => lines);
}

/** The clock on which all readable definitions of one name agree; undefined if they differ. */
function agreed(all: readonly (DefinedZone | undefined)[], { from }: Window): DefinedZone | undefined {
  const [first, ...others] = all.filter((one) => one !== undefined);
  const walls = Array.from({ length: 53 }, (_, week) =>
    from
      .toZonedDateTimeISO('UTC')
      .toPlainDateTime()
      .add({ weeks: week - 26 }),
  );
  const isSame = ({ clock }: DefinedZone): boolean =>
    walls.every((wall) => first?.clock.instantAt(wall).equals(clock.instantAt(wall)) === true);
  return others.every(isSame) ? first : undefined;
}

/** The IANA zone that a definition names beside its rules, for unreadable rules. */
const locationOf = (lines: TimezoneLines): string | undefined => {
  const location = lines.find(({ name }) => name === 'X-LIC-LOCATION')?.value.trim();
  return location === undefined ? undefined : placeName(location);
};

/** Name and lines of a VTIMEZONE. */
function readDefinition(bytes: Buffer, charset: string | undefined): [string, TimezoneLines] {
  const lines = contentLines(bytes, charset).lines.map((line) => parseProperty(line));
  const tzid = lines.find((line) => line?.name === 'TZID')?.value ?? '';
  return [plainName(tzid), lines.filter((line) => line !== undefined)];
}

/** An IANA name of an area and a city. Apple and others also write it with a slash before it. */
function placeName(name: string): string | undefined {
  const bare = name.replace(/^\//, '');
  return bare.includes('/') ? iana(bare) : undefined;
}

/** Outlook numbers a zone that it defines more than once: `W. Europe Standard Time 1`. */
function numberedZone(name: string): string | undefined {
  const [, bare] = /^(.*\D) \d{1,2}$/.exec(name) ?? [];
  return bare === undefined ? undefined : ianaOf(windowsZone(bare));
}

const known = new Map<string, string | undefined>();

/** The zone for an IANA or Windows name. */
function namedZone(name: string): string | undefined {
  if (known.has(name)) return known.get(name);
  if (known.size > 1000) known.clear();
  const zone = /^tzone:\/\/Microsoft\/Utc$/i.test(name) ? 'UTC' : (iana(name) ?? ianaOf(windowsZone(name)));
  known.set(name, zone);
  return zone;
}

function iana(name: string): string | undefined {
  // Temporal also accepts `2024-01-01T00:00[Europe/Paris]` and offsets as zones; only names and UTC are valid here
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(name)) return undefined;
  try {
    return new Temporal.ZonedDateTime(0n, name).timeZoneId;
  } catch {
    return undefined;
  }
}

const ianaOf = (name: string | undefined): string | undefined =>
  name === undefined ? undefined : iana(name);

function suffix(name: string): string | undefined {
  const parts = name.split('/').filter((part) => part !== '');
  return [3, 2]
    .filter((count) => parts.length > count)
    .map((count) => iana(parts.slice(-count).join('/')))
    .find((zone) => zone !== undefined);
}

/** The content lines of a VTIMEZONE, with the BEGIN and END of its parts. */
type TimezoneLines = readonly Property[];

/** STANDARD or DAYLIGHT. */
interface Observance {
  readonly lines: Property[];
}

/** Two clocks must agree in the window, and in the year before and after it. */
const YEAR_MS = 366 * 86_400_000;
/** Years before the window that a clock without an IANA zone covers: series may have begun long ago. */
const YEARS_BACK = 30;

interface ReadZoneOptions {
  readonly name: string;
  /** IANA zones to try first. */
  readonly favourites: readonly string[];
  readonly window: Window;
}

/** A clock that a calendar defines, and the IANA zone that it equals, if any. */
interface DefinedZone {
  readonly clock: Clock;
  readonly iana: string | undefined;
}

/**
 * The clock of a definition (RFC 5545 3.6.5): the IANA zone that has the same offsets and changes in the year before, in
 * and after the window, if any, which is faster. Undefined for an unreadable definition.
 */
function readZone(
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
