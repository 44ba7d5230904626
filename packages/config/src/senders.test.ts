/** Who may send: AE titles of scanners, and whose images are taken. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIssue } from './issue.ts';
import { parseConfig } from './load.ts';
import { admits, sendersOf } from './network.ts';

const text = (scanners: string, more = '') => `facility: { name: Here, timezone: Europe/Amsterdam }
data: /data
scanners: ${scanners}
orthanc: { url: http://orthanc:8042 }
storage: { root: /project }
${more}`;
const mistakesIn = (scanners: string, more?: string): string[] => {
  const result = parseConfig(text(scanners, more), 'f');
  return result.ok ? [] : result.issues.map((issue) => formatIssue(issue).replace(/^f:\d+:\d+: /, ''));
};

const cases: [name: string, scanners: string, mistakes: string[]][] = [
  ['titles of its own', '{ a: { aet: A, modality: MR, sends: [A_STORE, A_PACS] } }', []],
  ['its own aet among them', '{ a: { aet: A, modality: MR, sends: [A] } }', []],
  [
    'a title twice',
    '{ a: { aet: A, modality: MR, sends: [S, S] } }',
    ['scanners.a.sends.1: S stands in the list already'],
  ],
  [
    'the title of another scanner',
    '{ a: { aet: A, modality: MR, sends: [B] }, b: { aet: B, modality: MR } }',
    ['scanners.a.sends.0: b has the AE title B already; each scanner needs its own'],
  ],
  [
    'two scanners that send with one title',
    '{ a: { aet: A, modality: MR, sends: [S] }, b: { aet: B, modality: MR, sends: [S] } }',
    ['scanners.b.sends.0: a has the AE title S already; each scanner needs its own'],
  ],
  [
    'no AE title',
    "{ a: { aet: A, modality: MR, sends: ['a title that is too long'] } }",
    [
      'scanners.a.sends.0: expected an AE title: 1 to 16 ASCII characters, no backslash, no space at either end',
    ],
  ],
];
for (const [name, scanners, mistakes] of cases)
  test(`scanners.NAME.sends: ${name}`, () => assert.deepEqual(mistakesIn(scanners), mistakes));

test('arrivals.from: absent differs from any, and a word that is neither is a mistake', () => {
  const one = '{ a: { aet: A, modality: MR } }';
  const result = parseConfig(text(one), 'f');
  assert.ok(result.ok);
  assert.equal(result.config.arrivals.from, undefined);
  assert.deepEqual(result.config.arrivals.doubts, {
    study: 'show',
    spelling: 'show',
    time: 'show',
    scanner: 'show',
    labels: 'show',
  });
  assert.deepEqual(mistakesIn(one, 'arrivals: { from: nobody }'), [
    'arrivals.from: expected scanners, any, or a list of AE titles like [PRISMA, SKYRA]',
  ]);
});

test('whose images are taken', () => {
  const senders = sendersOf({
    a: { aet: 'A', sends: ['A2'] },
    b: { aet: 'B' },
  });
  assert.deepEqual(
    [...senders],
    [
      ['A', 'a'],
      ['A2', 'a'],
      ['B', 'b'],
    ],
  );
  const admitted = (from: Parameters<typeof admits>[0]) =>
    ['A', 'A2', 'B', 'X', ''].filter((aet) => admits(from, senders, aet)).join(' ');
  assert.equal(admitted(undefined), 'A A2 B X ');
  assert.equal(admitted('any'), 'A A2 B X ');
  assert.equal(admitted('scanners'), 'A A2 B');
  assert.equal(admitted(['X']), 'X');
});
