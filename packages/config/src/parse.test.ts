import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { jsonSchema } from './schema.ts';
import { formatIssue } from './issue.ts';
import { MINIMUM } from './mistakes-kit.test.ts';
import { parseConfig } from './load.ts';

const read = (path: string): Promise<string> =>
  readFile(new URL(`../../../${path}`, import.meta.url), 'utf8');

/** The issues of MINIMUM with further lines, as `line:column: path: message`. */
function mistakes(...more: string[]): string[] {
  const result = parseConfig(MINIMUM + more.join('\n'), 'f');
  return result.ok ? [] : result.issues.map((issue) => formatIssue(issue).slice(2));
}

/** The same, with one line of MINIMUM replaced. */
function mistakesWith(line: string): string[] {
  const key = line.split(':')[0] ?? '';
  const text = MINIMUM.replace(new RegExp(`^${key}:.*$`, 'm'), line);
  const result = parseConfig(text, 'f');
  return result.ok ? [] : result.issues.map((issue) => formatIssue(issue).slice(2));
}

test('config: the sample is good', async () => {
  const result = parseConfig(await read('config/scanflow.yaml'), 'scanflow.yaml');
  assert.deepEqual(result.ok ? [] : result.issues, []);
});

test('config: the sample for several streamers is the sample with both databases (npm run generate)', async () => {
  const [sample, scale] = await Promise.all([
    read('config/scanflow.yaml'),
    read('config/scanflow.scale.yaml'),
  ]);
  assert.ok(scale.startsWith(sample));
  assert.match(
    scale.slice(sample.length),
    /^\n#.*\ndashboard:\n {2}database:\n {4}url: .*\n {4}passwordFile: .*\nledger:\n {2}url: .*\n {2}passwordFile: .*\n {2}cal2wl:\n {4}user: .*\n {4}passwordFile: .*\n$/,
  );
});

test('config: the JSON Schema is what the schema says (npm run generate)', async () => {
  assert.equal(await read('config/scanflow.schema.json'), jsonSchema());
});

test('config: what is left out has the documented default', () => {
  const result = parseConfig(MINIMUM, 'f');
  assert.ok(result.ok);
  const { config } = result;
  assert.equal(config.bookings.every, 60_000);
  assert.deepEqual(config.bookings.window, { before: 12 * 3_600_000, after: 7 * 86_400_000 });
  assert.equal(config.arrivals.quiet, 60_000);
  const tag = { apply: 'stored+forwarded', group: '0021', creator: 'SCANFLOW', element: '10' };
  assert.deepEqual(config.tag, { ...tag, value: 'DICOM send', accession: undefined, time: undefined });
  assert.equal(config.worklist.bind, '127.0.0.1');
  assert.equal(config.http.bind, '127.0.0.1');
  assert.equal(config.storage.unmatched, 'quarantine');
  assert.ok(config.bookings.patterns[0]?.exec('3010000.01 sub-001 ses-mri01'));
});

test('config: every mistake at once, in the order of the file, rules between values among them', () => {
  const result = parseConfig(
    [
      'facility: { name: Here, timezone: Mars/Olympus }',
      'data: data',
      'scanners:',
      '  a: { aet: SAME, modality: MR }',
      '  b: { aet: SAME, modality: MR }',
      'calendars: { c: { scanner: d, file: c.ics } }',
      'orthanc: { url: orthanc, pasword: x }',
      'storage: { layout: x }',
      'arrivals: { quiet: 5 }',
      'nonsense: 1',
    ].join('\n'),
    'f',
  );
  assert.deepEqual(result.ok ? [] : result.issues.map(({ line, path }) => `${line} ${path}`), [
    '1 facility.timezone',
    '2 data',
    '5 scanners.b.aet',
    '6 calendars.c.scanner',
    '7 orthanc.url',
    '7 orthanc.pasword',
    '8 storage.root',
    '9 arrivals.quiet',
    '10 nonsense',
  ]);
});

const CASES: readonly (readonly [name: string, line: string, expected: readonly RegExp[]])[] = [
  [
    'a misspelt key',
    'worklist: { prt: 3 }',
    [/^6:13: worklist\.prt: there is no such key; did you mean port\?$/],
  ],
  [
    'a duration without a unit',
    'arrivals: { quiet: 5 }',
    [/^6:20: arrivals\.quiet: expected a duration like 90s.*got 5$/],
  ],
  ['a duration of nothing', 'arrivals: { quiet: 0s }', [/duration/]],
  ['a duration beyond ten years', 'worklist: { retain: 4000d }', [/worklist\.retain: .*forever.*3650d/]],
  [
    'a window beyond ten years',
    'bookings: { window: { before: 4000d } }',
    [/bookings\.window\.before: .*3650d, got "4000d"/],
  ],
  ['a group that YAML read as a number', 'tag: { group: 0021 }', [/^6:15: tag\.group: .*in quotes/]],
  ['an even group', "tag: { group: '0020' }", [/odd group/]],
  [
    'two things in one element',
    'tag: { accession: true, time: "11" }',
    [/^6:31: tag\.time: element 11 holds/],
  ],
  [
    'an element that YAML read as a number',
    'tag: { time: 12 }',
    [/^6:14: tag\.time: expected true, false or/],
  ],
  ['an element of one digit', "tag: { accession: '1' }", [/^6:19: tag\.accession: expected two hex/]],
  ['an AE title of 17 characters', 'worklist: { aet: SEVENTEEN_LETTERS }', [/1 to 16 ASCII characters/]],
  [
    'an AE title with a backslash',
    "worklist: { allow: ['A\\B'] }",
    [/worklist\.allow\.0: expected an AE title/],
  ],
  ['a pattern that is none', "bookings: { patterns: ['('] }", [/expected a regular expression/]],
  [
    'a pattern without its groups',
    "bookings: { patterns: ['(?<project>x)'] }",
    [/lacks the named groups \(\?<subject>…\), \(\?<session>…\)/],
  ],
  ['a template with an unknown label', "bookings: { patientId: '{projekt}' }", [/\{projekt\} is no label/]],
  [
    'a calendar of no place',
    'calendars: { c: { scanner: prisma } }',
    [/^6:17: calendars\.c: expected exactly one of url, file, folder, caldav$/],
  ],
  [
    'a calendar of an unknown scanner',
    'calendars: { c: { scanner: skyra, file: c.ics } }',
    [/there is no scanner skyra.*there: prisma/],
  ],
  [
    'a user without a password file',
    'calendars: { c: { scanner: prisma, url: https://h/c.ics, username: u } }',
    [/username needs a passwordFile/],
  ],
  [
    'a password in the file',
    'calendars: { c: { scanner: prisma, url: https://h/c.ics, username: u, password: p } }',
    [/password: there is no such key \(known here: .*passwordFile/],
  ],
  ['a port out of range', 'destinations: { p: { host: h, port: 70000, aet: P } }', [/destinations\.p\.port/]],
  [
    'TLS without its files',
    'worklist: { tls: {} }',
    [/worklist\.tls\.key: is missing/, /worklist\.tls\.certificate: is missing/],
  ],
];
for (const [name, line, expected] of CASES)
  test(`config: ${name} is shown`, () => {
    const found = mistakes(line);
    assert.equal(found.length, expected.length, found.join('\n'));
    for (const one of expected)
      assert.ok(
        found.some((text) => one.test(text)),
        `${String(one)} in ${found.join('\n')}`,
      );
  });

for (const [name, layout] of [
  ['leaves the root', '../{SOPInstanceUID}'],
  ['is absolute', '/x/{SOPInstanceUID}'],
  ['lacks the SOP Instance UID', '{project}/{InstanceNumber}.dcm'],
  ['has an unclosed brace', '{project/{SOPInstanceUID}'],
] as const)
  test(`config: a layout that ${name} is shown`, () => {
    const found = mistakesWith(`storage: { root: /project, layout: '${layout}' }`);
    assert.equal(found.length, 1, found.join('\n'));
    assert.match(found[0] ?? '', /^5:36: storage\.layout: /);
  });

test('config: what is missing is shown at the mapping that lacks it', () =>
  assert.deepEqual(mistakesWith('orthanc: { username: u, passwordFile: p }'), [
    '4:10: orthanc.url: is missing and must be given',
  ]));

for (const [name, text] of [
  ['not YAML', 'a: [\nb: {'],
  ['a key twice', `${MINIMUM}data: /other`],
  ['empty', ''],
  ['only a comment', '# nothing\n'],
  ['a list', '- a\n'],
  [
    'aliases that multiply',
    `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: *b`,
  ],
] as const)
  test(`config: a file that is ${name} is an issue, not an exception`, () => {
    const result = parseConfig(text, 'f');
    assert.ok(!result.ok);
    assert.ok(result.issues.every(({ line, column, message }) => line >= 1 && column >= 1 && message !== ''));
    assert.notEqual(result.issues.length, 0);
  });
