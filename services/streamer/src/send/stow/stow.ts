/** A destination that is reached by DICOMweb: STOW-RS (PS3.18 10.5), several instances per request. */
import { defined } from '@scanflow/booking/defined';
import type { StoreItem } from '@scanflow/dimse';
import { SEND_HELD, transient, type Failure } from '@scanflow/failure';
import { failureOf } from '../../model/failure.ts';
import { retryAfterMs } from '../../work/retry-after.ts';
import type { Sender, SendOptions, SendOutcome, StowReach } from '../../ports.ts';
import { parseAnswer } from './answer.ts';
import { DialAgent, plainDial } from './dial-agent.ts';
import { judge, type Verdict } from './judge.ts';
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

export function stowSender(
  { url, dial = plainDial }: StowReach,
  authorize: Authorize,
  now: () => number,
  settings: StowSettings = SETTINGS,
): Sender {
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
    const headers = authorization === undefined ? {} : { authorization };
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
