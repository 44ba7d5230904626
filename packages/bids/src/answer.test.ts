import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerText, fewKept, joinResults, readAnswer, verdictText, type BidsResult } from './answer.ts';

const RESULT: BidsResult = {
  state: 'published',
  dataset: '/project/p/bids',
  folder: 'sub-01/ses-01',
  verdict: 'valid',
  errorCount: 0,
  warningCount: 0,
  errors: [],
  warnings: [],
  counts: { series: 2, converted: 2, failed: 0, left: 0, files: 4, images: 20 },
  conflicts: [],
  failed: [],
  kept: [],
  versions: { dcm2niix: 'v1' },
};

test('answer: what is written is read, and other texts are none', () => {
  assert.deepEqual(readAnswer(answerText({ ok: true, result: RESULT })), { ok: true, result: RESULT });
  const failure = { kind: 'permanent', code: 'BIDS_X', message: 'm' } as const;
  assert.deepEqual(readAnswer(answerText({ ok: false, failure })), { ok: false, failure });
  for (const text of [
    '',
    'x',
    '[]',
    '{}',
    '{"ok":true}',
    '{"ok":true,"result":{}}',
    '{"ok":false,"failure":{}}',
  ])
    assert.equal(readAnswer(text), undefined, text);
});

test('answer: lists are cut to fit, counts stay', () => {
  const issue = {
    code: 'E',
    message: 'ü'.repeat(3_000),
    count: 9,
    files: Array.from({ length: 50 }, () => 'f'),
  };
  const errors = Array.from({ length: 500 }, () => issue);
  const text = answerText({ ok: true, result: { ...RESULT, verdict: 'invalid', errorCount: 500, errors } });
  assert.ok(Buffer.byteLength(text) <= 8_000);
  const read = readAnswer(text);
  assert.ok(read?.ok === true && read.result.errors.length > 0);
  assert.equal(read.result.errorCount, 500);
});

test('answer: a failure of one part has its project and the others, cut to fit', () => {
  const failure = { kind: 'permanent', code: 'BIDS_X', message: 'm' } as const;
  const answer = { ok: false, failure, project: 'q', result: RESULT } as const;
  assert.deepEqual(readAnswer(answerText(answer)), answer);
  const kept = Array.from({ length: 500 }, () => ({ path: 'p'.repeat(300), why: 'not ours' }));
  const text = answerText({ ...answer, result: { ...RESULT, kept } });
  assert.ok(Buffer.byteLength(text) <= 8_000);
  assert.equal(readAnswer(text)?.result?.folder, RESULT.folder);
});

test('answer: files of people fit into what the streamer reads, and the rest is counted', () => {
  assert.deepEqual(fewKept(['a', 'b']), ['a', 'b']);
  const many = Array.from(
    { length: 30_000 },
    (_, index) => `sub-001/ses-01/extra/${'ü'.repeat(50)}-${index}`,
  );
  const few = fewKept(many);
  assert.ok(Buffer.byteLength(JSON.stringify(few)) < 300_000);
  assert.equal(few.at(-1), `… and ${30_000 - few.length + 1} more`);
});

test('answer: the verdict in a few words', () => {
  assert.equal(verdictText(RESULT), 'valid');
  const counts = { ...RESULT.counts, failed: 1, left: 2 };
  assert.equal(
    verdictText({ ...RESULT, verdict: 'invalid', errorCount: 1, warningCount: 3, counts }),
    'invalid (1 error, 3 warnings, 1 series failed, 2 left)',
  );
  const { verdict: _, ...none } = RESULT;
  assert.equal(verdictText({ ...none, state: 'empty' }), 'nothing to convert');
});

test('parts of a session: the worst comes first, and one without a dataset hides none that has a verdict', () => {
  const { verdict: _, ...rest } = RESULT;
  const none: BidsResult = { ...rest, state: 'not configured', folder: '' };
  const valid: BidsResult = { ...RESULT, folder: 'sub-1' };
  const invalid: BidsResult = { ...RESULT, folder: 'sub-2', verdict: 'invalid', errorCount: 1 };
  const order = (...all: BidsResult[]): string[] => {
    const one = joinResults(all, []);
    return [one, ...(one?.also ?? [])].map((part) => part?.folder ?? '?');
  };
  assert.deepEqual(order(none, valid, invalid), ['sub-2', 'sub-1', '']);
  assert.deepEqual(order(none, valid), ['sub-1', '']);
  assert.deepEqual(order(valid), ['sub-1']);
  assert.equal(joinResults([], []), undefined);
});
