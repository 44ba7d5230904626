/** One content line as name, parameters and value (RFC 5545 3.1, 3.2). */

export interface Property {
  /** In capitals. */
  readonly name: string;
  /** Parameter names in capitals; quotes removed. */
  readonly params: ReadonlyMap<string, string>;
  readonly value: string;
}

const TIMES = new Set(['DTSTART', 'DTEND', 'RECURRENCE-ID', 'EXDATE', 'RDATE']);
const NO_PARAMS: ReadonlyMap<string, string> = new Map();

/** Splits a content line; undefined for a line without a colon, which is no content line. */
export function parseProperty(line: string): Property | undefined {
  const colon = line.indexOf(':');
  if (colon < 0) return undefined;
  const semicolon = line.indexOf(';');
  if (semicolon < 0 || semicolon > colon)
    return {
      name: line.slice(0, colon).trim().toUpperCase(),
      params: NO_PARAMS,
      value: line.slice(colon + 1),
    };
  const name = line.slice(0, semicolon).trim().toUpperCase();
  // times hold no colon, but an unquoted zone may: TZID=tzone://Microsoft/Utc
  const end = TIMES.has(name) ? line.lastIndexOf(':') : valueColon(line, semicolon);
  if (end < 0) return undefined;
  return {
    name,
    params: parseParams(line.slice(semicolon + 1, end)),
    value: line.slice(end + 1),
  };
}

/** The colon that ends the parameters: the first one outside quotes, or the first of all if a quote stays open. */
function valueColon(line: string, from: number): number {
  let quoted = false;
  for (let index = from; index < line.length; index += 1) {
    const character = line[index];
    if (character === '"') quoted = !quoted;
    else if (character === ':' && !quoted) return index;
  }
  return quoted ? line.indexOf(':', from) : -1;
}

function parseParams(text: string): ReadonlyMap<string, string> {
  const params = new Map<string, string>();
  for (const match of text.matchAll(/([^=;]+)=((?:"[^"]*"|[^;"])*)/g)) {
    const [, name = '', value = ''] = match;
    params.set(name.trim().toUpperCase(), value.replaceAll('"', ''));
  }
  return params;
}

/** A TEXT value as people read it (RFC 5545 3.3.11). */
export function unescapeText(value: string): string {
  if (!value.includes('\\')) return value;
  return value.replace(/\\([nN,;:"\\])/g, (_, character: string) =>
    character === 'n' || character === 'N' ? '\n' : character,
  );
}
