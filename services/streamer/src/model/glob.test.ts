import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fits } from './glob.ts';

test('glob: the whole text, with stars for anything', () => {
  const cases: readonly (readonly [glob: string, text: string, expected: boolean])[] = [
    ['t1', 't1', true],
    ['t1', 't1_mprage', false],
    ['t1*', 't1_mprage', true],
    ['*mprage', 't1_mprage', true],
    ['*_mp*', 't1_mprage', true],
    ['*', '', true],
    ['', '', true],
    ['a*a', 'a', false],
    ['a*b*c', 'acb', false],
    ['a.c', 'abc', false],
    ['**', 'x', true],
  ];
  for (const [glob, text, expected] of cases) assert.equal(fits(glob, text), expected, `${glob} ${text}`);
});
