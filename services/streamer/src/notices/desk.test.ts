/** Looks at a ledger as the streamer does for notices, and delivers what is due; for tests. */
import assert from 'node:assert/strict';
import type { BookingRecord } from '@scanflow/booking';
import type { Ledger } from '../ledger/tx.ts';
import { nextSession, sessionComplete } from '../sessions/step.ts';
import { sessionDigest } from '../sessions/plan.ts';
import { Condition } from '../work/condition.ts';
import type { LoopDeps } from '../work/deps.ts';
import { createWakes } from '../work/loop.ts';
import { decide } from './round.ts';
import type { Notices } from './settings.ts';
import { nextMessage, sent } from './sql.ts';

export const IT = { channel: 'mail', address: 'it@example.org' };
export const OPS = { channel: 'ops', address: '' };

const BOOKING = { bookers: ['anna@example.org', 'eve@elsewhere.net'] } as unknown as BookingRecord;

/** Looks at a ledger as one streamer does, at moments that the test sets. */
export function desk(
  ledger: Ledger,
  over: Partial<Notices['notify']> = {},
  to = [IT, OPS],
  hooks: ReadonlySet<string> = new Set(),
) {
  let now = 0;
  const condition = new Condition();
  const zone = 'Europe/Amsterdam';
  const board = 'https://board.example.org';
  const all = ['quarantine', 'failed', 'waiting', 'hooks', 'verification', 'storage'];
  const quiet: { until: number } = { until: 0 };
  const notices: Notices = {
    notify: {
      ...{ webhooks: {}, chats: {}, projects: {}, gather: 1_000, again: 100_000, most: 30 },
      ...over,
    },
    ...{ channels: ['mail', 'ops'], facility: 'F', services: [], silent: new Map(), everyMs: 1 },
    it: {
      ...{ to, topics: new Set(all), urgent: new Set(['storage']), board, zone },
      ...{ stale: 1, certificate: 1, away: 1, waiting: 50_000 },
    },
    people: {
      booker: {
        ...{ domains: new Set(['example.org']), topics: new Set(['stored']), example: undefined },
        contact: 'the front desk',
      },
      projects: new Map([['p', [{ channel: 'mail', address: 'pi@example.org' }]]]),
      ...{ board, zone },
    },
    quiet: (at) => ({ open: at < quiet.until, until: quiet.until }),
  };
  const deps = {
    ...{ ledger, condition, sessionQuietMs: 100, wakes: createWakes() },
    clock: { now: () => now, random: () => 0.5 },
    context: { root: '/project', destinations: new Set(['pacs']), hooks },
    bookings: {
      byAccession: (accession: string) => Promise.resolve(accession === 'A1' ? BOOKING : undefined),
    },
    // of the rest, a look takes nothing
  } as unknown as LoopDeps;
  return {
    condition,
    quiet,
    look: async (at: number): Promise<number | undefined> => {
      now = at;
      return decide(notices, deps, new AbortController().signal);
    },
    /** Delivers all that is due, and gives it as `address state heading`. */
    deliver: async (): Promise<string[]> => {
      const got: string[] = [];
      for (const channel of ['mail', 'ops'])
        for (;;) {
          const work = await ledger.write(nextMessage, channel, now);
          if (work === undefined) break;
          await ledger.write(sent, work, now);
          got.push(`${work.recipient.address || channel} ${work.notice.state}: ${work.notice.heading}`);
        }
      return got.sort();
    },
  };
}

export const attributes = { Modality: 'MR', AccessionNumber: 'A1', PatientID: 'p' };

/** The next session that is due is complete. */
export async function settled(ledger: Ledger, now: number): Promise<void> {
  const session = await ledger.read(nextSession, now);
  assert.ok(session !== undefined, 'no session is due');
  const seen = { digest: sessionDigest(session.series), folder: 'p/raw' };
  assert.ok(await ledger.write(sessionComplete, session, seen, now));
}
