import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError, address, readArgs, wholeNumber } from './command.ts';

test('address: AET@host:port', () =>
  assert.deepEqual(address('to', 'PACS@pacs.example.org:104'), {
    aet: 'PACS',
    host: 'pacs.example.org',
    port: 104,
  }));

test('address: an IPv6 host loses its brackets', () =>
  assert.deepEqual(address('to', 'PACS@[::1]:104'), { aet: 'PACS', host: '::1', port: 104 }));

test('address: the default AE title serves where one may be left out', () =>
  assert.equal(address('worklist', '127.0.0.1:11112', 'SCANFLOW').aet, 'SCANFLOW'));

for (const wrong of [
  '',
  'host',
  'host:0',
  'A@host:65536',
  'A@:104',
  '@host:104',
  'SEVENTEEN_LETTERS@host:104',
])
  test(`address: ${wrong} is refused`, () => assert.throws(() => address('to', wrong), UsageError));

test('address: without a default the AE title must be given', () =>
  assert.throws(() => address('to', 'host:104'), /AET@host:port/));

test('wholeNumber: absent gives the default', () =>
  assert.equal(wholeNumber('images', undefined, { min: 1, max: 9, otherwise: 5 }), 5));

for (const wrong of ['0', '10', '1.5', '-1', 'x', '', '1e1'])
  test(`wholeNumber: '${wrong}' is refused with the range`, () =>
    assert.throws(() => wholeNumber('images', wrong, { min: 1, max: 9, otherwise: 5 }), /from 1 to 9/));

test('readArgs: an unknown option is a usage error', () =>
  assert.throws(() => readArgs(['--nonsense'], {}), UsageError));

test('readArgs: one argument too many is a usage error', () =>
  assert.throws(() => readArgs(['a', 'b'], {}, 1), /one argument too many: b/));
