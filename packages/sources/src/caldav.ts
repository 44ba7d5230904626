/**
 * Fetches calendars from CalDAV servers (RFC 4791), and only the objects that changed. It reads multi-status answers
 * (RFC 4918 13) while they arrive.
 */
import { defined } from '@scanflow/failure/defined';
import { writeAnswers } from './caldav-answer.ts';
import { isWholeCalendar, toPlain } from '@scanflow/calendar';
import { XmlError, xmlReader } from '@scanflow/runtime';
import { type Fetched, type Source, type Validators, Stop } from './answer.ts';
import { webClient, type WebOptions, type Ask } from './web/client.ts';
import { tooLarge } from './web/decode.ts';

interface CaldavSourceOptions extends WebOptions {
  /** http or https address of one calendar. */
  readonly url: string;
}

type Known = ReadonlyMap<string, DavObject>;

/** Objects per request. */
const BATCH = 100;
const EMPTY = 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Scanflow//cal2wl//EN\r\nEND:VCALENDAR\r\n';

export function caldavSource(options: CaldavSourceOptions): Source {
  const url = new URL(options.url);
  // without the slash, servers redirect or take the last part for an object
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  const web = webClient(url, options);
  let known: Known | undefined;
  return {
    fetch: (validators: Validators, signal): Promise<Fetched> =>
      web.run(signal, async (ask) => {
        const collection = collectionAt(url, ask);
        // before the events, so that the next fetch finds a change between the two requests
        const stamp = await collection.stamp();
        if (stamp !== undefined && stamp === validators.etag) return { kind: 'notModified' };
        known = await update(collection, known, url.host);
        const bytes = assemble(known);
        if (bytes.length > options.maxSize) throw tooLarge(url.host, options.maxSize);
        return { kind: 'body', bytes, validators: defined({ etag: stamp }) };
      }),
    answer: (answering, signal) =>
      writeAnswers({ url, web, answering, signal }, async (ask) => {
        // after a restart, a calendar without a change was not fetched yet
        known ??= whole(await collectionAt(url, ask).list(true), url.host);
        return [...known.values()];
      }),
  };
}

/** All current events. It fetches only new objects and those whose entity tag changed. */
async function update(collection: Collection, known: Known | undefined, host: string): Promise<Known> {
  if (known === undefined) return whole(await collection.list(true), host);
  const listed = await collection.list(false);
  const now = new Map<string, DavObject>();
  const changed: string[] = [];
  for (const { path, etag } of listed) {
    const before = known.get(path);
    if (before !== undefined && etag !== undefined && before.etag === etag) now.set(path, before);
    else changed.push(path);
  }
  if (changed.length * 2 > listed.length && listed.length > BATCH)
    return whole(await collection.list(true), host);
  for (let at = 0; at < changed.length; at += BATCH) {
    const batch = changed.slice(at, at + BATCH);
    const got = whole(await collection.get(batch), host);
    for (const path of batch) {
      const object = got.get(path);
      // some servers spell a name in two ways
      if (object === undefined) return whole(await collection.list(true), host);
      now.set(path, object);
    }
  }
  return now;
}

function whole(objects: readonly DavObject[], host: string): Known {
  if (objects.every(({ data }) => data !== undefined))
    return new Map(objects.map((object) => [object.path, object]));
  throw new Stop(
    'transient',
    'FETCH_DAV',
    `${host} did not give all events of the calendar; it is tried again.`,
  );
}

/** One body of all objects. Equal objects give an equal body. */
function assemble(objects: Known): Uint8Array {
  const sorted = [...objects.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  return Buffer.from(sorted.length === 0 ? EMPTY : sorted.map(({ data = '' }) => framed(data)).join(''));
}

/**
 * An incomplete object would break the body. An unreadable event with its UID replaces it,
 * so that the reader reports it and its published bookings stay.
 */
function framed(data: string): string {
  const { bytes } = toPlain(Buffer.from(data));
  const text = bytes.toString().trim();
  if (isWholeCalendar(bytes)) return `${text}\r\n`;
  const uid = /^UID:(.+)$/im.exec(text)?.[1]?.trim() ?? '';
  return `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:${uid}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`;
}

/** One object of a collection by its path, with its iCalendar text in `data`. */
interface DavObject {
  readonly path: string;
  readonly etag: string | undefined;
  readonly data: string | undefined;
}

interface Collection {
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
function collectionAt(url: URL, ask: Ask): Collection {
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
