/** A destination that is reached by DICOMweb: STOW-RS (PS3.18 10.5), several instances per request. */
import { Agent, type AgentOptions, type ClientRequestArgs } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { defined } from '@scanflow/failure/defined';
import { connected, type StoreItem, type Dial } from '@scanflow/dimse';
import { SEND_HELD, type Failure, transient, FailureError, messageOf } from '@scanflow/failure';
import { readSecret } from '@scanflow/runtime';
import { failureOf } from '../../model/failure.ts';
import { retryAfterMs } from '../../work/pace.ts';
import type { Carrier, SendOptions, SendOutcome } from '../types.ts';
import type { StowReach } from '../../model/settings.ts';
import { parseAnswer, judge, type Verdict } from './answer.ts';
import { openPart, type Part } from './part.ts';
import { post, type Call, type Reply, type StowTimeouts } from './request.ts';

export interface StowSettings {
  /** Of one request; an instance that is larger goes by itself. */
  readonly bytes: number;
  readonly instances: number;
  readonly timeouts: StowTimeouts;
}

const SETTINGS: StowSettings = {
  bytes: 64 * 1024 * 1024,
  instances: 64,
  timeouts: { connect: 10_000, idle: 60_000, response: 300_000 },
};

/** Gives `Basic …` or `Bearer …`, undefined where none is wanted. Throws FailureError. */
export type Authorize = () => Promise<string | undefined>;

export function stowCarrier(
  { url, dial = plainDial }: StowReach,
  authorize: Authorize,
  now: () => number,
  settings: StowSettings = SETTINGS,
): Carrier {
  const studies = new URL(`${url.replace(/\/+$/, '')}/studies`);
  const agent = new DialAgent(studies, dial, settings.timeouts.connect);
  return {
    send: (items, { signal, gate }) =>
      new Delivery({ studies, agent, settings, authorize, now, signal, gate }).send(items),
    close: () => agent.destroy(),
  };
}

interface Context extends Pick<SendOptions, 'signal' | 'gate'> {
  readonly studies: URL;
  readonly agent: DialAgent;
  readonly settings: StowSettings;
  readonly authorize: Authorize;
  readonly now: () => number;
}

/** One call of send(). */
class Delivery {
  readonly #context: Context;
  #stopped: { readonly failure: Failure; readonly askedMs?: number } | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  async *send(items: AsyncIterable<StoreItem>): AsyncGenerator<SendOutcome, void, undefined> {
    let batch: Part[] = [];
    let bytes = 0;
    const { settings, gate } = this.#context;
    for await (const item of items) {
      if (this.#stopped === undefined && (await gate?.admits()) === false) {
        yield* this.#deliver(batch);
        batch = [];
        this.#stop(SEND_HELD);
      }
      const part = this.#stopped === undefined ? await partOf(item) : this.#unsent(item);
      if ('result' in part) {
        yield part;
        continue;
      }
      // answers tell instances by their UID alone
      const twice = batch.some(({ sopInstanceUid }) => sopInstanceUid === part.sopInstanceUid);
      if (twice || batch.length >= settings.instances || bytes + part.length > settings.bytes) {
        yield* this.#deliver(batch);
        [batch, bytes] = [[], 0];
      }
      batch.push(part);
      bytes += part.length;
    }
    yield* this.#deliver(batch);
  }

  /** Each part has its outcome in the end; those that an answer does not tell apart go once more, one by one. */
  async *#deliver(parts: readonly Part[]): AsyncGenerator<SendOutcome, void, undefined> {
    if (parts.length === 0) return;
    const again: Part[] = [];
    for (const [at, verdict] of (await this.#attempt(parts)).entries()) {
      const part = parts[at];
      if (part === undefined) continue;
      if (verdict.result === 'alone') again.push(part);
      else yield this.#outcome(part, verdict);
    }
    for (const part of again) yield* this.#deliver([part]);
  }

  /** A verdict for each part; `alone` only where there are several. */
  async #attempt(parts: readonly Part[]): Promise<readonly Verdict[]> {
    if (this.#stopped !== undefined) return parts.map(() => failed(this.#stopped?.failure));
    const reply = await this.#post(parts);
    switch (reply.kind) {
      case 'answered': {
        const { status, text, retryAfter } = reply;
        const uids = parts.map(({ sopInstanceUid }) => sopInstanceUid);
        const answered = { status, answer: parseAnswer(text) };
        const { verdicts, stop } = judge(this.#context.studies.host, uids, answered);
        if (stop !== undefined) this.#stop(stop, retryAfterMs(retryAfter, this.#context.now()));
        return verdicts;
      }
      case 'unfit':
        return parts.map((part) => (part === reply.part ? failed(reply.failure) : { result: 'alone' }));
      case 'lost': {
        const { failure } = reply;
        this.#stop(failure);
        return parts.map(() => failed(failure));
      }
    }
  }

  async #post(parts: readonly Part[]): Promise<Reply> {
    const { studies: url, agent, settings, authorize, signal, gate } = this.#context;
    let authorization: string | undefined;
    try {
      authorization = await authorize();
    } catch (error) {
      return { kind: 'lost', failure: failureOf(error) };
    }
    const headers = defined({ authorization });
    const call: Call = { url, agent, headers, signal, gate, timeouts: settings.timeouts };
    return post(parts, call);
  }

  #stop(failure: Failure, askedMs?: number): void {
    // what was not sent is not in doubt, whatever became of what was
    const rest: Failure = failure.kind === 'ambiguous' ? { ...failure, kind: 'transient' } : failure;
    this.#stopped = { failure: rest, ...defined({ askedMs }) };
  }

  #unsent({ id }: StoreItem): SendOutcome {
    const { failure, askedMs } = this.#stopped ?? {};
    return {
      id,
      ...failed(failure),
      ...defined({ askedMs }),
    };
  }

  #outcome({ id, sopInstanceUid }: Part, verdict: Exclude<Verdict, { result: 'alone' }>): SendOutcome {
    const askedMs = verdict.result === 'failed' ? this.#stopped?.askedMs : undefined;
    return { id, sopInstanceUid, ...verdict, ...defined({ askedMs }) };
  }
}

async function partOf(item: StoreItem): Promise<Part | SendOutcome> {
  try {
    return await openPart(item);
  } catch (error) {
    return { id: item.id, result: 'failed', failure: failureOf(error) };
  }
}

const UNSENT = transient(
  'DEST_LOST',
  'The destination broke off before the image was sent. It is sent again.',
);

const failed = (failure: Failure = UNSENT): { readonly result: 'failed'; readonly failure: Failure } => ({
  result: 'failed',
  failure,
});

interface Credentials {
  readonly username?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly tokenFile?: string | undefined;
}

/** The value of the header Authorization, undefined where none is wanted. Throws FailureError STOW_SECRET. */
export async function authorization({
  username,
  passwordFile,
  tokenFile,
}: Credentials): Promise<string | undefined> {
  if (tokenFile !== undefined) {
    const token = await secretIn(tokenFile);
    // RFC 6750 2.1
    if (!/^[\w.~+/-]+=*$/.test(token)) throw new FailureError(unusable(`${tokenFile} holds no token`));
    return `Bearer ${token}`;
  }
  if (username === undefined || passwordFile === undefined) return undefined;
  const password = await secretIn(passwordFile);
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

async function secretIn(file: string): Promise<string> {
  try {
    return await readSecret(file);
  } catch (error) {
    throw new FailureError(unusable(messageOf(error)), error);
  }
}

const unusable = (why: string) =>
  transient('STOW_SECRET', `Nothing is sent without our user or token: ${why}. Correct it; sending goes on.`);

/** One connection at a time, kept for a while. */
const KEPT: AgentOptions = { keepAlive: true, maxSockets: 1 };

const plainDial: Dial = ({ host, port }, signal) => connected(connect({ host, port, noDelay: true }), signal);

class DialAgent extends Agent {
  /** Node asks an agent which protocol it is for. */
  readonly protocol: string;
  readonly #open: () => Promise<Socket>;

  /** `connectMs`: longest time until the connection stands. */
  constructor({ hostname, port, protocol }: URL, dial: Dial, connectMs: number) {
    super(KEPT);
    this.protocol = protocol;
    // an address of IPv6 stands in brackets in a URL
    const host = hostname.replace(/^\[|\]$/g, '');
    const target = { host, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) };
    this.#open = () => dial(target, AbortSignal.timeout(connectMs));
  }

  override createConnection(
    _options: ClientRequestArgs,
    done?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null {
    this.#open().then(
      (socket) => done?.(null, socket),
      // Node's types know no callback without a stream
      (error: unknown) => (done as ((error: Error) => void) | undefined)?.(asError(error)),
    );
    return null;
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
