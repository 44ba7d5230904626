/** docs/failures.md names every code that the product gives, and no other. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '@scanflow/testkit';
import { codesInPage, codesInSource } from './failure-codes.ts';

/** Texts of the same form that are no codes of ours, and what they are. */
const NOT_OURS: Readonly<Record<string, readonly string[]>> = {
  'errors of Node.js, OpenSSL, zlib and undici': [
    'ABORT_ERR',
    'EAI_AGAIN',
    'ERR_BUFFER_TOO_LARGE',
    'ERR_MODULE_NOT_FOUND',
    'ERR_SCRIPT_EXECUTION_TIMEOUT',
    'ERR_SQLITE',
    'ERR_STREAM_PREMATURE_CLOSE',
    'ERR_TLS_HANDSHAKE_TIMEOUT',
    'ERR_WORKER_OUT_OF_MEMORY',
    'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
    'UND_ERR_SOCKET',
    'Z_BUF_ERROR',
  ],
  'cipher suites': ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
  'names within DICOM': ['SCANFLOW_010', 'YBR_FULL'],
  'variables of the environment': [
    ...['LOG_FORMAT', 'XDG_STATE_HOME', 'SCANFLOW_WORKLIST_PORT', 'SCANFLOW_DICOM_PORT'],
    ...['SCANFLOW_COMMITMENTS_PORT', 'SCANFLOW_BOARD_PORT'],
  ],
  'mistakes of YAML, as its parser calls them': ['BAD_INDENT', 'UNEXPECTED_TOKEN'],
};

const KINDS = /^(transient|permanent|ambiguous|notice)(, (transient|permanent|ambiguous))*$/;

test('failures: every code of the source is in the documentation', async () => {
  const elsewhere = [
    ...(await codesInPage('docs/booking-reference.md')),
    ...(await codesInPage('docs/operations.md')),
  ];
  const documented = [...(await codesInPage('docs/failures.md')), ...elsewhere].map(({ code }) => code);
  const known = new Set([...documented, ...Object.values(NOT_OURS).flat()]);
  const missing = [...(await codesInSource())]
    .filter(([code]) => !known.has(code))
    .map(([code, { files }]) => `${code} (${[...files].join(', ')})`);
  assert.deepEqual(missing, [], 'list them in packages/failure/src/catalogue, or name them in NOT_OURS');
});

test('failures: every code of docs/failures.md is in the source, once in the page', async () => {
  const source = await codesInSource();
  const codes = (await codesInPage('docs/failures.md')).map(({ code }) => code);
  assert.ok(codes.length > 100);
  assert.deepEqual(
    codes.filter((code) => !source.has(code)),
    [],
    'in docs/failures.md, but never given',
  );
  assert.deepEqual(
    codes.filter((code, index) => codes.indexOf(code) !== index),
    [],
    'twice in docs/failures.md',
  );
});

test('failures: the kind is that of the source, and there is something to do', async () => {
  const source = await codesInSource();
  for (const { code, kind, advice } of await codesInPage('docs/failures.md')) {
    assert.match(kind, KINDS, code);
    assert.ok(advice.length > 5, `${code}: what to do?`);
    for (const made of source.get(code)?.kinds ?? [])
      assert.ok(kind.includes(made), `${code} is ${made}, not ${kind}`);
  }
});

test('failures: the exemptions are in use', async () => {
  const source = await codesInSource();
  const idle = Object.values(NOT_OURS)
    .flat()
    .filter((name) => !source.has(name));
  assert.deepEqual(idle, []);
});

test('failures: docs/failures.md is generated from the catalogue', async () => {
  const script = join(import.meta.dirname, '../../scripts/generate-failures.ts');
  const { code, stderr } = await run(process.execPath, [script, '--check']);
  assert.equal(code, 0, stderr);
});
