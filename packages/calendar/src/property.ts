/**
 * Content lines as name, parameters and value (RFC 5545 3.1, 3.2), and those of an event that name a scanner, people or labels
 * besides its texts: categories, resources, X-DICOM properties.
 */
import type { BookableEvent } from '@scanflow/booking';

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

/** What an event has besides its texts; each is absent if it has none. */
export type EventExtras = Pick<BookableEvent, 'categories' | 'resources' | 'bookers' | 'labels'>;

const LABELS = ['project', 'subject', 'session'] as const;
const NOTHING: EventExtras = {};

export function readExtras(all: (name: string) => readonly Property[]): EventExtras {
  const categories = all('CATEGORIES').flatMap(list);
  const resources = [
    ...all('RESOURCES').flatMap(list),
    ...all('ATTENDEE')
      .filter((one) => !isDeclinedRoom(one))
      .flatMap(resource),
  ];
  const bookers = bookersOf(all);
  const labels = Object.fromEntries(
    LABELS.flatMap((name) => {
      const value = unescapeText(all(`X-DICOM-${name.toUpperCase()}`)[0]?.value ?? '').trim();
      return value === '' ? [] : [[name, value]];
    }),
  );
  const hasLabels = Object.keys(labels).length > 0;
  if (categories.length === 0 && resources.length === 0 && bookers.length === 0 && !hasLabels) return NOTHING;
  return {
    ...(categories.length === 0 ? {} : { categories }),
    ...(resources.length === 0 ? {} : { resources }),
    ...(bookers.length === 0 ? {} : { bookers }),
    ...(hasLabels ? { labels } : {}),
  };
}

/** Splits values at commas that are not escaped (RFC 5545 3.1.1). */
const list = ({ value }: Property): string[] =>
  [...value.matchAll(/(?:\\.|[^\\,])+/gs)]
    .map(([text]) => unescapeText(text).trim())
    .filter((text) => text !== '');

const parameter = ({ params }: Property, name: string): string =>
  params.get(name)?.trim().toUpperCase() ?? '';
const isRoom = (attendee: Property): boolean => ['RESOURCE', 'ROOM'].includes(parameter(attendee, 'CUTYPE'));

/** A room that declined is not booked (RFC 5545 3.2.12). */
export const isDeclinedRoom = (attendee: Property): boolean =>
  isRoom(attendee) && parameter(attendee, 'PARTSTAT') === 'DECLINED';

/** Whether the event invites rooms and none of them accepted. */
export function isTurnedDown(attendees: readonly Property[]): boolean {
  const rooms = attendees.filter(isRoom);
  return rooms.length > 0 && rooms.every(isDeclinedRoom);
}

function resource(attendee: Property): string[] {
  if (!isRoom(attendee)) return [];
  const { params, value } = attendee;
  const address = value.trim().replace(/^mailto:/i, '');
  return [params.get('CN')?.trim() ?? '', address].filter((text) => text !== '');
}

function bookersOf(all: (name: string) => readonly Property[]): string[] {
  const organizers = all('ORGANIZER');
  const people = all('ATTENDEE').filter((one) => resource(one).length === 0);
  return (organizers.length > 0 ? organizers : people).flatMap(mailOf);
}

/** EMAIL (RFC 7986 6.2), if the address itself is no mail address. */
function mailOf({ params, value }: Property): string[] {
  const address = value.trim().replace(/^mailto:/i, '');
  const mail = /^mailto:/i.test(value.trim()) ? address : (params.get('EMAIL')?.trim() ?? address);
  return /^[^\s@]+@[^\s@]+$/.test(mail) ? [mail.toLowerCase()] : [];
}
