/** Where calendars are and how they are fetched, in scanflow.yaml: what is taken, and what a mistake reads like. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { bookingRules, calendarNamesById } from './booking-rules.ts';
import { formatIssue } from './issue.ts';
import { loadConfig, parseConfig } from './load.ts';

const BASE = `facility: { name: Here, timezone: Europe/Amsterdam }
data: /data
scanners: { prisma: { aet: PRISMA, modality: MR } }
orthanc: { url: http://orthanc:8042 }
storage: { root: /project }
`;
const withCalendar = (keys: string): string => `${BASE}calendars: { c: { scanner: prisma, ${keys} } }\n`;

const folder = await mkdtemp(join(tmpdir(), 'scanflow-calendar-'));
after(() => rm(folder, { recursive: true, force: true }));

const mistakes: [string, string, RegExp][] = [
  [
    'an answer that cannot be written',
    'url: https://h/c, answer: {}',
    /^calendars\.c\.answer: goes with caldav/,
  ],
  [
    'an answer of unknown events',
    'caldav: https://h/c/, answer: { when: [skipped] }',
    /^calendars\.c\.answer\.when/,
  ],
  ['two places', 'url: https://h/c.ics, folder: f', /^calendars\.c: expected exactly one of url, file, /],
  ['a login in an address', 'caldav: https://u:p@h/c/', /^calendars\.c\.caldav: has a user or a password/],
  ['a login in a proxy', 'url: https://h/c, proxy: http://u:p@h:1', /^calendars\.c\.proxy: has a user/],
  [
    'a login for no proxy',
    'url: https://h/c, proxyUsername: u, proxyPasswordFile: p',
    /^calendars\.c\.proxyUsername: goes with proxy only/,
  ],
  [
    'half a login for a proxy',
    'url: https://h/c, proxy: http://h:1, proxyPasswordFile: p',
    /^calendars\.c\.proxyPasswordFile: needs a proxyUsername/,
  ],
  [
    'a user without a password for a proxy',
    'url: https://h/c, proxy: http://h:1, proxyUsername: u',
    /^calendars\.c\.proxyUsername: needs a proxyPasswordFile/,
  ],
  [
    'a proxy of a file',
    'file: c.ics, proxy: http://h:1',
    /^calendars\.c\.proxy: goes with url or caldav only/,
  ],
  [
    'a token of a folder',
    'folder: f, tokenFile: t',
    /^calendars\.c\.tokenFile: goes with url or caldav only/,
  ],
  [
    'a user of a file',
    'file: f, username: u, passwordFile: p',
    /^calendars\.c\.username: goes with url or caldav/,
  ],
  [
    'a token and a user',
    'url: https://h/c, tokenFile: t, username: u, passwordFile: p',
    /^calendars\.c\.tokenFile: takes the place of username and passwordFile/,
  ],
  [
    'a key without a certificate',
    'url: https://h/c, tls: { key: k }',
    /^calendars\.c\.tls: key needs a certi/,
  ],
  ['TLS without https', 'url: http://h/c, tls: { ca: k }', /^calendars\.c\.tls: needs an address .* https/],
  [
    'a proxy of another kind',
    'url: https://h/c, proxy: socks5://h:1',
    /^calendars\.c\.proxy: expected an addr/,
  ],
];

for (const [name, keys, message] of mistakes)
  test(`calendars: ${name}`, () => {
    const result = parseConfig(withCalendar(keys), 'f');
    const found = result.ok
      ? []
      : result.issues.map((issue) => formatIssue(issue).replace(/^f:\d+:\d+: /, ''));
    assert.equal(found.length, 1, found.join('\n'));
    assert.match(found[0] ?? '', message);
  });

test('calendars: two with one id are refused, with file, line and the other one', () => {
  const found = (...calendars: string[]): string[] => {
    const result = parseConfig(`${BASE}calendars:\n${calendars.join('\n')}\n`, 'scanflow.yaml');
    return result.ok ? [] : result.issues.map(formatIssue);
  };
  const [a, b] = ['  a: { scanner: prisma, file: a.ics', '  b: { scanner: prisma, file: b.ics'];
  assert.deepEqual(found(`${a} }`, `${b}, id: c }`), []);
  assert.deepEqual(found(`${a}, id: b }`, `${b}, id: a }`), [], 'two that exchanged their names');
  const why = 'accession numbers derive from it, so each calendar needs its own';
  assert.deepEqual(found(`${a} }`, `${b}, id: a }`), [
    `scanflow.yaml:8:42: calendars.b.id: has the id of calendars.a: a; ${why}`,
  ]);
  assert.deepEqual(found(`${a}, id: b }`, `${b} }`), [
    `scanflow.yaml:8:6: calendars.b: has the id of calendars.a: b; ${why}`,
  ]);
  assert.match(found(`${a}, id: ../b }`).join(), /^scanflow\.yaml:7:\d+: calendars\.a\.id: /);
});

test('calendars: the id is the name, unless there is another one', () => {
  const parsed = parseConfig(withCalendar('file: c.ics'), 'f');
  const other = parseConfig(withCalendar('file: c.ics, id: former'), 'f');
  assert.ok(parsed.ok && other.ok);
  assert.equal(bookingRules(parsed.config, 'c').calendar, 'c');
  assert.equal(bookingRules(other.config, 'c').calendar, 'former');
  assert.deepEqual([...calendarNamesById(other.config)], [['former', 'c']]);
});

test('calendars: an answer by category does not go where categories name the scanner', () => {
  const scanner = '{ by: categories, map: { MRI: prisma }, otherwise: skip }';
  const of = (property: string) =>
    parseConfig(
      `${BASE}calendars: { c: { scanner: ${scanner}, caldav: https://h/c/, answer: { property: ${property} } } }\n`,
      'scanflow.yaml',
    );
  assert.equal(of('comment').ok, true);
  assert.equal(of('categories').ok, false);
});

test('calendars: each place and each way to log in is taken', () => {
  for (const keys of [
    'url: webcal://h/c.ics, tls: { ca: ca.pem }',
    'caldav: http://h/c/, username: u, passwordFile: p, proxy: none',
    'caldav: https://h/c/, tokenFile: t, proxy: http://proxy.example.org:3128',
    'url: https://h/c.ics, proxy: http://h:3128, proxyUsername: u, proxyPasswordFile: p',
    'url: https://h/c.ics, tls: { key: k, certificate: c }',
    'folder: calendars/prisma',
  ]) {
    const result = parseConfig(withCalendar(keys), 'f');
    assert.ok(result.ok, keys);
  }
});

test('calendars: files and folders are relative to the folder of the configuration', async () => {
  const path = join(folder, 'scanflow.yaml');
  await writeFile(
    path,
    `${BASE}calendars:
  a: { scanner: prisma, folder: calendars/a }
  b: { scanner: prisma, url: https://h/, tokenFile: t, tls: { ca: ca.pem, key: /k, certificate: c } }
`,
  );
  const result = await loadConfig(path);
  assert.ok(result.ok);
  const { a, b } = result.config.calendars;
  assert.equal(a?.folder, join(folder, 'calendars/a'));
  assert.equal(b?.tokenFile, join(folder, 't'));
  assert.deepEqual(b.tls, { ca: join(folder, 'ca.pem'), key: '/k', certificate: join(folder, 'c') });
});
