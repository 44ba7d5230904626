import assert from 'node:assert/strict';
import { test } from 'node:test';
import { destinationTable } from './destination.ts';

test('destination: a line for each, with who paused it and why; nothing that a terminal would carry out', () => {
  assert.equal(destinationTable([]), 'no destination is configured\n');
  const paused = { since: '2026-11-28T13:02:00Z', by: 'anna', reason: 'disk\u001b[31m is full', waiting: 12 };
  const table = destinationTable([{ name: 'pacs', paused }, { name: 'research' }], 'Europe/Amsterdam');
  assert.match(table, /^NAME +STATE +SINCE +BY +WAITING +REASON$/m);
  assert.match(table, /^pacs +paused +2026-11-28 14:02:00\+01:00 +anna +12 +disk.* is full$/m);
  assert.match(table, /^research +open/m);
  assert.ok(!table.includes('\u001b'));
});
