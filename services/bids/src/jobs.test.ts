import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseConfig } from '@scanflow/config';
import { recoverAll } from './jobs.ts';

test('start: a session that a killed service had out of its dataset comes back, and a broken journal stops nothing', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'scanflow-bids-'));
  t.after(() => rm(root, { recursive: true }));
  const [folder, aside] = ['sub-001/ses-1', '.scanflow/aside-sub-001_ses-1-0123456789ab'];
  const dataset = join(root, 'good', 'bids');
  await mkdir(join(dataset, aside, 'dataset', folder, 'anat'), { recursive: true });
  await writeFile(join(dataset, aside, 'dataset', folder, 'anat', 'sub-001_ses-1_T1w.json'), '{}');
  for (const [project, text] of [
    ['broken', '{'],
    ['good', JSON.stringify({ folder, aside, out: `${aside}-out`, disposable: {} })],
  ] as const) {
    const journal = join(root, project, 'bids/.scanflow/journal');
    await mkdir(journal, { recursive: true });
    await writeFile(join(journal, 'sub-001_ses-1.json'), text);
  }
  const yaml = JSON.stringify({
    facility: { name: 'Here', timezone: 'UTC' },
    data: join(root, '..', 'data'),
    scanners: { prisma: { aet: 'PRISMA', modality: 'MR' } },
    orthanc: { url: 'http://127.0.0.1:8042' },
    storage: { root },
    bids: {},
  });
  const read = parseConfig(yaml, 'scanflow.yaml');
  assert.ok(read.ok, JSON.stringify(read));
  const { bids } = read.config;
  assert.ok(bids !== undefined);
  const faults: unknown[] = [];
  await recoverAll({ ...read.config, bids }, (error) => faults.push(error), t.signal);
  assert.equal(await readFile(join(dataset, folder, 'anat/sub-001_ses-1_T1w.json'), 'utf8'), '{}');
  assert.equal(faults.length, 1);
});
