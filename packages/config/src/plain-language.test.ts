/** What whoever mistypes scanflow.yaml gets to read, and where. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { jsonSchema } from './schema.ts';
import { formatIssue } from './issue.ts';
import { parseConfig } from './load.ts';

const BASE = {
  facility: '{ name: Here, timezone: Europe/Amsterdam }',
  data: '/data',
  scanners: '{ prisma: { aet: PRISMA, modality: MR } }',
  orthanc: '{ url: http://orthanc:8042 }',
  storage: '{ root: /project }',
};

/** BASE with sections replaced or added, one a line, in this order. */
const textOf = (sections: Readonly<Record<string, string>>): string =>
  Object.entries({ ...BASE, ...sections })
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('');

const mistakesIn = (text: string): string[] => {
  const result = parseConfig(text, 'f');
  return result.ok ? [] : result.issues.map((issue) => formatIssue(issue).slice(2));
};

const CASES: readonly (readonly [name: string, sections: Record<string, string>, expected: string[]])[] = [
  ['a section without content', { tag: '' }, ['6:6: tag: has no value; give it one, or leave the line out']],
  [
    'a number where text is expected',
    { facility: '{ name: 7, timezone: UTC }' },
    ['1:19: facility.name: expected text, got 7; put it in quotes'],
  ],
  [
    'a text where a list is expected',
    { destinations: '{ p: { host: h, port: 104, aet: P, when: { modality: MR } } }' },
    ['6:68: destinations.p.when.modality: expected a list, got "MR"'],
  ],
  [
    'a value that is none of those allowed',
    { worklist: '{ nameCase: ignor }' },
    ['6:23: worklist.nameCase: expected one of ignore, exact; got "ignor"; did you mean ignore?'],
  ],
  [
    'a value that has two forms and neither',
    { worklist: '{ allow: scaners }' },
    ['6:20: worklist.allow: expected scanners, any, or a list of AE titles like [PRISMA, SKYRA]'],
  ],
  [
    'a port that is too high',
    { worklist: '{ port: 70000 }' },
    ['6:19: worklist.port: expected at most 65535'],
  ],
  [
    'a port with a fraction',
    { worklist: '{ port: 1.5 }' },
    ['6:19: worklist.port: expected a whole number, got 1.5'],
  ],
  [
    'a key twice',
    { worklist: '{ port: 1, port: 2 }' },
    ['6:22: worklist.port: stands here twice, first in line 6'],
  ],
  [
    'every and cron',
    { bookings: "{ every: 1m, cron: '*/5 * * * *' }" },
    ['6:24: bookings.cron: takes the place of every: leave one of the two out'],
  ],
  [
    'an interval beyond what timers count',
    { bookings: '{ every: 30d }' },
    ['6:20: bookings.every: expected a duration from 100ms to 1d'],
  ],
  [
    'a password in an address',
    { calendars: '{ c: { scanner: prisma, url: "https://u:geheim@h/c.ics" } }' },
    ['6:41: calendars.c.url: has a user or a password in it; put them into username and passwordFile'],
  ],
  [
    'a scanner that is nearly there',
    { calendars: '{ c: { scanner: prism, file: c.ics } }' },
    [
      '6:28: calendars.c.scanner: there is no scanner prism under scanners (there: prisma); did you mean prisma?',
    ],
  ],
  [
    'a group that only looks like one',
    { bookings: String.raw`{ patterns: ['\(?<project>x(?<subject>y)(?<session>z)'] }` },
    ['6:24: bookings.patterns.0: the pattern lacks the named group (?<project>…)'],
  ],
  [
    'a keyword that is none',
    { arrivals: "{ patterns: { patient_id: '(?<project>a)(?<subject>b)(?<session>c)' } }" },
    ['6:25: arrivals.patterns.patient_id: expected the keyword of a DICOM attribute, like PatientID'],
  ],
  [
    'a label that no pattern gives',
    { arrivals: "{ patterns: { PatientID: '(?<project>a)(?<subject>b)' } }" },
    ['6:23: arrivals.patterns: no pattern has the named group (?<session>…)'],
  ],
  [
    'a template in which all people are the same',
    { bookings: "{ patientId: '{project}' }" },
    ['6:24: bookings.patientId: needs {subject}: without it, different people would have the same'],
  ],
  [
    'a template with half a brace',
    { bookings: "{ patientName: '{subject}_{session' }" },
    ['6:26: bookings.patientName: has a brace without its partner; expected a text like {project}_{subject}'],
  ],
  [
    'a layout with a label that is none',
    { storage: "{ root: /project, layout: '{projekt}/{SOPInstanceUID}' }" },
    [
      '5:36: storage.layout: {projekt} is no label; there are {project}, {subject}, {session} and keywords like {SeriesNumber}',
    ],
  ],
  [
    'labels where there are none',
    { storage: "{ root: /project, unmatched: '{project}/{SOPInstanceUID}' }" },
    ['5:39: storage.unmatched: {project} cannot be filled: these are the images whose project is not known'],
  ],
  [
    'storage within the data of the services',
    { storage: '{ root: /data }' },
    ['5:18: storage.root: project storage needs a folder of its own, other than data'],
  ],
  [
    'a host that is an address of a page',
    { destinations: '{ p: { host: "http://pacs", port: 104, aet: P } }' },
    ['6:28: destinations.p.host: expected a host name or an address, without port and without http://'],
  ],
  [
    'a tag value with a backslash',
    { tag: String.raw`{ value: 'a\b' }` },
    ['6:15: tag.value: expected printable ASCII characters, no backslash, no space at either end'],
  ],
  ['an alias of nothing', { tag: '*x' }, ['6:6: tag: there is no &x above that *x could mean']],
  ['a tag of YAML', { log: '!secret x' }, ['6:6: not YAML: tags that begin with ! are not known here']],
  ['a list as key', { '? [a]\n': '1' }, ['6:3: expected a word as key']],
];
for (const [name, sections, expected] of CASES)
  test(`mistake: ${name}`, () => {
    const found = mistakesIn(textOf(sections));
    assert.deepEqual(
      found.filter((text) => !text.includes('[ a ]')),
      expected,
    );
  });

test('mistake: two documents in one file', () =>
  assert.deepEqual(mistakesIn(`${textOf({})}---\na: 1\n`), [
    '6:1: not YAML: expected one document: remove the line with ---',
  ]));

test('mistake: tabs as indentation', () =>
  assert.deepEqual(mistakesIn(`${textOf({})}tag:\n\tvalue: x\n`), [
    '7:1: not YAML: indent with spaces, not with tabs',
  ]));

/** The mistakes of a text in whose lines a person mistyped one thing. */
const FORMS: readonly (readonly [name: string, lines: string, expected: string[]])[] = [
  [
    'a line that is indented more',
    'facility:\n  name: Here\n    timezone: UTC\ndata: /data',
    ['3:5: not YAML: line 3 is indented more than line 2: align `timezone` with `name`'],
  ],
  [
    'a line that is indented less',
    'facility:\n    name: Here\n  timezone: UTC\ndata: /data',
    ['3:3: not YAML: line 3 is indented less than line 2: align `timezone` with `name`'],
  ],
  [
    'no space behind two colons',
    'worklist:\n  aet:SCANFLOW\n  bind: 0.0.0.0\n  port:11112\n  view: all',
    [
      '2:3: not YAML: `aet:SCANFLOW`: a space is missing after the colon',
      '4:3: not YAML: `port:11112`: a space is missing after the colon',
    ],
  ],
  [
    'no space behind the last colon of a section',
    'worklist:\n  aet: A\n  view:all\nlog: {}',
    ['3:3: not YAML: `view:all`: a space is missing after the colon'],
  ],
  [
    'a section without its colon',
    'worklist\n  aet: SCANFLOW\n  bind: 0.0.0.0',
    ['1:1: not YAML: `worklist`: a colon is missing after it'],
  ],
  [
    'several lines with tabs',
    'worklist:\n\taet: SCANFLOW\n\tbind: 0.0.0.0\n\tport: 1\ndata: /data\nlog:\n\tlevel: info',
    ['2:1: not YAML: indent with spaces, not with tabs', '7:1: not YAML: indent with spaces, not with tabs'],
  ],
  [
    'a brace that nothing closes',
    'scanners:\n  prisma: { aet: PRISMA, modality: MR\n\ncalendars: {}',
    ['2:11: not YAML: the { that opens here is not closed'],
  ],
  [
    'a bracket that a brace closes',
    'destinations: { p: { when: { modality: [MR } } }',
    ['1:40: not YAML: the [ that opens here is not closed'],
  ],
  [
    'a quote that nothing closes',
    "tag: { group: '0021 }\nbookings:\n  patientId: 'x'",
    ["1:15: not YAML: the ' that opens here is not closed"],
  ],
  [
    'a colon in a value',
    'facility:\n  name: Imaging: the centre\n  timezone: UTC',
    ['2:9: not YAML: the value of `name` has a colon in it: put it in quotes'],
  ],
  [
    'a comma that is missing',
    'scanners:\n  a: { aet: A modality: MR }',
    ['2:13: not YAML: between braces, a comma is missing here'],
  ],
  [
    'labels without quotes',
    'bookings:\n  patientId: {project}_{subject}',
    ['2:23: not YAML: something stands behind the end of the value: put the whole value in quotes'],
  ],
];
for (const [name, lines, expected] of FORMS)
  test(`mistake of form: ${name}`, () => assert.deepEqual(mistakesIn(`${lines}\n`), expected));

test('mistake: no space behind a colon between braces, and behind a dash', () => {
  const scanners = '{ prisma: { aet:PRISMA, modality: MR } }';
  assert.ok(
    mistakesIn(textOf({ scanners })).includes(
      '3:23: scanners.prisma.aet:PRISMA: a space is missing after the colon',
    ),
  );
  assert.match(
    mistakesIn(textOf({ log: '\n  level:info' })).join(),
    /expected keys with values, got "level:info"; a space is missing after the colon/,
  );
  assert.match(
    mistakesIn(textOf({ bookings: "\n  patterns:\n    -'x'" })).join(),
    /expected a list, got "-'x'"; a space is missing after the dash/,
  );
});

test('mistake: nested too deeply, a little and without measure', () => {
  for (const depth of [20, 5000])
    assert.match(mistakesIn(`a: ${'['.repeat(depth)}${']'.repeat(depth)}`).join('\n'), /nested too deeply/);
});

test('mistake: a name that plain objects treat specially is no scanner', () =>
  assert.deepEqual(mistakesIn(textOf({ scanners: '{ __proto__: { aet: A, modality: MR } }' })), [
    '3:13: scanners: expected a word as key',
  ]));

test('mistake: thousands of them are cut to a hundred, with their number', () => {
  const found = mistakesIn(
    `${textOf({})}${Array.from({ length: 3000 }, (_, at) => `key${at}: 1\n`).join('')}`,
  );
  assert.equal(found.length, 100);
  assert.match(found.at(-1) ?? '', /\(and 2900 more mistakes\)$/);
});

test('config: a byte order mark and line ends of Windows do no harm', () =>
  assert.deepEqual(mistakesIn(`\ufeff${textOf({}).replaceAll('\n', '\r\n')}`), []));

test('config: anchors and aliases work', () =>
  assert.deepEqual(
    mistakesIn(
      textOf({
        destinations:
          '{ a: { host: h, port: 1, aet: A, when: &mr { modality: [MR] } }, b: { host: i, port: 1, aet: B, when: *mr } }',
      }),
    ),
    [],
  ));

for (const file of ['scanflow.yaml', 'scanflow.scale.yaml', 'demo.yaml'])
  test(`config: the JSON Schema accepts config/${file}, and nothing with a misspelt key`, async () => {
    const text = await readFile(new URL(`../../../config/${file}`, import.meta.url), 'utf8');
    const schema = z.fromJSONSchema(JSON.parse(jsonSchema()) as Parameters<typeof z.fromJSONSchema>[0]);
    const data = parse(text) as Record<string, unknown>;
    assert.equal(schema.safeParse(data).error, undefined);
    assert.deepEqual(mistakesIn(text), []);
    assert.equal(schema.safeParse({ ...data, worklsit: {} }).success, false);
    assert.equal(schema.safeParse({ ...data, bookings: { every: '5' } }).success, false);
  });
