/** Which time zone a TZID means. The host's zone is never an answer. */
import { windowsZone } from './engine.ts';
import type { Window } from './event.ts';
import type { FeedContext } from './feed.ts';
import { parseProperty, unescapeText } from './property.ts';
import { contentLines } from './text.ts';
import { matchZone, type TimezoneLines } from './vtimezone.ts';

/** The zones of one VCALENDAR. */
export interface Zones {
  /** IANA zone of times that name none. */
  readonly floating: string;
  /** The IANA zone that a TZID means here; undefined when that is not certain. */
  readonly resolve: (tzid: string) => string | undefined;
}

/**
 * Zones as a VCALENDAR names and defines them; `zone` is the one of times without any. A TZID is, in this order: an
 * IANA name; a Windows name; the IANA zone that has the offsets of the VTIMEZONE of that name, around the window; a
 * vendor's path that ends in an IANA name (`/freeassociation.sourceforge.net/Europe/Amsterdam`).
 */
export function zonesOf({ zone: named, timezones }: FeedContext, zone: string, window: Window): Zones {
  const definitions = new Map(timezones.map(readDefinition));
  const known = new Map<string, string | undefined>();
  const custom = (tzid: string): string | undefined => {
    const lines = definitions.get(tzid);
    return lines === undefined ? undefined : matchZone(lines, [suffix(tzid) ?? zone, zone], window);
  };
  const resolve = (tzid: string): string | undefined => {
    const name = tzid.trim();
    if (known.has(name)) return known.get(name);
    const found = namedZone(name) ?? custom(name) ?? suffix(name);
    known.set(name, found);
    return found;
  };
  return { floating: named === undefined ? zone : (resolve(unescapeText(named)) ?? zone), resolve };
}

/** Name and lines of a VTIMEZONE. */
function readDefinition(bytes: Buffer): [string, TimezoneLines] {
  const lines = contentLines(bytes).map((line) => parseProperty(line));
  const tzid = lines.find((line) => line?.name === 'TZID')?.value ?? '';
  return [tzid.trim(), lines.filter((line) => line !== undefined)];
}

const named = new Map<string, string | undefined>();

/** The zone for an IANA or Windows name. */
function namedZone(name: string): string | undefined {
  if (named.has(name)) return named.get(name);
  if (named.size > 1000) named.clear();
  const zone = /^tzone:\/\/Microsoft\/Utc$/i.test(name) ? 'UTC' : (iana(name) ?? ianaOf(windowsZone(name)));
  named.set(name, zone);
  return zone;
}

function iana(name: string): string | undefined {
  // Temporal reads `2024-01-01T00:00[Europe/Paris]` and offsets as zones too: only names and UTC are wanted
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
