/** Parses a multi-status answer (RFC 4918 13) while it arrives, and keeps only the objects. */
import { XmlError, xmlReader } from '@scanflow/runtime';
import { Stop } from './stop.ts';

/** One `response` of the answer. */
export interface DavResponse {
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

export interface MultiStatus {
  /** Takes a piece of the body. Throws a Stop. */
  take(piece: Uint8Array): void;
  /** All responses. Throws a Stop for an incomplete answer. */
  end(): readonly DavResponse[];
}

export function multiStatus(host: string): MultiStatus {
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
