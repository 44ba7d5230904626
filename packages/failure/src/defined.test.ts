import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defined, given } from './defined.ts';

test('defined: keeps what is there, null, false and 0 included, in order; undefined leaves no key', () => {
  const kept = defined({ a: undefined, b: 0, c: false, d: null, e: '', f: undefined, g: 1 });
  assert.deepEqual(Object.keys(kept), ['b', 'c', 'd', 'e', 'g']);
  assert.deepEqual(kept, { b: 0, c: false, d: null, e: '', g: 1 });
  assert.deepEqual({ x: 1, ...defined({ x: undefined }) }, { x: 1 });
});

test('defined: an optional property takes it, and a property of another type does not', () => {
  interface Options {
    readonly limit?: number;
  }
  const limit = [1, 2].find((one) => one > 5);
  const options: Options = { ...defined({ limit }) };
  // @ts-expect-error a text is no limit
  const wrong: Options = { ...defined({ limit: String(limit) }) };
  assert.deepEqual([options, wrong], [{}, { limit: 'undefined' }]);
});

test('given: makes something of a value, falsy ones included, and nothing of undefined', () => {
  const double = (n: number): number => n * 2;
  assert.deepEqual(
    [4, 0, undefined].map((n) => given(n, double)),
    [8, 0, undefined],
  );
  assert.deepEqual({ ...given(undefined, (n) => ({ n })) }, {});
});
