/** A calendar collection on a CalDAV server (RFC 4791). It reads multi-status answers (RFC 4918 13) while they arrive. */
import { XmlError, xmlReader } from '@scanflow/runtime';
import type { Ask } from './client.ts';
import { Stop } from '../source.ts';

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

/** One `response` of the answer. */
interface DavResponse {
  /** As received, with entities resolved. */
  readonly href: string;
  /** Text of the properties with status 2xx, by name without prefix. */
  readonly props: ReadonlyMap<string, string>;
  /** Names of the elements in `resourcetype`. */
  readonly kinds: readonly string[];
}

/** An object has about 20 parts; a collection of 100,000 events comes to as many. */
const LIMITS = { depth: 32, parts: 2_000_000, piece: 16_777_216 };
/** Limit of texts other than events: paths and tags. */
const LONGEST = 8192;
/** The requested properties. The parser drops all others. */
const ASKED = new Set(['getetag', 'calendar-data', 'getctag', 'sync-token']);
const GOOD = /^HTTP\/\S+\s+2\d\d/;

interface MultiStatus {
  /** Takes a piece of the body. Throws a Stop. */
  take(piece: Uint8Array): void;
  /** All responses. Throws a Stop for an incomplete answer. */
  end(): readonly DavResponse[];
}

function multiStatus(host: string): MultiStatus {
  const builder = new Builder(host);
  const reader = xmlReader(builder, LIMITS);
  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      throw error instanceof XmlError ? troubleOf(error, host) : error;
    }
  };
  return {
    take: (piece) => guarded(() => reader.write(piece)),
    end() {
      guarded(() => reader.end());
      return builder.responses;
    },
  };
}

interface Open {
  href: string;
  readonly props: Map<string, string>;
  readonly kinds: string[];
}

class Builder {
  readonly responses: DavResponse[] = [];
  readonly #host: string;
  readonly #path: string[] = [];
  #response: Open | undefined;
  /** Properties of one `propstat`: its status comes after them. */
  #stat: Open | undefined;
  #status = '';
  #text: string[] = [];

  constructor(host: string) {
    this.#host = host;
  }

  readonly open = (name: string): void => {
    if (this.#path.length === 0 && name !== 'multistatus') throw cutOff(this.#host);
    this.#path.push(name);
    const parent = this.#path.at(-2);
    if (name === 'response' && parent === 'multistatus') this.#response = empty();
    else if (name === 'propstat' && parent === 'response') [this.#stat, this.#status] = [empty(), ''];
    else if (parent === 'resourcetype') this.#stat?.kinds.push(name);
    this.#text = [];
  };

  readonly text = (text: string): void => {
    if (this.#response !== undefined) this.#text.push(text);
  };

  readonly close = (name: string): void => {
    this.#path.pop();
    const [parent, text] = [this.#path.at(-1), this.#text.join('')];
    this.#text = [];
    const response = this.#response;
    if (response === undefined) return;
    if (text.length > LONGEST && name !== 'calendar-data')
      throw new XmlError('too much', `it holds ${name} of more than ${LONGEST} characters`);
    if (name === 'href' && parent === 'response') response.href = text.trim();
    else if (name === 'status' && parent === 'propstat') this.#status = text.trim();
    else if (parent === 'prop' && ASKED.has(name)) this.#stat?.props.set(name, text);
    else if (name === 'propstat') this.#endStat(response);
    else if (name === 'response' && parent === 'multistatus') {
      this.responses.push(response);
      this.#response = undefined;
    }
  };

  #endStat(response: Open): void {
    const stat = this.#stat;
    this.#stat = undefined;
    // without a status, the property counts as found
    if (stat === undefined || (this.#status !== '' && !GOOD.test(this.#status))) return;
    for (const [name, text] of stat.props) response.props.set(name, text);
    response.kinds.push(...stat.kinds);
  }
}

const empty = (): Open => ({ href: '', props: new Map(), kinds: [] });

const cutOff = (host: string): Stop =>
  new Stop('transient', 'FETCH_CUT', `${host} sent a calendar that is cut off; it is tried again.`);

function troubleOf({ reason, message }: XmlError, host: string): Stop {
  if (reason === 'cut') return cutOff(host);
  if (reason === 'too much')
    return new Stop(
      'permanent',
      'FETCH_TOO_MUCH',
      `${host} sent an answer that is no calendar: ${message}. Give the address of one calendar, or take old bookings out of it.`,
    );
  return new Stop(
    'transient',
    'FETCH_DAV',
    `${host} sent an answer that cannot be read (${message}); it is tried again.`,
  );
}
