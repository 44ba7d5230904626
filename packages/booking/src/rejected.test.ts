import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRejected } from './rejected.ts';

test('rejected: what it names, whatever else is in the file', () => {
  const text = '{"rejected":[null,{"calendar":"p"},{"calendar":"p","uid":"a","code":"X"}]}';
  assert.deepEqual(
    parseRejected(text).map(({ uid }) => uid),
    ['a'],
  );
  for (const odd of ['', 'null', '[]', '{"rejected":1}']) assert.deepEqual(parseRejected(odd), []);
});
