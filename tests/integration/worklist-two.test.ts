/** Two worklists over one data folder, as two containers of one stack: a report to one counts at both. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newUid } from '@scanflow/dicom';
import { examBegins, examEnds, until } from '@scanflow/testkit';
import { hospital, link, open } from './worklist-performed-support.ts';

const SEEN = { timeoutMs: 10_000, everyMs: 50 };

test('two worklists: an exam begins at one, shows at both, and ends at the other after the first was killed', async (t) => {
  const one = await hospital(t);
  const other = await open(t, one.data);
  assert.deepEqual(await other.listed(), await one.listed());
  const uid = newUid();
  assert.equal((await one.create(uid, examBegins(link('A1')))).status, 0);
  const state = async () =>
    (await other.page()).items.find(({ accessionNumber }) => accessionNumber === 'A1')?.state;
  await until(async () => (await state()) === 'in progress', { what: 'the other shows it', ...SEEN });
  // PS3.4 F.7.2.1.2: the instance exists, whoever made it
  assert.equal((await other.create(uid, examBegins(link('A1')))).status, 0x0111);

  await one.service.program.stop('SIGKILL');
  assert.equal((await other.set(uid, examEnds('COMPLETED', { images: 192 }))).status, 0);
  assert.deepEqual(await other.listed(), ['B1', 'C1']);
  const again = await open(t, one.data);
  assert.deepEqual(await again.listed(), ['B1', 'C1']);

  // without a moment between: the scanner sends N-SET as soon as N-CREATE is answered
  const second = newUid();
  assert.equal((await other.create(second, examBegins(link('B1')))).status, 0);
  assert.equal((await again.set(second, examEnds('COMPLETED', { images: 1 }))).status, 0);
  await until(async () => (await other.listed()).join() === 'C1', { what: 'both have it', ...SEEN });
});
