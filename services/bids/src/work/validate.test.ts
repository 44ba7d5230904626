import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readVerdict } from './validate.ts';

test('a verdict in the form of bids-validator 1.x: issues with their files', () => {
  const issue = (key: string, files: number): object => ({
    key,
    reason: `${key}.`,
    code: 1,
    additionalFileCount: 2,
    files: Array.from({ length: files }, (_, index) => ({
      file: { relativePath: `/sub-01/anat/${index}.nii.gz` },
      evidence: index === 0 ? 'its own words' : null,
    })),
  });
  const text = JSON.stringify({
    issues: { errors: [issue('Z_LAST', 30), issue('A_FIRST', 1)], warnings: [issue('W', 0)], ignored: [] },
    summary: {},
  });
  const verdict = readVerdict(`(node:1) Warning\n${text}`, '/data');
  assert.equal(verdict?.verdict, 'invalid');
  assert.deepEqual(
    verdict.errors.map(({ code, count, files }) => [code, count, files.length]),
    [
      ['A_FIRST', 3, 1],
      ['Z_LAST', 32, 20],
    ],
  );
  assert.deepEqual(verdict.errors[0], {
    code: 'A_FIRST',
    message: 'A_FIRST. its own words',
    count: 3,
    files: ['sub-01/anat/0.nii.gz'],
  });
  assert.deepEqual(verdict.warnings, [{ code: 'W', message: 'W.', count: 2, files: [] }]);
});

test('a verdict in the form of the schema-based validator: an issue of each file', () => {
  const text = JSON.stringify({
    issues: {
      issues: [
        { code: 'NOT_INCLUDED', location: '/sub-01/b.txt', severity: 'error' },
        { code: 'NOT_INCLUDED', location: '/sub-01/a.txt', severity: 'error' },
        {
          code: 'SIDECAR_KEY_RECOMMENDED',
          subCode: 'B0FieldSource',
          location: '/x.json',
          severity: 'warning',
          issueMessage: 'Field.',
        },
        { code: 'IGNORED', location: '/y', severity: 'ignore' },
      ],
      codeMessages: { NOT_INCLUDED: 'Files with such naming scheme are not part of BIDS.' },
    },
    summary: {},
  });
  assert.deepEqual(readVerdict(text, '/data'), {
    verdict: 'invalid',
    errors: [
      {
        code: 'NOT_INCLUDED',
        message: 'Files with such naming scheme are not part of BIDS.',
        count: 2,
        files: ['sub-01/a.txt', 'sub-01/b.txt'],
      },
    ],
    warnings: [
      { code: 'SIDECAR_KEY_RECOMMENDED.B0FieldSource', message: 'Field.', count: 1, files: ['x.json'] },
    ],
  });
  assert.equal(readVerdict('{"issues":{"issues":[],"codeMessages":{}}}', '/data')?.verdict, 'valid');
});

test('what is no verdict is none', () => {
  for (const text of ['', 'Segmentation fault', '{', '{}', '[]', '{"issues":{}}', '{"issues":{"errors":[]}}'])
    assert.equal(readVerdict(text, '/data'), undefined, text);
});
