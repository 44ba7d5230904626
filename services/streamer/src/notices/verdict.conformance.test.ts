/** What every ledger does with sessions that are converted to BIDS: people hear of the verdict. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cursor, done, toStore } from '../ledger/conformance-kit.test.ts';
import type { OpenFollowed } from '../hooks/conformance.test.ts';
import { arrived } from '../intake/step.ts';
import { answerText, type BidsResult } from '@scanflow/bids/answer';
import { redoSession } from '../hooks/bids-units.ts';
import { delivered, nextDelivery } from '../hooks/sql.ts';
import { listSessions } from '../sessions/step.ts';
import { stored } from '../store/sql.ts';
import { untoldSessions } from './look.ts';
import { NO_HOOKS } from './queue.conformance.test.ts';

import { attributes, desk, settled } from './desk.test.ts';

/** What the streamer keeps of the bids service's answer. */
const answer = (verdict: string): string =>
  answerText({
    ok: true,
    result: {
      ...{ state: 'published', dataset: '/project/p/bids', folder: 'sub-s', verdict },
      ...{ errorCount: 0, warningCount: 0, errors: [], warnings: [], conflicts: [], failed: [], kept: [] },
      ...{ versions: {}, counts: { series: 1, converted: 1, failed: 0, left: 0, files: 2, images: 1 } },
    } as BidsResult,
  });

export function verdictConformance(name: string, open: OpenFollowed): void {
  test(`${name}: a session waits for its verdict on BIDS, and another verdict is news`, async (t) => {
    const hooksFor = (kind: string): string[] => (kind === 'complete' ? ['bids'] : []);
    const { ledger } = await open(t, { ...NO_HOOKS, hooksFor });
    const store = async (id: string, now: number): Promise<void> => {
      await ledger.write(arrived, cursor(now), [id], now, now);
      await ledger.write(stored, await toStore(ledger, now), done({ attributes, targets: [] }), now);
      await settled(ledger, now + 200);
    };
    const one = desk(ledger, {}, [], new Set(['bids']));
    const said = async (at: number): Promise<string[]> => {
      await one.look(at);
      return (await one.deliver()).filter((line) => line.startsWith('pi'));
    };
    /** As the bids service answers. */
    const judged = async (verdict: string, now: number): Promise<void> => {
      const work = await ledger.write(nextDelivery, 'bids', now);
      assert.ok(work !== undefined, 'nothing is converted');
      assert.deepEqual(await said(now), []);
      await ledger.write(delivered, work, answer(verdict), now);
    };
    const heading = (state: string, end: string, series = 1): string[] => [
      `pi@example.org ${state}: Stored: ${series} series of p s t${end}`,
    ];
    await one.look(1);
    await store('a', 10);
    assert.deepEqual(await said(300), []);
    await judged('valid', 400);
    assert.deepEqual(await said(401), heading('said', ', BIDS valid'));
    assert.deepEqual(await said(402), []);
    // by hand: the same verdict is no news, another one is
    const session = (await ledger.read(listSessions, 1))[0]?.id ?? '';
    await ledger.write(redoSession, session, 500);
    await judged('valid', 501);
    assert.deepEqual(await said(502), []);
    await ledger.write(redoSession, session, 510);
    await judged('invalid', 511);
    assert.deepEqual(await said(512), heading('changed', ', BIDS invalid'));
    // more images: nobody waits for ever
    await store('b', 1_000);
    assert.deepEqual(await said(2_000), []);
    const late = 1_200 + 30 * 60_000;
    assert.deepEqual(await said(late), heading('changed', '', 2));
    assert.deepEqual(await said(late + 1), []);
    await judged('valid', late + 2);
    assert.deepEqual(await said(late + 3), heading('changed', ', BIDS valid', 2));
    assert.deepEqual(await said(late + 4), []);
    // bids leaves the configuration: what people heard of is not looked at again and again
    assert.deepEqual(await ledger.read(untoldSessions, { quietMs: 100, now: late + 5 }), []);
  });
}
