import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeNotices, judgePauses, judgeReports, type RefusedReport } from './stuck.ts';

const report = (callingAet: string, status: string): RefusedReport => ({
  operation: 'N-SET',
  callingAet,
  status,
  comment: 'Another AE title created this step',
});

test('doctor: a console that ends exams under another AE title is named, with the key that admits it', () => {
  const found = [
    judgeReports([report('CONSOLE', '0124'), report('CONSOLE', '0124'), report('PRISMA', '0112')]),
  ].flat();
  assert.deepEqual(
    found.map(({ state }) => state),
    ['warning', 'warning'],
  );
  assert.match(found[0]?.message ?? '', /N-SET of CONSOLE was refused 2 times with 0124/);
  assert.match(found[0]?.todo ?? '', /add it to scanners\.NAME\.sends/);
  assert.match(found[1]?.message ?? '', /PRISMA was refused once with 0112/);
  assert.doesNotMatch(found[1]?.todo ?? '', /sends/);
});

test('doctor: a paused destination is named with who, why, and how to resume it', () => {
  const paused = { since: '2026-11-28T13:02:00Z', by: 'anna', reason: 'update', waiting: 12 };
  const [found, ...others] = judgePauses(
    [{ name: 'pacs', paused }, { name: 'research' }],
    'Europe/Amsterdam',
  );
  assert.equal(found?.state, 'warning');
  assert.match(
    found.message,
    /pacs is paused since 2026-11-28 14:02:00\+01:00 by anna: update \(12 series wait\)/,
  );
  assert.match(found.todo ?? '', /scanflow destination resume pacs/);
  assert.deepEqual(others, []);
  assert.equal(judgePauses([{ name: 'pacs' }], 'UTC')[0]?.state, 'ok');
});

test('doctor: no refused report is no warning', () => {
  assert.equal([judgeReports([])].flat()[0]?.state, 'ok');
});

test('notices: a line for each channel and reason, with what to do; what was given up long ago is over', () => {
  const now = Temporal.Instant.from('2026-11-30T12:00:00Z');
  const failure = { code: 'NOTICE_DENIED', message: 'Correct the password.' };
  const row = (state: string, channel = 'mail', updated = '2026-11-30T11:00:00Z') => ({
    ...{ channel, state, updated, failure },
  });
  const fresh = { channel: 'mail', state: 'pending', updated: '2026-11-30T11:00:00Z' };
  const all = [
    row('pending'),
    row('pending', 'mail', '2026-11-28T11:00:00Z'),
    row('failed', 'ops'),
    row('done'),
    fresh,
  ];
  assert.deepEqual(
    judgeNotices(all, now).map(({ state, message }) => [state, message]),
    [
      ['warning', '2 notices by mail waiting'],
      ['warning', '1 notices by ops given up'],
    ],
  );
  const old = row('failed', 'ops', '2026-11-29T11:00:00Z');
  assert.deepEqual(
    judgeNotices([fresh, old], now).map(({ state }) => state),
    ['ok'],
  );
});
