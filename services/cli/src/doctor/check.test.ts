import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ok, runChecks, type Check } from '@scanflow/transfer/doctor/check';
import { resultsText } from './results.ts';
import { chosen } from '../commands/doctor.ts';

const well: Check = { name: 'well', run: () => Promise.resolve(ok('it is well')) };

test('checks: one that hangs, and one that throws, are failures like others, in their order', async () => {
  const checks: Check[] = [
    { name: 'hangs', run: () => new Promise(() => undefined) },
    { name: 'throws', run: () => Promise.reject(new Error('unforeseen')) },
    well,
  ];
  const { signal } = new AbortController();
  // what hangs keeps nothing alive here, and the limit's timer neither
  const alive = setInterval(() => undefined, 1_000);
  const results = await runChecks(checks, { timeoutMs: 200, signal });
  clearInterval(alive);
  assert.deepEqual(
    results.map(({ check, state, message }) => [check, state, message]),
    [
      ['hangs', 'failed', 'no answer within 0.2 s'],
      ['throws', 'failed', 'unforeseen'],
      ['well', 'ok', 'it is well'],
    ],
  );
});

test('checks: never more than eight at a time', async () => {
  let now = 0;
  let most = 0;
  const check = (index: number): Check => ({
    name: `check ${index}`,
    run: async () => {
      most = Math.max(most, (now += 1));
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      return ok('done');
    },
  });
  const checks = Array.from({ length: 30 }, (_, index) => check(index));
  const results = await runChecks(checks, { timeoutMs: 60_000, signal: new AbortController().signal });
  assert.equal(results.length, 30);
  assert.equal(most, 8);
});

test('checks: the last line is true of warnings and of what was skipped', () => {
  const last = (...states: readonly ('ok' | 'warning' | 'failed' | 'skipped')[]): string | undefined =>
    resultsText(
      states.map((state) => ({ check: 'one', state, message: 'it says so' })),
      { colours: false, columns: 100 },
    )
      .trimEnd()
      .split('\n')
      .at(-1);
  assert.equal(last('ok', 'ok'), 'Nothing is wrong: 2 ok');
  assert.equal(last('ok', 'skipped'), 'Nothing is wrong with what was checked: 1 ok, 1 skipped');
  assert.equal(last('warning', 'ok'), 'Works, with 1 warning: 1 ok');
  assert.equal(last('warning', 'warning', 'ok', 'skipped'), 'Works, with 2 warnings: 1 ok, 1 skipped');
  assert.equal(last('warning'), 'Works, with 1 warning');
  assert.equal(last('warning', 'warning', 'failed'), 'Something is wrong: 1 failed, 2 warnings');
  assert.equal(last('warning', 'failed', 'skipped'), 'Something is wrong: 1 failed, 1 warning, 1 skipped');
});

test('checks: they stop when the person does', async () => {
  const stop = new AbortController();
  const running = runChecks([{ name: 'hangs', run: () => new Promise(() => undefined) }], {
    timeoutMs: 60_000,
    signal: stop.signal,
  });
  stop.abort(new Error('stopped by SIGINT'));
  await assert.rejects(running, /stopped by SIGINT/);
});

test('checks: they are chosen by name, by a word of it, or by the word for all of them', () => {
  const checks = ['storage', 'destination pacs', 'destination archive', 'worklist', 'worklist prisma'].map(
    (name) => ({
      ...well,
      name,
    }),
  );
  const names = (...wanted: string[]): unknown => {
    const found = chosen(checks, wanted);
    return 'unknown' in found ? found : found.map(({ name }) => name);
  };
  assert.equal((names() as unknown[]).length, 5);
  assert.deepEqual(names('destinations'), ['destination pacs', 'destination archive']);
  assert.deepEqual(names('pacs', 'storage'), ['storage', 'destination pacs']);
  assert.deepEqual(names('worklist'), ['worklist', 'worklist prisma']);
  assert.deepEqual(names('worklist prisma'), ['worklist prisma']);
  assert.deepEqual(names('pac'), { unknown: 'pac' });
});

test('checks: as text, what to do stands below, and nothing steers the terminal', () => {
  const text = resultsText(
    [
      { check: 'storage', state: 'ok', message: 'fine' },
      {
        check: 'destination pacs',
        state: 'failed',
        message: 'a\u001b[2Jb said no',
        todo: 'Ask them to do something about all of it',
        code: 'DEST_REJECTED',
      },
    ],
    { colours: false, columns: 70 },
  );
  assert.equal(
    text,
    [
      'ok       storage           fine',
      'FAILED   destination pacs  ab said no (DEST_REJECTED)',
      '                           → Ask them to do something about all of it',
      '',
      'Something is wrong: 1 failed, 1 ok',
      '',
    ].join('\n'),
  );
});
