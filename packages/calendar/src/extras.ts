/** Properties that name a scanner or labels besides the texts: categories, resources, X-DICOM properties. */
import { unescapeText, type Property } from './property.ts';

/** Each is absent if the event has none. */
export interface EventExtras {
  /** CATEGORIES, one by one. */
  readonly categories?: readonly string[];
  /** RESOURCES, and the names and addresses of attendees that are rooms or resources (RFC 5545 3.2.3). */
  readonly resources?: readonly string[];
  /**
   * Mail addresses of the people who booked: ORGANIZER's, or without ORGANIZER those of each ATTENDEE that is a person.
   * An organizer may invite anybody, so guests do not count beside an organizer.
   */
  readonly bookers?: readonly string[];
  /** X-DICOM-PROJECT, X-DICOM-SUBJECT and X-DICOM-SESSION. */
  readonly labels?: { readonly project?: string; readonly subject?: string; readonly session?: string };
}

const NOTHING: EventExtras = {};
const LABELS = ['project', 'subject', 'session'] as const;

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
