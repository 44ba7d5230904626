/** What `when`, `rate`, `schedule` and `retry` of a destination become, and what is no such thing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIssue } from './issue.ts';
import { parseConfig } from './load.ts';

const BASE = `facility: { name: Here, timezone: Europe/Amsterdam }
data: /data
scanners: { prisma: { aet: PRISMA, modality: MR } }
orthanc: { url: http://orthanc:8042 }
storage: { root: /project }
destinations:
  p:
    host: h
    port: 104
    aet: P
`;
const read = (lines: string) => parseConfig(`${BASE}    ${lines}\n`, 'f');

function destination(lines: string) {
  const result = read(lines);
  assert.ok(result.ok, result.ok ? '' : result.issues.map(formatIssue).join('\n'));
  return result.config.destinations['p'];
}

/** Without `f:11:` and the column. */
function mistakes(lines: string): string[] {
  const result = read(lines);
  return result.ok ? [] : result.issues.map(({ path, message }) => `${path}: ${message}`);
}

test('sending: rates in bytes, bits and images', () => {
  const cases: readonly (readonly [text: string, rate: object])[] = [
    ['20MB/s', { bytesPerSecond: 20_000_000 }],
    ['1.5 MiB/s', { bytesPerSecond: 1_572_864 }],
    ['160Mbit/s', { bytesPerSecond: 20_000_000 }],
    ['600/min', { imagesPerMinute: 600 }],
    ['600 images/min', { imagesPerMinute: 600 }],
    ['[20MB/s, 600/min]', { bytesPerSecond: 20_000_000, imagesPerMinute: 600 }],
  ];
  for (const [text, rate] of cases) assert.deepEqual(destination(`rate: ${text}`)?.rate, rate, text);
  assert.equal(destination('callingAet: X')?.rate, undefined);
});

test('sending: what is no rate, or too slow for an association to last', () => {
  for (const text of [
    '20',
    '20MB',
    'fast',
    '0MB/s',
    '99kB/s',
    '5/min',
    '20mb/s',
    '{}',
    '[20MB/s, x]',
    '600/h',
  ])
    assert.match(
      mistakes(`rate: ${text}`).join(),
      /^destinations\.p\.rate\S*: expected a rate like 20MB\/s/,
      text,
    );
  assert.deepEqual(mistakes('rate: [1MB/s, 2MB/s]'), [
    'destinations.p.rate: has two rates of one kind: leave one of them out',
  ]);
});

test('sending: one window, or several', () => {
  const night = { from: '19:00', to: '07:00' };
  assert.deepEqual(destination('schedule: { from: 19:00, to: 07:00 }')?.schedule, [night]);
  assert.deepEqual(
    destination('schedule: [{ from: 19:00, to: 07:00 }, { from: 00:00, to: 24:00, days: [sat, sun] }]')
      ?.schedule,
    [night, { from: '00:00', to: '24:00', days: ['sat', 'sun'] }],
  );
});

test('sending: mistakes in windows are told where they are', () => {
  const cases: readonly (readonly [text: string, mistake: string])[] = [
    ['{ from: 19h, to: 07:00 }', "destinations.p.schedule.from: expected a time of day like '19:00'"],
    ['{ from: 24:00, to: 07:00 }', "destinations.p.schedule.from: expected a time of day like '19:00'"],
    ['{ from: 19:00 }', 'destinations.p.schedule.to: is missing and must be given'],
    [
      '[{ from: 19:00, to: 07:00, days: [son] }]',
      'destinations.p.schedule.0.days.0: expected one of mon, tue, wed, thu, fri, sat, sun; got "son"; did you mean mon?',
    ],
    [
      '{ from: 19:00, to: 07:00, day: [mon] }',
      'destinations.p.schedule.day: there is no such key; did you mean days?',
    ],
    [
      '[{ form: 19:00, from: 19:00, to: 07:00 }]',
      'destinations.p.schedule.0.form: there is no such key (known here: from, to, days)',
    ],
    [
      '{ from: 07:00, to: 07:00 }',
      "destinations.p.schedule: from and to are both 07:00; the whole day is from '00:00' to '24:00'",
    ],
  ];
  for (const [text, mistake] of cases) assert.deepEqual(mistakes(`schedule: ${text}`), [mistake], text);
});

test('sending: retries', () => {
  assert.deepEqual(destination('retry: {}')?.retry, { first: 5000, most: 3_600_000 });
  assert.deepEqual(destination('retry: { first: 30s, most: 30m, giveUp: 3d }')?.retry, {
    first: 30_000,
    most: 1_800_000,
    giveUp: 259_200_000,
  });
  assert.deepEqual(mistakes('retry: { first: 2h }'), ['destinations.p.retry.most: is shorter than first']);
});

test('sending: rules by modality, AE title, project and description, and what is left out', () => {
  const when = {
    modality: ['MR'],
    aet: ['PRISMA'],
    project: ['3010*'],
    description: ['*t1*'],
    studyDescription: ['head*'],
    not: { description: ['*localizer*'] },
  };
  assert.deepEqual(destination(`when: ${JSON.stringify(when)}`)?.when, when);
  assert.deepEqual(mistakes('when: { description: [] }'), [
    'destinations.p.when.description: the list must not be empty',
  ]);
  assert.deepEqual(mistakes('when: { project: [3010000.01] }'), [
    'destinations.p.when.project.0: expected text, got 3010000.01; put it in quotes',
  ]);
  assert.deepEqual(mistakes("when: { not: { descripton: ['x'] } }"), [
    'destinations.p.when.not.descripton: there is no such key; did you mean description?',
  ]);
});
