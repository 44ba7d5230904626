/** Finds the time zone that a TZID means. It never uses the host's zone. */
import { ianaClock, withFormer, type Clock, type Zones } from './clock.ts';
import { windowsZone } from './engine.ts';
import type { Window } from './event.ts';
import type { FeedContext } from './feed.ts';
import { parseProperty, unescapeText } from './property.ts';
import { contentLines } from './text.ts';
import { readZone, type DefinedZone, type TimezoneLines } from './vtimezone.ts';

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
