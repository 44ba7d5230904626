import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileName, folderNames, keywordsOf, parseLayout, homeOf } from './layout.ts';

const DEFAULT =
  '{project}/raw/{subject}/{session}/{SeriesNumber:3}-{SeriesDescription}/{InstanceNumber:5}_{SOPInstanceUID}.dcm';

const from =
  (values: Readonly<Record<string, string>>) =>
  (keyword: string): string | undefined =>
    values[keyword];

test('layout: the default one', () => {
  const layout = parseLayout(DEFAULT);
  const values = from({
    project: '3010000.01',
    subject: 'sub-001',
    session: 'ses-mri01',
    SeriesNumber: '3',
    SeriesDescription: 't1 mprage <sag>',
    InstanceNumber: '12',
    SOPInstanceUID: '1.2.3',
  });
  assert.deepEqual(folderNames(layout, values), [
    '3010000.01',
    'raw',
    'sub-001',
    'ses-mri01',
    '003-t1_mprage_sag',
  ]);
  assert.equal(fileName(layout, values), '00012_1.2.3.dcm');
  assert.deepEqual(keywordsOf(layout).slice(0, 4), ['project', 'subject', 'session', 'SeriesNumber']);
});

test('layout: BIDS labels', () => {
  const layout = parseLayout('{project}/sourcedata/{subject:bids}/{session:bids}/{SOPInstanceUID}.IMA');
  const values = from({ project: 'p', subject: 'sub001', session: 'mri_1', SOPInstanceUID: '1.2' });
  assert.match(folderNames(layout, values).join('/'), /^p\/sourcedata\/sub-001\/ses-mri1x[0-9a-f]{8}$/);
  assert.equal(fileName(layout, values), '1.2.IMA');
  assert.deepEqual(keywordsOf(layout), ['project', 'subject', 'session', 'SOPInstanceUID']);
});

test('layout: templates that cannot be', () => {
  for (const template of [
    '',
    'file.dcm',
    '/a/b',
    'a//b',
    '../{V}',
    'a/./b',
    'a/{b',
    'a/b}',
    'a/{}',
    'a/{B:x}',
    'a/{B:bids}',
    'a/{project:bids}',
  ])
    assert.throws(() => parseLayout(template), /the layout/, template);
});

const homes = ['3010000.01', '3010*', '30*.02', '*x*y*'].map((projects) => ({
  projects,
  root: projects,
  layout: 0,
}));

test('home: the label itself, then the longest that fits', () => {
  const cases: readonly (readonly [string | undefined, string | undefined])[] = [
    ['3010000.01', '3010000.01'],
    ['3010000.02', '30*.02'],
    ['3010000.03', '3010*'],
    ['3010', '3010*'],
    ['3020000.02', '30*.02'],
    ['30.02', '30*.02'],
    ['30.0', undefined],
    ['4010000.01', undefined],
    ['axbyc', '*x*y*'],
    ['xy', '*x*y*'],
    ['yx', undefined],
    [undefined, undefined],
  ];
  for (const [project, root] of cases) assert.equal(homeOf(project, homes)?.root, root, String(project));
});

test('home: many stars take no time', () => {
  const slow = [{ projects: '*a'.repeat(30) + 'b', root: '/r', layout: 0 }];
  assert.equal(homeOf('a'.repeat(10_000), slow), undefined);
});
