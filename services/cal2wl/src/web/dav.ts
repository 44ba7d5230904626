/**
 * A calendar collection on a CalDAV server (RFC 4791), asked through tsdav. tsdav itself has no time limit, reads
 * whatever comes, follows redirects with the password, puts bodies into its messages, takes a cut answer as an empty
 * one, drops objects whose name lacks `.ics` (fetchCalendarObjects), and forgets a calendar after one missing object.
 * So its requests go through our client, which lets only whole multi-status answers through, and only its single
 * requests are used.
 */
import { calendarMultiGet, calendarQuery, propfind, type DAVResponse } from 'tsdav';
import type { Ask } from './client.ts';
import { Stop } from './stop.ts';

/** One object of a collection by its path; `data` is what it holds, as iCalendar. */
export interface DavObject {
  readonly path: string;
  readonly etag: string | undefined;
  readonly data: string | undefined;
}

export interface Collection {
  /** What changes whenever anything in the collection does; undefined where the server has nothing of the kind. */
  stamp(): Promise<string | undefined>;
  /** All events, with or without what they hold. No time-range and no expand: servers get both wrong. */
  list(withData: boolean): Promise<DavObject[]>;
  get(paths: readonly string[]): Promise<DavObject[]>;
}

type Fetch = typeof globalThis.fetch;

const EVENTS = [
  {
    'comp-filter': {
      _attributes: { name: 'VCALENDAR' },
      'comp-filter': { _attributes: { name: 'VEVENT' } },
    },
  },
];
const MULTISTATUS = 207;

/** The methods throw a Stop whatever goes wrong. */
export function collectionAt(url: URL, ask: Ask): Collection {
  const common = { url: url.href, fetch: fetchThrough(ask) };
  const props = (withData: boolean) => ({ 'd:getetag': {}, ...(withData ? { 'c:calendar-data': {} } : {}) });
  const objects = async (answer: Promise<DAVResponse[]>): Promise<DavObject[]> => {
    const responses = await answer.catch((error: unknown) => {
      throw error instanceof Stop ? error : halfAnswered(url.host);
    });
    return responses.map((response) => objectOf(response, url));
  };
  return {
    async stamp() {
      const names = { 'd:resourcetype': {}, 'cs:getctag': {}, 'd:sync-token': {} };
      const [answer] = await propfind({ ...common, props: names, depth: '0' });
      const found = propsOf(answer);
      const kinds = isObject(found['resourcetype']) ? found['resourcetype'] : {};
      if (!('calendar' in kinds)) throw noCalendar(url.host);
      const marks = [scalar(found['getctag']), scalar(found['syncToken'])];
      return marks.every((mark) => mark === undefined) ? undefined : JSON.stringify(marks);
    },
    list: (withData) =>
      objects(calendarQuery({ ...common, props: props(withData), filters: EVENTS, depth: '1' })),
    get: (paths) =>
      objects(calendarMultiGet({ ...common, props: props(true), objectUrls: [...paths], depth: '1' })),
  };
}

/** What tsdav sends, over our client; an answer that is no whole multi-status never reaches it. */
function fetchThrough(ask: Ask): Fetch {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const { bytes } = await ask(url, {
      method: init?.method ?? 'GET',
      headers: Object.fromEntries(new Headers(init?.headers)),
      expect: [MULTISTATUS],
      ...(typeof init?.body === 'string' ? { body: init.body } : {}),
    });
    if (!/<\/(?:[\w.-]+:)?multistatus\s*>\s*$|<(?:[\w.-]+:)?multistatus[^<>]*\/>\s*$/.test(tailOf(bytes)))
      throw new Stop(
        'transient',
        'FETCH_CUT',
        `${url.host} sent a calendar that is cut off; it is tried again.`,
      );
    return new Response(Buffer.from(bytes), {
      status: MULTISTATUS,
      headers: { 'content-type': 'application/xml; charset=utf-8' },
    });
  };
}

const tailOf = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(-2000)).toString('latin1');

function objectOf(response: DAVResponse, base: URL): DavObject {
  const path = typeof response.href === 'string' ? URL.parse(response.href, base)?.pathname : undefined;
  if (path === undefined) throw halfAnswered(base.host);
  const props = propsOf(response);
  const data = props['calendarData'];
  const text = isObject(data) ? data['_cdata'] : data;
  return { path, etag: scalar(props['getetag']), data: typeof text === 'string' ? text : undefined };
}

function propsOf(response: DAVResponse | undefined): Record<string, unknown> {
  const props: unknown = response?.props;
  return isObject(props) ? props : {};
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/** tsdav makes numbers of what looks like one. */
const scalar = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;

const noCalendar = (host: string): Stop =>
  new Stop(
    'permanent',
    'FETCH_DAV',
    `${host} has no calendar at that address. Give caldav the address of one calendar, not of the server, an account or an address book.`,
  );

const halfAnswered = (host: string): Stop =>
  new Stop('transient', 'FETCH_DAV', `${host} did not give all events of the calendar; it is tried again.`);
