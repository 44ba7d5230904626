import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArchiveGuard, printable } from './archives.ts';
import { ArchiveError } from './found.ts';

test('guard: too many files, too many bytes and too good a compression are told apart', () => {
  const limits = { entries: 2, bytes: 300_000_000, ratio: 10 };
  const many = new ArchiveGuard(1, limits);
  many.entry();
  many.entry();
  assert.throws(() => many.entry(), /more than 2 files/);
  assert.throws(() => new ArchiveGuard(1e9, limits).unpacked(300_000_001), ArchiveError);
  assert.throws(() => new ArchiveGuard(10_000_000, limits).unpacked(100_000_001), /10 times/);
  // below 64 MiB nobody minds
  new ArchiveGuard(1, limits).unpacked(60_000_000);
});

test('printable: nothing steers a terminal', () => {
  assert.equal(printable('a\u001b[2Jb\r\nc\u202e'), 'a?[2Jb??c?');
});
