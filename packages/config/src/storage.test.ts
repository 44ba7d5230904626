import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LAYOUTS, layoutTemplate } from './layouts.ts';
import { parseConfig } from './load.ts';
import type { Config } from './schema.ts';

const text = (storage: string, more = ''): string =>
  [
    'facility: { name: Here, timezone: Europe/Amsterdam }',
    'data: /data',
    'scanners: { prisma: { aet: PRISMA, modality: MR } }',
    'orthanc: { url: http://orthanc:8042 }',
    `storage: { ${storage} }`,
    more,
  ].join('\n');

const KNOWN = new Map([
  ['SOPInstanceUID', 'UI'],
  ['SeriesNumber', 'IS'],
  ['SeriesDescription', 'LO'],
  ['InstanceNumber', 'IS'],
  ['StudyDate', 'DA'],
  ['StudyInstanceUID', 'UI'],
  ['SeriesInstanceUID', 'UI'],
  ['PatientID', 'LO'],
  ['StudyID', 'SH'],
  ['OverlayData', 'OW'],
]);

/** Mistakes without their place. */
function mistakes(storage: string, more = ''): string[] {
  const result = parseConfig(text(storage, more), 'f', KNOWN);
  return result.ok ? [] : result.issues.map(({ path, message }) => `${path}: ${message}`);
}

function storageOf(storage: string): Config['storage'] {
  const result = parseConfig(text(storage), 'f', KNOWN);
  assert.ok(result.ok, JSON.stringify(result));
  return result.config.storage;
}

test('storage: every named layout is a good template', () => {
  for (const name of Object.keys(LAYOUTS)) assert.deepEqual(mistakes(`root: /project, layout: ${name}`), []);
  assert.equal(storageOf('root: /project').layout, 'dccn');
  assert.equal(
    layoutTemplate('dccn'),
    '{project}/raw/{subject}/{session}/{SeriesNumber:3}-{SeriesDescription}/{InstanceNumber:5}_{SOPInstanceUID}.dcm',
  );
});

test('storage: the extension of a named layout', () => {
  assert.match(layoutTemplate('dccn', 'IMA'), /\{SOPInstanceUID\}\.IMA$/);
  assert.match(layoutTemplate('bids-sourcedata', 'none'), /\{SOPInstanceUID\}$/);
  assert.equal(layoutTemplate('a/{SOPInstanceUID}.dcm', 'IMA'), 'a/{SOPInstanceUID}.dcm');
  assert.deepEqual(mistakes("root: /project, layout: 'a/{SOPInstanceUID}', extension: IMA"), [
    'storage.extension: goes with a layout that has a name; write the extension into the layout',
  ]);
});

test('storage: a keyword that is none is shown with its place', () => {
  const result = parseConfig(text("root: /project, layout: 'a/{SeriesNumbr}_{SOPInstanceUID}'"), 'f', KNOWN);
  assert.deepEqual(result, {
    ok: false,
    issues: [
      {
        file: 'f',
        line: 5,
        column: 36,
        path: 'storage.layout',
        message: 'there is no DICOM attribute SeriesNumbr; did you mean SeriesNumber?',
      },
    ],
  });
  assert.deepEqual(mistakes("root: /project, layout: 'a/{OverlayData}_{SOPInstanceUID}'"), [
    'storage.layout: OverlayData is no text and no number (OW)',
  ]);
  assert.match(
    mistakes(
      'root: /project',
      "arrivals: { patterns: { PatientIdd: '^(?<project>a)(?<subject>b)(?<session>c)' } }",
    )[0] ?? '',
    /^arrivals\.patterns\.PatientIdd: there is no DICOM attribute PatientIdd/,
  );
});

test('storage: without a dictionary, keywords are checked for their form', () => {
  assert.ok(parseConfig(text("root: /project, layout: 'a/{Anything}_{SOPInstanceUID}'"), 'f').ok);
});

for (const [name, storage, expected] of [
  [
    'no layout of that name',
    'root: /p, layout: dcnn',
    /there is no layout of that name; did you mean dccn\?/,
  ],
  [
    'BIDS of what is no label',
    "root: /p, layout: '{project:bids}/{SOPInstanceUID}'",
    /cannot be: there are \{subject:bids\}/,
  ],
  ['labels of what has none', 'root: /p, unmatched: dccn', /\{project\} cannot be filled/],
  [
    'labels in the copy',
    'root: /p, copy: { root: /c, layout: dccn }',
    /storage\.copy\.layout: \{project\} cannot be filled/,
  ],
  [
    'a copy within project storage',
    'root: /p, copy: { root: /p//copy/ }',
    /storage\.copy\.root: the copy needs a folder/,
  ],
  [
    'a copy around a root',
    "root: /p, projects: { '301': { root: /c/x } }, copy: { root: /c }",
    /storage\.copy\.root/,
  ],
  [
    'a root that is data',
    "root: /p, projects: { '301': { root: /data/ } }",
    /storage\.projects\.301\.root: .* other than data/,
  ],
  ['a mode that is a number', 'root: /p, fileMode: 640', /fileMode: expected octal digits in quotes/],
  ['a mode without its owner', "root: /p, fileMode: '0440'", /the owner must read and write/],
  ['a folder that cannot be entered', "root: /p, folderMode: '0600'", /the owner must read, write and enter/],
  ['an owner by name', 'root: /p, owner: scanner', /owner: expected a number/],
  ['a size without a unit', 'root: /p, freeSpace: 20', /freeSpace: expected a size like 20GB/],
  ['a percentage too large', 'root: /p, freeSpace: 99%', /freeSpace: expected a size/],
  ['a layout too deep', `root: /p, layout: '${'a/'.repeat(14)}{SOPInstanceUID}'`, /more than 14 parts/],
] as const)
  test(`storage: ${name} is a mistake`, () => {
    const found = mistakes(storage);
    assert.equal(found.length > 0, true);
    assert.match(found[0] ?? '', expected);
  });

test('storage: what stays free', () => {
  assert.deepEqual(storageOf('root: /p, freeSpace: 20GB').freeSpace, { bytes: 20e9 });
  assert.deepEqual(storageOf('root: /p, freeSpace: 1.5GiB').freeSpace, { bytes: 1.5 * 1024 ** 3 });
  assert.deepEqual(storageOf('root: /p, freeSpace: 5%').freeSpace, { fraction: 0.05 });
});

test('storage: a destination cannot be called as a leg of storage', () => {
  const more =
    'destinations: { copy: { host: h, port: 104, aet: A }, storage: { host: h, port: 104, aet: B } }';
  assert.deepEqual(mistakes('root: /p', more), [
    'destinations.copy: the name copy is taken by Scanflow itself; choose another',
    'destinations.storage: the name storage is taken by Scanflow itself; choose another',
  ]);
});

test('storage: files are verified every 30 days unless the configuration says otherwise', () => {
  const { verify } = storageOf('root: /project');
  assert.deepEqual(verify, { every: 30 * 86_400_000, rate: { bytesPerSecond: 50e6 } });
  const given = storageOf(
    "root: /project, verify: { every: never, rate: 600/min, schedule: { from: '19:00', to: '07:00' }, until: 180d }",
  ).verify;
  assert.deepEqual(
    [given.every, given.rate, given.schedule?.length, given.until],
    ['never', { imagesPerMinute: 600 }, 1, 180 * 86_400_000],
  );
  assert.equal(mistakes('root: /project, verify: { every: sometimes }').length, 1);
  assert.match(
    mistakes("root: /project, verify: { schedule: { from: '07:00', to: '07:00' } }")[0] ?? '',
    /whole day/,
  );
});
