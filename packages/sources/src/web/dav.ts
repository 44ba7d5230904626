/** A calendar collection on a CalDAV server (RFC 4791). It reads answers while they arrive. */
import type { Ask } from './client.ts';
import { multiStatus, type DavResponse } from './multistatus.ts';
import { Stop } from './stop.ts';

/** One object of a collection by its path, with its iCalendar text in `data`. */
export interface DavObject {
  readonly path: string;
  readonly etag: string | undefined;
  readonly data: string | undefined;
}

export interface Collection {
  /** A tag that changes with the collection; undefined if the server has none. */
  stamp(): Promise<string | undefined>;
  /** All events, with or without their data. It uses no time-range and no expand, because servers get both wrong. */
  list(withData: boolean): Promise<DavObject[]>;
  get(paths: readonly string[]): Promise<DavObject[]>;
}

const MULTISTATUS = 207;
const NAMESPACES =
  'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:cs="http://calendarserver.org/ns/"';
/** RFC 4791 9.7: components of type VEVENT in a VCALENDAR. */
const EVENTS =
  '<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT"/></c:comp-filter></c:filter>';

/** The methods throw a Stop for every failure. */
export function collectionAt(url: URL, ask: Ask): Collection {
  const question = async (method: string, depth: string, body: string): Promise<readonly DavResponse[]> => {
    const answer = multiStatus(url.host);
    await ask(url, {
      method,
      headers: { 'content-type': 'application/xml; charset=utf-8', depth },
      expect: [MULTISTATUS],
      body: `<?xml version="1.0" encoding="utf-8"?>${body}`,
      take: (piece) => {
        answer.take(piece);
      },
    });
    return answer.end();
  };
  const objects = async (kind: string, rest: string, withData: boolean): Promise<DavObject[]> => {
    const props = `<d:prop><d:getetag/>${withData ? '<c:calendar-data/>' : ''}</d:prop>`;
    const body = `<c:${kind} ${NAMESPACES}>${props}${rest}</c:${kind}>`;
    return (await question('REPORT', '1', body)).map((response) => objectOf(response, url));
  };
  return {
    async stamp() {
      const props = '<d:resourcetype/><cs:getctag/><d:sync-token/>';
      const body = `<d:propfind ${NAMESPACES}><d:prop>${props}</d:prop></d:propfind>`;
      const [answer] = await question('PROPFIND', '0', body);
      if (answer?.kinds.includes('calendar') !== true) throw noCalendar(url.host);
      const marks = ['getctag', 'sync-token'].map((name) => given(answer.props.get(name)));
      return marks.every((mark) => mark === undefined) ? undefined : JSON.stringify(marks);
    },
    list: (withData) => objects('calendar-query', EVENTS, withData),
    get: (paths) =>
      objects('calendar-multiget', paths.map((path) => `<d:href>${escaped(path)}</d:href>`).join(''), true),
  };
}

function objectOf({ href, props }: DavResponse, base: URL): DavObject {
  const path = href === '' ? undefined : URL.parse(href, base)?.pathname;
  if (path === undefined) throw halfAnswered(base.host);
  const data = props.get('calendar-data');
  return { path, etag: given(props.get('getetag')), data: given(data) === undefined ? undefined : data };
}

const given = (text: string | undefined): string | undefined => text?.trim() || undefined;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const escaped = (text: string): string => text.replaceAll(/[&<>]/g, (found) => ENTITIES[found] ?? found);

const noCalendar = (host: string): Stop =>
  new Stop(
    'permanent',
    'FETCH_DAV',
    `${host} has no calendar at that address. Give caldav the address of one calendar, not of the server, an account or an address book.`,
  );

const halfAnswered = (host: string): Stop =>
  new Stop('transient', 'FETCH_DAV', `${host} did not give all events of the calendar; it is tried again.`);
