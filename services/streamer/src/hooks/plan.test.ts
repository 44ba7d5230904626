import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environmentOf, fillArguments, hookRetry, wants } from './plan.ts';

test('hook: fields are filled in, each within its own argument', () => {
  const fields = { event: 'stored', folder: '/p/a b; rm -rf $HOME', subject: "o'x" };
  const filled = fillArguments(
    ['/bin/x', '-o', '{folder}/nifti', '--sub={subject}', '{session}', '{}'],
    fields,
  );
  assert.deepEqual(filled, {
    ok: true,
    command: ['/bin/x', '-o', '/p/a b; rm -rf $HOME/nifti', "--sub=o'x", '', '{}'],
  });
});

test('hook: a value that would become an option, or holds NUL, is refused', () => {
  for (const subject of ['-rf', 'a\0b']) {
    const filled = fillArguments(['/bin/x', '{subject}'], { event: 'stored', subject });
    assert.equal(filled.ok ? '' : filled.failure.code, 'HOOK_ARGUMENT');
  }
  assert.ok(fillArguments(['/bin/x', '--a={subject}'], { event: 'stored', subject: '-rf' }).ok);
});

test('hook: environment variables have the fields’ names in capitals', () => {
  assert.deepEqual(environmentOf({ event: 'stored', seriesInstanceUid: '1.2', accessionNumber: 'A\0' }), {
    SCANFLOW_EVENT: 'stored',
    SCANFLOW_SERIES_INSTANCE_UID: '1.2',
    SCANFLOW_ACCESSION_NUMBER: 'A',
  });
});

test('hook: its events and modalities', () => {
  const hook = { on: ['stored', 'complete'], when: { modality: ['MR'] } } as const;
  assert.equal(wants(hook, 'stored', 'MR'), true);
  assert.equal(wants(hook, 'stored', 'CT'), false);
  assert.equal(wants(hook, 'failed', 'MR'), false);
  assert.equal(wants(hook, 'complete', undefined), true);
});

test('hook: tried again twice as late each time, so often and no more; a refusal not at all', () => {
  const waits = [1, 2, 3, 4].map((n) => hookRetry({ kind: 'transient' }, n, { retries: 3, jitter: 0.5 }));
  assert.deepEqual(waits, [10_000, 20_000, 40_000, undefined]);
  assert.equal(hookRetry({ kind: 'permanent' }, 1, { retries: 3, jitter: 0.5 }), undefined);
  assert.equal(hookRetry({ kind: 'transient' }, 1, { retries: 3, jitter: 0.5, askedMs: 60_000 }), 60_000);
  assert.equal(hookRetry({ kind: 'transient' }, 1, { retries: 0, jitter: 0.5 }), undefined);
});
