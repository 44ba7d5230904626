import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getSystemErrorName } from 'node:util';
import { codeOf } from '@scanflow/failure';
import { failureOf } from './failure.ts';

const systemError = (number: number): Error =>
  Object.assign(new Error('it failed'), { code: getSystemErrorName(number), errno: number });

test('failure: quota and stale handles, for which Node has no names, are told by their number', () => {
  assert.match(getSystemErrorName(-122), /^Unknown/, 'Node has a name now: LINUX in failure.ts can go');
  for (const [number, errno, code] of [
    [-122, 'EDQUOT', 'STORE_QUOTA'],
    [-116, 'ESTALE', 'STORE_STALE'],
    [-28, 'ENOSPC', 'STORE_DISK_FULL'],
  ] as const) {
    const error = systemError(number);
    assert.equal(codeOf(error), errno);
    const { kind, code: given } = failureOf(error);
    assert.deepEqual([kind, given], ['transient', code]);
  }
});

test('failure: what nobody foresaw is tried again, and tells no path', () => {
  const { kind, code, message } = failureOf(
    Object.assign(new Error("ENOLCK: open '/project/somebody'"), { code: getSystemErrorName(-37) }),
  );
  assert.deepEqual([kind, code], ['transient', 'UNEXPECTED']);
  assert.doesNotMatch(message, /somebody/);
});
