/** Fetches calendars from CalDAV servers, and only the objects that changed. */
import { isWholeCalendar, toPlain } from '@scanflow/calendar';
import { type Fetched, type Source, type Validators, Stop } from './source.ts';
import { webClient, type WebOptions } from './web/client.ts';
import { collectionAt, type Collection, type DavObject } from './web/dav.ts';
import { tooLarge } from './web/decode.ts';

export interface CaldavSourceOptions extends WebOptions {
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
        return { kind: 'body', bytes, validators: stamp === undefined ? {} : { etag: stamp } };
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
