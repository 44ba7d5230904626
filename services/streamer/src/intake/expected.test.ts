import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { encodeExamRecord, type ExamSeries } from '@scanflow/booking';
import { writeFileAtomic } from '@scanflow/runtime';
import { examRecord } from '@scanflow/testkit';
import { openExamCounts, type ExamCounts } from './expected.ts';

const series = (seriesInstanceUid: string, images: number, others = 0): ExamSeries => ({
  seriesInstanceUid,
  description: 'a scan',
  images,
  others,
});

async function place(t: TestContext): Promise<{
  put: (name: string, text: string) => Promise<void>;
  folder: string;
  performed: ExamCounts;
  told: string[];
}> {
  const base = await mkdtemp(join(tmpdir(), 'scanflow-performed-'));
  t.after(() => rm(base, { recursive: true }));
  const folder = join(base, 'performed');
  const told: string[] = [];
  const performed = openExamCounts(folder, (file, reason) => told.push(`${file}: ${reason}`));
  const put = async (name: string, text: string): Promise<void> => {
    await mkdir(folder, { recursive: true });
    await writeFileAtomic(join(folder, name), text);
  };
  return { put, folder, performed, told };
}

test('performed: a folder that is not there yet says nothing', async (t) => {
  const { performed } = await place(t);
  assert.equal(await performed.refresh(), false);
  assert.equal(performed.expected('1.2'), undefined);
});

test('performed: an exam that has ended tells how many instances each series has', async (t) => {
  const { put, performed, folder } = await place(t);
  const going = examRecord({ state: 'IN PROGRESS', series: [series('1.2', 1)] });
  await put('1.1.json', encodeExamRecord(going));
  assert.equal(await performed.refresh(), true);
  assert.equal(performed.expected('1.2'), undefined);
  await put('1.1.json', encodeExamRecord(examRecord({ series: [series('1.2', 10, 2), series('1.3', 5)] })));
  assert.equal(await performed.refresh(), true);
  assert.deepEqual([performed.expected('1.2'), performed.expected('1.3')], [12, 5]);
  assert.equal(await performed.refresh(), false);
  await unlink(join(folder, '1.1.json'));
  assert.equal(await performed.refresh(), true);
  assert.equal(performed.expected('1.2'), undefined);
});

test('performed: of a large file the images’ names are left out', async (t) => {
  const { put, performed } = await place(t);
  const attributes = {
    '00400340': { vr: 'SQ', Value: Array.from({ length: 20_000 }, (_, i) => `1.2.3.${i}`) },
  };
  await put('1.1.json', encodeExamRecord(examRecord({ series: [series('1.2', 20_000)], attributes })));
  await performed.refresh();
  assert.equal(performed.expected('1.2'), 20_000);
});

test('performed: a file that is no record is told once, and the others count', async (t) => {
  const { put, performed, folder, told } = await place(t);
  await put('1.1.json', encodeExamRecord(examRecord({ series: [series('1.2', 3)] })));
  await put('1.9.json', '{"version":1');
  await writeFile(join(folder, '.1.1.json.1.abcdefabcdef.tmp'), 'half');
  await performed.refresh();
  await performed.refresh();
  assert.equal(performed.expected('1.2'), 3);
  assert.deepEqual(told, ['1.9.json: not JSON: SyntaxError']);
});
