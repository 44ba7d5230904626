/** The exam of a subject who was erased: the worklist service removes its record, and that of nobody else. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { erasureKey, erasuresIn, markOf, writeErasure } from '@scanflow/runtime';
import { examBegins, examEnds, until } from '@scanflow/testkit';
import { hospital, link } from './worklist-performed-support.ts';

test('performed: the record of an exam goes once its booking is erased', async (t) => {
  const { data, create, set, performed } = await hospital(t);
  for (const [uid, accession] of [
    ['1.2.3.1', 'A1'],
    ['1.2.3.2', 'B1'],
  ] as const) {
    assert.equal((await create(uid, examBegins(link(accession)))).status, 0);
    assert.equal((await set(uid, examEnds('COMPLETED'))).status, 0);
  }
  const records = async (): Promise<string[]> =>
    (await readdir(join(data, 'performed'))).filter((name) => name.includes('1.2.3.')).toSorted();
  assert.deepEqual(await records(), ['1.2.3.1.json', '1.2.3.2.json']);
  const folder = erasuresIn(data);
  const marks = [markOf(await erasureKey(folder), 'accession', 'A1')];
  const asked = { id: '0123456789abcdef', begun: '2026-11-22T09:00:00Z', by: 'anna', reason: 'withdrawn' };
  await writeErasure(folder, { ...asked, removed: {}, marks });
  await until(async () => (await records()).length === 1, { what: 'its record goes', timeoutMs: 60_000 });
  assert.deepEqual(await records(), ['1.2.3.2.json']);
  assert.deepEqual(
    (await performed()).steps.map(({ sopInstanceUid }) => sopInstanceUid),
    ['1.2.3.2'],
  );
});
