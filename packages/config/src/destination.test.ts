/** How a destination is reached: by DICOM or by DICOMweb, each with its own keys, every mistake with its place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIssue } from './issue.ts';
import { parseConfig } from './load.ts';

const HEAD = `facility: { name: Test, timezone: Europe/Amsterdam }
data: /data
scanners: { prisma: { aet: PRISMA, modality: MR } }
orthanc: { url: http://127.0.0.1:8042 }
storage: { root: /project }
destinations:
`;

function problems(...lines: readonly string[]): string[] {
  const result = parseConfig(`${HEAD}  pacs:\n${lines.map((line) => `    ${line}\n`).join('')}`, 'f.yaml');
  return result.ok ? [] : result.issues.map(formatIssue);
}

test('destination: a DICOM node, a DICOMweb server with a user, one with a token', () => {
  assert.deepEqual(problems('host: pacs.example.org', 'port: 11112', 'aet: PACS', 'transcode: never'), []);
  assert.deepEqual(
    problems('url: https://pacs.example.org/dicom-web', 'username: me', 'passwordFile: /run/secrets/p'),
    [],
  );
  assert.deepEqual(problems('url: http://[::1]:8042/dicom-web', 'tokenFile: /run/secrets/t'), []);
});

test('destination: neither of the two, and both', () => {
  const expected = /^f\.yaml:\d+:\d+: destinations\.pacs: expected exactly one of host .* and url/;
  assert.match(problems('aet: PACS').join('\n'), expected);
  assert.match(problems('host: a', 'port: 1', 'aet: B', 'url: http://a').join('\n'), expected);
});

test('destination: keys of the other kind are shown at their place', () => {
  assert.deepEqual(problems('url: http://a', 'aet: PACS', 'transcode: never'), [
    'f.yaml:9:5: destinations.pacs.aet: is for a host, and there is a url',
    'f.yaml:10:5: destinations.pacs.transcode: is for a host, and there is a url',
  ]);
  assert.deepEqual(problems('host: a', 'port: 104', 'aet: PACS', 'tokenFile: /t'), [
    'f.yaml:11:5: destinations.pacs.tokenFile: is for a url, and there is a host',
  ]);
});

test('destination: what is missing beside a host', () => {
  assert.match(problems('host: a').join('\n'), /pacs\.port: is missing .*\n.*pacs\.aet: is missing/);
});

test('destination: secrets, queries and half logins of an address', () => {
  assert.match(
    problems('url: https://me:secret@a/web').join('\n'),
    /^f\.yaml:8:10: .*secrets never stand here/,
  );
  assert.doesNotMatch(problems('url: https://me:secret@a/web').join('\n'), /secret@/);
  assert.match(problems('url: https://a/web?x=1').join('\n'), /without \? and #/);
  assert.match(problems('url: https://a', 'username: me').join('\n'), /username needs a passwordFile/);
  assert.match(
    problems('url: https://a', 'username: me', 'passwordFile: /p', 'tokenFile: /t').join('\n'),
    /tokenFile: takes the place of username/,
  );
  assert.match(
    problems('url: http://a', 'tls: {}').join('\n'),
    /tls: is for an address that begins with https/,
  );
  assert.match(problems('url: ftp://a').join('\n'), /expected an address like https/);
});

test('destination: compression with loss is no choice', () => {
  assert.match(
    problems('host: a', 'port: 1', 'aet: B', 'transcode: lossy').join('\n'),
    /transcode: expected one of lossless, never/,
  );
});
