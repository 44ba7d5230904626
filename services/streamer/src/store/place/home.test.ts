import assert from 'node:assert/strict';
import { test } from 'node:test';
import { homeOf } from './home.ts';

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
