import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from './load.ts';

const GOOD = {
  facility: { name: 'F', timezone: 'Europe/Amsterdam' },
  ...{ data: '/data', scanners: {}, orthanc: { url: 'http://orthanc:8042' }, storage: { root: '/project' } },
};
const read = (notify: object) => parseConfig(JSON.stringify({ ...GOOD, notify }), 'scanflow.yaml');
const issues = (notify: object): string[] => {
  const loaded = read(notify);
  return loaded.ok ? [] : loaded.issues.map(({ path, message }) => `${path}: ${message}`);
};
const MAIL = { host: 'smtp.example.org', from: 'scanflow@example.org' };

test('notify: off where absent, and safe where only the server is named', () => {
  const loaded = parseConfig(JSON.stringify(GOOD), 'scanflow.yaml');
  assert.ok(loaded.ok && loaded.config.notify === undefined);
  const small = read({ mail: MAIL, it: { mail: ['it@example.org'] }, booker: { domains: ['example.org'] } });
  assert.ok(small.ok);
  const { mail, booker, it } = small.config.notify ?? {};
  assert.deepEqual([mail?.port, mail?.security], [587, 'starttls']);
  assert.deepEqual(
    [booker?.topics, it?.urgent],
    [
      ['rejected', 'stored'],
      ['storage', 'service'],
    ],
  );
});

test('notify: what cannot work is a mistake, each at its place', () => {
  const cases: [object, RegExp][] = [
    [{ mail: { ...MAIL, username: 'u' } }, /^notify\.mail: username needs a passwordFile/],
    [
      { mail: { ...MAIL, username: 'u', passwordFile: 'p', security: 'none' } },
      /^notify\.mail\.security: a password would go/,
    ],
    [
      { mail: { ...MAIL, security: 'none', tls: { ca: 'x' } } },
      /^notify\.mail\.tls: is for starttls and tls/,
    ],
    [{ mail: { ...MAIL, from: 'Scanflow <a@b.c>' } }, /^notify\.mail\.from: expected a mail address/],
    [{ mail: MAIL, it: { mail: ['a@b.c\r\nBcc: d@e.f'] } }, /^notify\.it\.mail\.0: expected a mail address/],
    [{ it: { mail: ['it@example.org'] } }, /^notify\.it\.mail: needs notify\.mail/],
    [{ mail: MAIL, it: {} }, /^notify\.it: names nobody/],
    [{ it: { channels: ['ops'] } }, /^notify\.it\.channels\.0: there is no ops under/],
    [{ booker: { domains: ['example.org'] } }, /^notify\.booker: needs notify\.mail/],
    [{ mail: MAIL, booker: { domains: [] } }, /^notify\.booker\.domains/],
    [{ webhooks: { mail: { url: 'https://a.b' } } }, /^notify\.webhooks\.mail: is what mail is called/],
    [
      { webhooks: { ops: { url: 'https://a.b' } }, chats: { ops: { kind: 'slack', urlFile: 'f' } } },
      /^notify\.chats\.ops: is the name of a webhook/,
    ],
    [{ chats: { room: { kind: 'slack', url: 'https://hooks.example.org/secret' } } }, /notify\.chats\.room/],
    [{ quiet: { from: '07:00', to: '07:00' } }, /^notify\.quiet: from and to are both 07:00/],
    [{ projects: { '3010001.01': { channels: ['lab'] } } }, /^notify\.projects.*there is no lab under/],
    [{ it: { mail: ['it@example.org'], topics: ['everything'] }, mail: MAIL }, /^notify\.it\.topics\.0/],
  ];
  for (const [notify, expected] of cases)
    assert.match(issues(notify).join('\n'), expected, JSON.stringify(notify));
});
