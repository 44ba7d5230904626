/** Which time zone a TZID means. The host's zone is never an answer. */
import { windowsZone } from './engine.ts';

const known = new Map<string, string | undefined>();

/**
 * The IANA zone for a TZID: an IANA name, a Windows name, or a vendor's path that ends in an IANA name
 * (`/freeassociation.sourceforge.net/Europe/Amsterdam`). Undefined when it is none of these.
 */
export function resolveZone(tzid: string): string | undefined {
  const name = tzid.trim();
  if (known.has(name)) return known.get(name);
  if (known.size > 1000) known.clear();
  const zone = iana(name) ?? ianaOf(windowsZone(name)) ?? suffix(name);
  known.set(name, zone);
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
