import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig, type Config } from '@scanflow/config';
import { datasetOf, readRemoval, readRequest, sessionOf } from './request.ts';

function configured(bids: string): Config {
  const text = [
    'facility: { name: Here, timezone: Europe/Amsterdam }',
    'data: /data',
    'scanners: { prisma: { aet: PRISMA, modality: MR } }',
    'orthanc: { url: http://orthanc:8042 }',
    'storage: { root: /project, projects: { q: { root: /other/ } } }',
    `bids: ${bids}`,
  ].join('\n');
  const parsed = parseConfig(text, 'f');
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.config;
}

const REQUEST = {
  id: 'abc',
  project: 'p',
  subject: 'sub-01',
  session: 'ses-01',
  accessionNumber: 'A1',
  root: '/project',
  series: [{ id: 's1', folder: '/project/p/raw/sub-01/ses-01/001-t1' }],
};

test('request: folders become relative to their root', () => {
  const config = configured('{}');
  const dataset = datasetOf('p', '/project', config);
  assert.deepEqual(dataset, { root: '/project/p/bids', rules: undefined });
  assert.deepEqual(sessionOf(readRequest(REQUEST), '/project/p/bids', config).series, [
    { id: 's1', folder: 'p/raw/sub-01/ses-01/001-t1' },
  ]);
  assert.equal(datasetOf('q', '/other', config)?.root, '/other/q/bids');
  assert.equal(datasetOf('p', '/project', configured('{ projects: [q] }')), undefined);
});

test('request: what leads outside of the roots is refused', () => {
  const config = configured('{}');
  const refused = { code: 'BIDS_REQUEST' };
  assert.throws(() => datasetOf('p', '/etc', config), refused);
  for (const folder of ['/etc', '/project', '/project/../etc', 'p/raw', '/projects/p'])
    assert.throws(
      () => sessionOf(readRequest({ ...REQUEST, series: [{ id: 's', folder }] }), '/project/p/bids', config),
      refused,
      folder,
    );
  for (const project of ['..', '.', 'a/b', '', 'a\0'])
    assert.throws(() => readRequest({ ...REQUEST, project }), refused, project);
  for (const body of [undefined, [], 'x', {}, { ...REQUEST, series: [] }, { ...REQUEST, series: [1] }])
    assert.throws(() => readRequest(body), refused);
});

test('removal: its series are read, and nothing else is taken for them', () => {
  const removal = { project: 'p', subject: 'sub-01', session: '', root: '/project', erased: false };
  assert.deepEqual(readRemoval({ ...removal, accessionNumber: '', series: ['s1'] }), {
    ...{ ...removal, accessionNumber: '', series: ['s1'] },
  });
  assert.deepEqual(readRemoval(removal), removal);
  for (const series of ['s1', [1], {}, null, Array.from({ length: 10_001 }, () => 's')])
    assert.throws(() => readRemoval({ ...removal, series }), { code: 'BIDS_REQUEST' });
});
