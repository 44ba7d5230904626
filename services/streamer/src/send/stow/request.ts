/** One STOW-RS request on the wire: parts streamed as they are read, each wait bounded, the answer bounded too. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import type { StoreGate } from '@scanflow/dimse';
import { type Failure, FailureError, codeOf, transient } from '@scanflow/failure';
import { failureOf } from '../../model/failure.ts';
import type { Part } from './part.ts';

/** Time limits in milliseconds. */
export interface StowTimeouts {
  readonly connect: number;
  /** Longest time in which it takes nothing of what is sent, or goes silent within its answer. */
  readonly idle: number;
  /** From the last byte sent to the answer. */
  readonly response: number;
}

export interface Call {
  readonly url: URL;
  readonly agent: Agent;
  /** Beside those of the content. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeouts: StowTimeouts;
  readonly signal: AbortSignal;
  readonly gate?: StoreGate | undefined;
}

export type Reply =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly retryAfter: string | null;
      readonly text: string;
    }
  /** The part could not be read to its end; nothing of the request counts. */
  | { readonly kind: 'unfit'; readonly part: Part; readonly failure: Failure }
  /** Ambiguous once all of it had been sent. */
  | { readonly kind: 'lost'; readonly failure: Failure };

/** Of the answer; one of 100 instances has some 50 KB. */
const MAX_ANSWER = 4 * 1024 * 1024;
/** A kept connection that the server closed under the request, that many times in a row. */
const REUSED = 3;

/** POSTs the parts. Never rejects. */
export async function post(parts: readonly Part[], call: Call): Promise<Reply> {
  for (let tries = 1; ; tries++) {
    const reply = await attempt(parts, call).catch((error: unknown) => UNFORESEEN(error));
    if (reply !== 'again') return reply;
    if (tries === REUSED) return lost('it closed each connection under the request', call, false);
  }
}

const UNFORESEEN = (error: unknown): Reply => ({ kind: 'lost', failure: failureOf(error) });

/** What one request has come to. */
class Exchange {
  readonly request: ClientRequest;
  /** Aborts once there is an answer, or none to come. */
  readonly over = new AbortController();
  response: IncomingMessage | undefined;
  error: unknown;
  whole = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(request: ClientRequest) {
    this.request = request;
    request.on('response', (response) => {
      this.response = response;
      this.over.abort();
    });
    request.on('error', (error) => {
      this.error ??= error;
      this.over.abort();
    });
    request.on('close', () => this.over.abort());
  }

  /** Ends it unless called again in time. */
  within(ms: number, failure: Failure): void {
    this.rest();
    this.#timer = setTimeout(() => {
      this.error ??= new FailureError(failure);
      (this.response ?? this.request).destroy();
      this.over.abort();
    }, ms);
  }

  rest(): void {
    clearTimeout(this.#timer);
  }
}

async function attempt(parts: readonly Part[], call: Call): Promise<Reply | 'again'> {
  const { url, agent, signal, timeouts } = call;
  const boundary = `scanflow-${randomBytes(24).toString('hex')}`;
  const frames = parts.map((_, at) => frame(boundary, at === 0));
  const end = Buffer.from(`\r\n--${boundary}--\r\n`);
  const length = parts.reduce((sum, part) => sum + part.length, end.length + total(frames));
  const exchange = new Exchange(
    httpRequest(url, {
      method: 'POST',
      agent,
      signal,
      headers: {
        ...call.headers,
        accept: 'application/dicom+json',
        'accept-encoding': 'identity',
        'user-agent': 'scanflow',
        'content-type': `multipart/related; type="application/dicom"; boundary=${boundary}`,
        'content-length': length,
      },
    }),
  );
  const { request } = exchange;
  try {
    for (const [at, part] of parts.entries()) {
      await send(exchange, frames[at] ?? end, call);
      const failure = await stream(part, exchange, call);
      if (failure !== undefined) {
        request.destroy();
        return { kind: 'unfit', part, failure };
      }
    }
    await send(exchange, end, call);
    if (!isOver(exchange)) {
      request.end(() => (exchange.whole = true));
      exchange.within(timeouts.response, silent(call, `no answer within ${timeouts.response} ms`));
      await until(exchange);
    }
    return await outcome(exchange, call);
  } finally {
    exchange.rest();
    // an answer that came before all was sent leaves a connection that cannot be used again
    if (!exchange.whole || exchange.response?.complete !== true) request.destroy();
  }
}

const frame = (boundary: string, first: boolean): Buffer =>
  Buffer.from(`${first ? '' : '\r\n'}--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`);
const total = (buffers: readonly Buffer[]): number => buffers.reduce((sum, { length }) => sum + length, 0);

const isOver = ({ over }: Exchange): boolean => over.signal.aborted;

/** A failure: the part cannot be read. */
async function stream(part: Part, exchange: Exchange, call: Call): Promise<Failure | undefined> {
  if (isOver(exchange)) return undefined;
  const chunks = part.chunks();
  for (;;) {
    let next: IteratorResult<Uint8Array>;
    try {
      next = await chunks.next();
    } catch (error) {
      return failureOf(error);
    }
    if (next.done === true) return undefined;
    await call.gate?.passes(next.value.length);
    await send(exchange, next.value, call);
    if (isOver(exchange)) {
      await chunks.return(undefined);
      return undefined;
    }
  }
}

async function send(exchange: Exchange, bytes: Uint8Array, { timeouts, signal }: Call): Promise<void> {
  const { request, over } = exchange;
  if (over.signal.aborted || request.write(bytes)) return;
  exchange.within(timeouts.idle, NOTHING_TAKEN(timeouts.idle));
  await once(request, 'drain', { signal: AbortSignal.any([over.signal, signal]) }).catch(() => undefined);
  exchange.rest();
}

async function until({ over }: Exchange): Promise<void> {
  if (!over.signal.aborted) await once(over.signal, 'abort');
}

async function outcome(exchange: Exchange, call: Call): Promise<Reply | 'again'> {
  const { response, request, whole } = exchange;
  const { signal } = call;
  if (response === undefined) {
    const { error } = exchange;
    if (signal.aborted) return { kind: 'lost', failure: CANCELLED };
    const code = codeOf(error);
    if (request.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE')) return 'again';
    if (request.socket === null || request.socket.connecting) return unconnected(error, call);
    return lost(error, call, whole);
  }
  try {
    const text = await collect(exchange, call);
    const retryAfter = response.headers['retry-after'] ?? null;
    return { kind: 'answered', status: response.statusCode ?? 0, retryAfter, text };
  } catch (error) {
    return signal.aborted ? { kind: 'lost', failure: CANCELLED } : lost(exchange.error ?? error, call, true);
  }
}

async function collect(exchange: Exchange, call: Call): Promise<string> {
  const { response } = exchange;
  const { idle } = call.timeouts;
  const chunks: Uint8Array[] = [];
  let size = 0;
  exchange.within(idle, silent(call, `its answer stopped for ${idle} ms`));
  for await (const chunk of (response ?? []) as AsyncIterable<Uint8Array>) {
    exchange.within(idle, silent(call, `its answer stopped for ${idle} ms`));
    size += chunk.length;
    // what is longer is not understood, and is no reason to fill the memory
    if (size > MAX_ANSWER) return '';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const CANCELLED = transient('CANCELLED', 'It was cancelled before it was done; it can be tried again.');
const NOTHING_TAKEN = (ms: number): Failure =>
  transient(
    'DEST_LOST',
    `The destination took nothing for ${ms} ms. Look into its log; sending goes on by itself.`,
  );

const silent = ({ url }: Call, why: string): Failure => ({
  kind: 'ambiguous',
  code: 'NO_RESPONSE',
  message: `${url.host} may or may not have the images: ${why}.`,
});

/** Where TLS is why, the failure that the connection brought. */
function unconnected(error: unknown, { url, timeouts }: Call): Reply {
  const failure = failureOf(error);
  if (failure.code !== 'UNEXPECTED') return { kind: 'lost', failure };
  const late = codeOf(error) === 'ABORT_ERR';
  const why = late
    ? `no connection within ${timeouts.connect} ms`
    : (codeOf(error) ?? 'the connection cannot be made');
  return {
    kind: 'lost',
    failure: transient(
      late ? 'DEST_CONNECT_TIMEOUT' : 'DEST_UNREACHABLE',
      `Cannot connect to ${url.host}: ${why}. Check that it runs, its address and the firewall.`,
    ),
  };
}

function lost(error: unknown, call: Call, whole: boolean): Reply {
  if (error instanceof FailureError) return { kind: 'lost', failure: failureOf(error) };
  const why =
    typeof error === 'string' ? error : `the connection ended (${codeOf(error) ?? 'without an answer'})`;
  if (whole) return { kind: 'lost', failure: silent(call, why) };
  return {
    kind: 'lost',
    failure: transient(
      'DEST_LOST',
      `${call.url.host}: ${why}. Look into its log; sending goes on by itself.`,
    ),
  };
}
