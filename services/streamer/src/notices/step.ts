/** Notices in the streamer: the look that decides, the delivery of each message under a lease, and what people see of it. */
import { defined } from '@scanflow/failure/defined';
import { sendNotice } from '@scanflow/notify';
import { takes, type FastifyInstance } from '@scanflow/runtime';
import type { LoopDeps } from '../work/deps.ts';
import { rowsOf } from '../http/request.ts';
import { iso } from '../model/series.ts';
import { reached } from '../work/trace.ts';
import { Wake } from '../work/wake.ts';
import { nextOf, workOn, type Lease, type Unfinished, type WorkKind } from '../work/worker.ts';
import { sendAgainAfter } from './plan.ts';
import { decide } from './round.ts';
import type { Notices } from './settings.ts';
import {
  layDown,
  messages,
  nextMessage,
  nextMessageTime,
  notSent,
  renewMessage,
  sent,
  type MessageWork,
} from './sql.ts';

/** The rounds of notices; none where the configuration has none. */
export function noticeLoops(
  deps: LoopDeps,
  signal: AbortSignal,
): [name: string, round: () => Promise<void>][] {
  const { notices } = deps;
  if (notices === undefined) return [];
  const look = async (): Promise<void> => {
    await decide(notices, deps, signal);
    await new Wake().wait(notices.everyMs, signal);
  };
  return [
    ['notices', look],
    ...notices.channels.map((channel): [string, () => Promise<void>] => [
      'notices',
      () => deliverNext(channel, notices, deps, signal),
    ]),
  ];
}

/** Due, but not given: another run has it. */
const LEAST_MS = 200;

/** No addresses: whom somebody writes to is nobody's business. */
const about = ({ id, recipient: { channel }, notice: { topic, state } }: MessageWork) => ({
  notice: id,
  channel,
  topic,
  state,
});

const LEASE: Lease<MessageWork> = {
  about,
  renew: renewMessage,
  giveBack: async (tx, work, now) => {
    await layDown(tx, work, now);
  },
};

async function deliverNext(
  channel: string,
  notices: Notices,
  deps: LoopDeps,
  signal: AbortSignal,
): Promise<void> {
  const { ledger, clock, log, wakes } = deps;
  const kind: WorkKind<MessageWork, { readonly kind: 'done' }> = {
    name: 'notices',
    lease: LEASE,
    about,
    says: { later: 'notice is sent again', failed: 'notice given up', interrupted: 'notice interrupted' },
    step: (work, held) => deliver(work, notices, deps, held),
    ended: (_, fields) => log.info('notice sent', fields),
  };
  const queue = {
    claim: () => ledger.write(nextMessage, channel, clock.now()),
    nextTime: () => ledger.read(nextMessageTime, channel),
    wake: wakes.after,
    leastMs: LEAST_MS,
  };
  await nextOf(queue, (work) => workOn(kind, work, deps, signal), deps, signal);
}

async function deliver(
  work: MessageWork,
  { notify }: Notices,
  { ledger, clock }: LoopDeps,
  signal: AbortSignal,
): Promise<{ readonly kind: 'done' } | Unfinished> {
  const outcome = await sendNotice(work.notice, work.recipient, notify, { now: clock.now(), signal });
  reached('notice-sent', { notice: work.id });
  const now = clock.now();
  if (outcome.kind === 'done') {
    await ledger.write(sent, work, now);
    return outcome;
  }
  if (signal.aborted) return { kind: 'interrupted' };
  const { failure, down, askedMs } = outcome;
  const delayMs = sendAgainAfter(failure.kind, {
    ...{ attempt: work.attempts + 1, ageMs: now - work.created, jitter: clock.random() },
    ...defined({ askedMs }),
  });
  const nextTry = delayMs === undefined ? undefined : now + delayMs;
  await ledger.write(notSent, work, { failure, nextTry, down }, now);
  return delayMs === undefined ? { kind: 'failed', failure } : { kind: 'later', failure, delayMs };
}

const DEFAULT_ROWS = 100;

/** GET /api/notices?limit=50: what went to whom by which channel, and what waits. No texts, and no addresses of people. */
export function noticeRoutes(
  app: FastifyInstance,
  { ledger, notices }: Pick<LoopDeps, 'ledger' | 'notices'>,
): void {
  app.get<{ Querystring: { readonly limit?: string } }>(
    '/api/notices',
    takes('limit'),
    async ({ query }) => ({
      configured: notices !== undefined,
      notices: (await ledger.read(messages, rowsOf(query, DEFAULT_ROWS))).map(
        ({ created, updated, nextTry, failure, ...one }) => ({
          ...one,
          created: iso(created),
          updated: iso(updated),
          ...(nextTry === null ? {} : { nextTry: iso(nextTry) }),
          ...(failure === undefined ? {} : { failure }),
        }),
      ),
    }),
  );
}
