/** Writes answers into events of a CalDAV calendar (RFC 4791 5.3.2), and only where nobody changed the event meanwhile. */
import { defined } from '@scanflow/failure/defined';
import { uidIn, withAnswer, type Answer, type Answered, type Answering } from './answer.ts';
import type { Ask, WebClient } from './web/client.ts';

/** An event as the calendar gave it last. */
interface EventObject {
  readonly path: string;
  readonly data: string | undefined;
}

interface Writing {
  readonly url: URL;
  readonly web: WebClient;
  readonly answering: Answering;
  readonly signal: AbortSignal;
}

const GONE = [404, 410];
/** Somebody was faster, or has it locked. */
const CHANGED = [...GONE, 409, 412, 423];
const WRITTEN = [200, 201, 204];
/** A redirect would take the event to another address, and a 401 would count as a wrong password for reading. */
const REFUSED = [301, 302, 303, 307, 308, 400, 401, 403, 405, 413, 415, 501, 507];

/** `objects`: the events as fetched last. */
export async function writeAnswers(
  { url, web, answering, signal }: Writing,
  objects: (ask: Ask) => Promise<readonly EventObject[]>,
): Promise<Answered> {
  const counts = { written: 0, changed: 0 };
  const refused = new Map<string, number>();
  const done = await web.run(signal, async (ask) => {
    for (const { uid, object, answer } of unlike(await objects(ask), answering.answers)) {
      if (!answering.mayWrite(uid)) continue;
      const outcome = await write(ask, new URL(object.path, url), object, answer);
      if (typeof outcome === 'number') {
        refused.set(uid, outcome);
        break;
      }
      if (outcome !== 'kept') counts[outcome] += 1;
    }
    return 'done' as const;
  });
  if (done === 'done') return { ...counts, refused };
  const { failure, retryAfterMs } = done;
  return { ...counts, refused, failure, ...defined({ retryAfterMs }) };
}

interface Unlike {
  readonly uid: string;
  readonly object: EventObject;
  readonly answer: Answer | undefined;
}

/** Events that do not say yet what they shall say. A UID that two objects have names none. */
function unlike(objects: readonly EventObject[], answers: Answering['answers']): Unlike[] {
  const seen = new Map<string, EventObject | undefined>();
  for (const object of objects) {
    const uid = uidIn(object.data ?? '');
    if (uid !== undefined && answers.has(uid)) seen.set(uid, seen.has(uid) ? undefined : object);
  }
  return [...seen].flatMap(([uid, object]) => {
    if (object === undefined) return [];
    const answer = answers.get(uid);
    return typeof withAnswer(Buffer.from(object.data ?? ''), answer) === 'string'
      ? []
      : [{ uid, object, answer }];
  });
}

/** Reads the event's own bytes, since XML does not keep line ends, and writes them back under their entity tag. */
async function write(
  ask: Ask,
  at: URL,
  { data = '' }: EventObject,
  answer: Answer | undefined,
): Promise<'written' | 'changed' | 'kept' | number> {
  const { status, header, bytes } = await ask(at, { method: 'GET', expect: [200, ...GONE] });
  if (status !== 200 || bare(Buffer.from(bytes).toString()) !== bare(data)) return 'changed';
  const etag = header('etag');
  // a weak tag does not stand for these bytes (RFC 9110 8.8.1)
  if (etag === undefined || !etag.startsWith('"')) return 'kept';
  const edited = withAnswer(bytes, answer);
  if (typeof edited === 'string') return 'kept';
  const headers = {
    'content-type': header('content-type') ?? 'text/calendar; charset=utf-8',
    'if-match': etag,
    // RFC 6638 8.1: nobody gets a message about it
    'schedule-reply': 'F',
  };
  const heard = await ask(at, {
    method: 'PUT',
    headers,
    body: edited,
    expect: [...WRITTEN, ...CHANGED, ...REFUSED],
  });
  if (WRITTEN.includes(heard.status)) return 'written';
  return CHANGED.includes(heard.status) ? 'changed' : heard.status;
}

const bare = (text: string): string => text.replaceAll('\r', '').trim();
