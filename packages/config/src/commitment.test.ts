/** Storage commitment in scanflow.yaml: defaults, and what does not go together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MINIMUM, mistakesOf } from './mistakes-kit.test.ts';
import { parseConfig } from './load.ts';

const NODE = 'host: pacs, port: 104, aet: PACS';

/** The mistakes of MINIMUM with these lines. */
const mistakes = (...lines: readonly string[]): string[] => mistakesOf(`${lines.join('\n')}\n`);

test('commitment: nothing listens and nobody is asked unless the file says so; defaults', () => {
  const plain = parseConfig(`${MINIMUM}destinations: { pacs: { ${NODE} } }\n`, 'f');
  assert.ok(plain.ok);
  assert.equal(plain.config.commitments, undefined);
  assert.equal(plain.config.destinations['pacs']?.commitment, undefined);
  const asked = parseConfig(
    `${MINIMUM}commitments: {}\ndestinations: { pacs: { ${NODE}, commitment: {} } }\n`,
    'f',
  );
  assert.ok(asked.ok);
  assert.deepEqual(asked.config.commitments, { bind: '127.0.0.1', port: 11_113 });
  assert.deepEqual(asked.config.destinations['pacs']?.commitment, {
    within: 3_600_000,
    answers: 'later',
    wait: 30_000,
    attempts: 3,
    batch: 1_000,
  });
});

test('commitment: later reports need a place to go to, those on the same association do not', () => {
  assert.deepEqual(mistakes(`destinations: { pacs: { ${NODE}, commitment: { within: 2h } } }`), [
    'destinations.pacs.commitment.answers: needs the section commitments, which says where later reports are received',
  ]);
  assert.deepEqual(mistakes(`destinations: { pacs: { ${NODE}, commitment: { answers: same } } }`), []);
});

test('commitment: a DICOMweb destination names the node that is asked', () => {
  const web = (more: string): string =>
    `destinations: { web: { url: 'https://pacs/dicom-web', commitment: { answers: same${more} } } }`;
  assert.deepEqual(
    mistakes(web('')).map((mistake) => mistake.split(': ')[0]),
    ['host', 'port', 'aet'].map((key) => `destinations.web.commitment.${key}`),
  );
  assert.deepEqual(mistakes(web(', host: pacs, port: 104, aet: PACS')), []);
});

test('commitment: mistakes', () => {
  assert.deepEqual(
    mistakes('commitments: { tls: { key: k, certificate: c, requirePeerCertificate: true } }'),
    ['commitments.tls.requirePeerCertificate: needs ca: without it, no certificate can be verified'],
  );
  assert.match(
    mistakes(`destinations: { pacs: { ${NODE}, commitment: { answers: never } } }`)[0] ?? '',
    /commitment\.answers/,
  );
  assert.match(
    mistakes(`destinations: { pacs: { ${NODE}, commitment: { answers: same, within: 1ms } } }`)[0] ?? '',
    /from 1s to 30d/,
  );
});
