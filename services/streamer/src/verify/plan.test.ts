import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freshRecord, storedInstance } from '@scanflow/testkit/streamer';
import type { SeriesRecord } from '../store/types.ts';
import { filesOf, isOver, isPlainName, judge, nextDue, recordedOutcome, saysTheSame } from './plan.ts';
import { Pacer } from './rounds.ts';

const record: SeriesRecord = {
  ...freshRecord('one'),
  state: 'stored',
  instances: ['a.dcm', 'b.dcm', 'a.dcm'].map((file) => storedInstance(file, file)),
  archive: { file: 'series.tar', sha256: '', bytes: 1 },
};
const SEEN = { files: 3, bytes: 11 };

test('verify plan: every file is looked at once, and only names of the own folder are', () => {
  assert.deepEqual(
    filesOf(record).map(({ file }) => file),
    ['a.dcm', 'b.dcm', 'series.tar'],
  );
  for (const bad of ['', '.', '..', '../a', '/etc/passwd', 'a\\b', 'a\0'])
    assert.equal(isPlainName(bad), false, bad);
  assert.equal(isPlainName('..a.dcm'), true);
});

test('verify plan: what is changed is said first, then what is missing, old, or cannot be read', () => {
  const code = (kinds: ('missing' | 'changed' | 'unreadable')[], stored = 3): string | undefined =>
    judge(
      record,
      kinds.map((kind, index) => ({ file: `${index}`, kind })),
      SEEN,
      stored,
    ).failure?.code;
  assert.equal(code([]), undefined);
  assert.equal(code(['unreadable']), 'VERIFY_UNREADABLE');
  assert.equal(code(['unreadable'], 4), 'VERIFY_RECORD_OLD');
  assert.equal(code(['missing', 'unreadable'], 4), 'VERIFY_MISSING');
  assert.equal(code(['missing', 'changed'], 4), 'VERIFY_CHANGED');
  const many = Array.from({ length: 60 }, (_, index) => ({ file: `${index}`, kind: 'missing' as const }));
  const [all, most] = [judge(record, many, SEEN, 3), judge(record, many.slice(0, 59), SEEN, 3)];
  assert.equal(all.findings.length, 50);
  assert.notEqual(all.digest, most.digest, 'files beyond those that are named are not told apart');
});

test('verify plan: when it is next, and when it ends', () => {
  const stored = 1_000;
  assert.equal(nextDue({ stored }, { every: undefined, until: undefined }, 5_000), null);
  assert.equal(nextDue({ stored }, { every: 100, until: undefined }, 5_000), 5_100);
  assert.equal(nextDue({ stored }, { every: 100, until: 4_100 }, 5_000), 5_100);
  assert.equal(nextDue({ stored }, { every: 100, until: 4_099 }, 5_000), null);
  assert.equal(isOver({ stored }, { every: 100, until: 4_000 }, 5_000), false);
  assert.equal(isOver({ stored }, { every: 100, until: 3_999 }, 5_000), true);
});

test('verify plan: series.json is written anew only where the outcome changes', () => {
  const good = recordedOutcome({ failure: undefined, findings: [] }, undefined);
  assert.equal(saysTheSame(record, good), true);
  const look = judge(record, [{ file: 'a.dcm', kind: 'missing' }], SEEN, 3);
  const bad = recordedOutcome(look, undefined);
  assert.equal(saysTheSame(record, bad), false);
  const noted = { ...record, verification: { ...bad, since: 'then' } };
  assert.equal(saysTheSame(noted, bad), true);
  assert.equal(saysTheSame(noted, good), false);
  const known = recordedOutcome(look, { by: 'somebody', at: 0, reason: 'moved' });
  assert.equal(saysTheSame(noted, known), false);
});

test('verify pacer: reading takes ten times as long while images arrive', async () => {
  let now = 0;
  let storing = false;
  const never = new AbortController();
  const pacer = new Pacer(
    { bytesPerSecond: 1_000 },
    () => Promise.resolve(storing),
    () => now,
  );
  await pacer.bytes(1_000, never.signal);
  // the bucket is empty: what follows waits
  storing = true;
  now = 2_000;
  const began = performance.now();
  await pacer.bytes(110, never.signal);
  assert.ok(performance.now() - began >= 90, 'it does not wait for ten times as many bytes');
});
