/**
 * `/api/events`: tells programs that something changed, and what kind of thing, as Server-Sent Events (WHATWG HTML 9.2). No label
 * goes out: who wants to know more asks the other pages. A program that was away meanwhile asks everything anew.
 */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';

export interface ChangesOptions {
  /** For each kind of thing a text that differs after each change. Called while somebody listens. */
  readonly marks: () => Promise<Readonly<Record<string, string>>> | Readonly<Record<string, string>>;
  /** Shortest time between two looks at the marks, in milliseconds. */
  readonly everyMs?: number;
  /** Time between two lines that only say that the stream goes on, in milliseconds. */
  readonly beatMs?: number;
}

const EVERY_MS = 1_000;
/** Shorter than the server's patience with silent connections. */
const BEAT_MS = 4_000;
const MOST_LISTENERS = 16;
/** A listener that does not read is cut off; it asks anew when it comes back. */
const MOST_UNREAD = 65_536;
/** Looking takes at most this part of the time, however large the ledger is. */
const REST = 19;

/** Adds `GET /api/events`: first `begin` with `{instance, sequence}`, then a `change` with `{sequence, kind}` for each kind. */
export function addChanges(
  app: FastifyInstance,
  { marks, everyMs = EVERY_MS, beatMs = BEAT_MS }: ChangesOptions,
): void {
  const listeners = new Set<ServerResponse>();
  const instance = randomUUID();
  let sequence = 0;
  let last: Readonly<Record<string, string>> | undefined;
  let timer: NodeJS.Timeout | undefined;
  const tell = (kind: string): void => {
    sequence += 1;
    for (const raw of listeners) send(raw, 'change', { sequence, kind });
  };
  const look = async (): Promise<void> => {
    const began = performance.now();
    // what cannot be looked at now is looked at the next time
    const now = await Promise.resolve()
      .then(marks)
      .catch(() => undefined);
    if (now !== undefined && last !== undefined)
      for (const [kind, mark] of Object.entries(now)) if (last[kind] !== mark) tell(kind);
    last = now ?? last;
    again(Math.max(everyMs, (performance.now() - began) * REST));
  };
  const again = (afterMs: number): void => {
    timer = listeners.size === 0 ? undefined : setTimeout(() => void look(), afterMs).unref();
  };
  app.get('/api/events', (_request, reply) => {
    if (listeners.size >= MOST_LISTENERS)
      return reply.code(503).header('retry-after', '10').send({ error: 'too many programs listen' });
    const { raw } = reply.hijack();
    raw.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
    // what changed while nobody listened is in the pages that the listener asks for now
    if (listeners.size === 0) last = undefined;
    listeners.add(raw);
    send(raw, 'begin', { instance, sequence });
    if (timer === undefined) {
      timer = setTimeout(() => void look(), 0);
    }
    const beat = setInterval(() => write(raw, ': \n\n'), beatMs).unref();
    raw.once('close', () => {
      clearInterval(beat);
      listeners.delete(raw);
    });
    return reply;
  });
}

const send = (raw: ServerResponse, event: string, data: object): void =>
  write(raw, `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);

function write(raw: ServerResponse, text: string): void {
  if (raw.writableLength > MOST_UNREAD) raw.destroy();
  else if (!raw.destroyed) raw.write(text);
}
