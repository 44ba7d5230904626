/** TLS and access in scanflow.yaml: what is taken, what a mistake reads like, where files are looked for. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { formatIssue } from './issue.ts';
import { loadConfig, parseConfig, type ConfigResult } from './load.ts';

const BASE = `facility: { name: Here, timezone: Europe/Amsterdam }
data: /data
scanners: { prisma: { aet: PRISMA, modality: MR } }
orthanc: { url: http://orthanc:8042 }
storage: { root: /project }
`;
const configOf = (result: ConfigResult) => {
  assert.ok(result.ok, result.ok ? '' : result.issues.map(formatIssue).join('\n'));
  return result.config;
};
const mistakesIn = (text: string): string[] => {
  const result = parseConfig(BASE + text, 'f');
  return result.ok ? [] : result.issues.map((issue) => formatIssue(issue).replace(/^f:\d+:\d+: /, ''));
};

const folder = await mkdtemp(join(tmpdir(), 'scanflow-network-'));
after(() => rm(folder, { recursive: true, force: true }));

test('network: without keys there is no TLS, no limit, and names have no case', () => {
  const { worklist } = configOf(parseConfig(BASE, 'f'));
  assert.deepEqual(
    [worklist.tls, worklist.access, worklist.maxAnswers, worklist.nameCase, worklist.view],
    [undefined, {}, undefined, 'ignore', 'all'],
  );
});

test('network: files of TLS are relative to the folder of the configuration', async () => {
  const path = join(folder, 'scanflow.yaml');
  const tls = `{ key: tls/w.key, certificate: /etc/w.pem, ca: tls/ca.pem }`;
  const pacs = `{ host: pacs, port: 104, aet: PACS, tls: { ca: tls/pacs.pem } }`;
  await writeFile(path, `${BASE}worklist: { tls: ${tls} }\ndestinations: { pacs: ${pacs} }\n`);
  const { worklist, destinations } = configOf(await loadConfig(path));
  assert.deepEqual(worklist.tls, {
    key: join(folder, 'tls/w.key'),
    certificate: '/etc/w.pem',
    ca: join(folder, 'tls/ca.pem'),
    profile: 'bcp195',
  });
  assert.deepEqual(destinations['pacs']?.tls, { ca: join(folder, 'tls/pacs.pem'), profile: 'bcp195' });
});

const PEM = 'key: k, certificate: c';
const cases: [name: string, text: string, mistakes: string[]][] = [
  [
    'a whole entry',
    `worklist: { tls: { ${PEM}, ca: a }, access: { PRISMA: { addresses: [10.1.2.3, '2001:db8::/32'], certificates: ['CN=prisma,O=Example'], view: [PRISMA, SKYRA] } } }`,
    [],
  ],
  [
    'TLS by an empty mapping at a destination',
    'destinations: { p: { host: p, port: 1, aet: P, tls: {} } }',
    [],
  ],
  [
    'a network with too many bits',
    'worklist: { access: { PRISMA: { addresses: [10.1.2.0/33] } } }',
    ['worklist.access.PRISMA.addresses.0: expected an address like 10.1.2.3, or a network like 10.1.2.0/24'],
  ],
  [
    'a host name',
    'worklist: { access: { PRISMA: { addresses: [prisma.local] } } }',
    ['worklist.access.PRISMA.addresses.0: expected an address like 10.1.2.3, or a network like 10.1.2.0/24'],
  ],
  [
    'a network of IPv4 with the notation of IPv6 and the bits of IPv4',
    "worklist: { access: { PRISMA: { addresses: ['::ffff:10.1.2.0/24'] } } }",
    ['worklist.access.PRISMA.addresses.0: expected an address like 10.1.2.3, or a network like 10.1.2.0/24'],
  ],
  ['proxies', "worklist: { proxies: [10.0.5.2, 10.0.5.0/24, '2001:db8::/64', '::ffff:10.0.5.0/120'] }", []],
  ...['0.0.0.0/0', '::/0', '::ffff:10.0.5.0/24'].flatMap((network): [string, string, string[]][] =>
    ['worklist', 'receiver'].map((service) => [
      `everybody as proxy of the ${service}: ${network}`,
      `${service}: { proxies: ['${network}'] }`,
      [
        `${service}.proxies: expected addresses like 10.0.5.2 and networks like 10.0.5.0/24, not all addresses: who calls from one of them may say who calls`,
      ],
    ]),
  ),
  [
    'certificates without TLS',
    'worklist: { access: { PRISMA: { certificates: [CN=prisma] } } }',
    [
      'worklist.access.PRISMA.certificates: needs worklist.tls with ca: without it, nobody shows a certificate',
    ],
  ],
  [
    'a fingerprint that is too short',
    `worklist: { tls: { ${PEM}, ca: a }, access: { PRISMA: { certificates: ['AB:CD'] } } }`,
    [
      'worklist.access.PRISMA.certificates.0: expected a SHA-256 fingerprint of 64 hexadecimal digits, or attributes of the subject like CN=prisma,O=Example',
    ],
  ],
  [
    'an entry for who is not admitted',
    'worklist: { access: { STRANGER: {} } }',
    ['worklist.access.STRANGER: STRANGER is not admitted: it is no AE title of scanners'],
  ],
  [
    'an entry for who is not in the list',
    'worklist: { allow: [A], access: { B: {} } }',
    ['worklist.access.B: B is not admitted: add it to worklist.allow'],
  ],
  [
    'required certificates without authorities',
    `worklist: { tls: { ${PEM}, requirePeerCertificate: true } }`,
    ['worklist.tls.requirePeerCertificate: needs ca: without it, no certificate can be verified'],
  ],
  [
    'a key without certificate',
    'destinations: { p: { host: p, port: 1, aet: P, tls: { key: k } } }',
    ['destinations.p.tls: key needs a certificate'],
  ],
  ['a view of nothing', 'worklist: { view: [] }', ['worklist.view: the list must not be empty']],
  [
    'an unknown profile',
    `worklist: { tls: { ${PEM}, profile: ssl3 } }`,
    ['worklist.tls.profile: expected one of bcp195, bcp195-nondowngrading; got "ssl3"'],
  ],
  ['no answers at all', 'worklist: { maxAnswers: 0 }', ['worklist.maxAnswers: expected at least 1']],
];
for (const [name, text, mistakes] of cases)
  test(`network: ${name}`, () => assert.deepEqual(mistakesIn(text), mistakes));
