import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parsePath } from '../names.ts';
import { parseRules } from '../rules/parse.ts';
import { ruleSet } from '../rules/set.ts';
import { suggestRules } from '../suggest.ts';
import type { Output, SeriesFacts, SessionFacts } from '../types.ts';
import { planSession } from './plan.ts';

const NAMES = [
  ...['anat-T1w', 'anat-scout', 'func-bold_task-rest', 'func-bold_task-rest_run-1', 'func_run+_task-rest'],
  ...[
    'func-bold_task-rest_SBRef',
    'func-bold_task-rest__dup-01',
    'func-bold',
    'fmap-epi_dir-AP',
    'fmap-epi_dir-PA',
  ],
  ...[
    'fmap_acq-gre',
    'dwi_dir-AP',
    'dwi_dir-AP_SBRef',
    'perf-asl',
    't1_mprage',
    'T1_MPRAGE',
    'gre_field_mapping',
  ],
  ...[
    'SpinEchoFieldMap_AP',
    'ep2d_bold_rest',
    'mp2rage_UNI',
    'research',
    '',
    '\u0000',
    "it's {a: b}",
    'ünïcode',
  ],
];

const output: fc.Arbitrary<Output> = fc.record({
  name: fc.constantFrom('a', 'a_e2', 'a_ph', 'a_ADC'),
  imageType: fc.constantFrom(
    ['ORIGINAL', 'PRIMARY', 'M'],
    ['ORIGINAL', 'PRIMARY', 'P'],
    ['DERIVED', 'PRIMARY', 'ADC'],
  ),
  part: fc.constantFrom(undefined, 'mag' as const, 'phase' as const),
  echo: fc.constantFrom(undefined, 1, 2),
  echoTime: fc.constantFrom(undefined, 0.03),
  inversionTime: fc.constant(undefined),
  phaseEncodingDirection: fc.constantFrom(undefined, 'j', 'j-'),
  shim: fc.constantFrom(undefined, [1, 2, 3], [4, 5, 6]),
  sidecar: fc.constant({}),
});

const series: fc.Arbitrary<SeriesFacts> = fc.record({
  id: fc.uuid(),
  seriesInstanceUid: fc.constant('1.2.3'),
  studyInstanceUid: fc.constant('1.2'),
  accessionNumber: fc.constant('A1'),
  seriesNumber: fc.option(fc.nat(9), { nil: undefined }),
  folder: fc.constant('folder'),
  modality: fc.constantFrom('MR', 'PT', 'SR'),
  manufacturer: fc.constantFrom('SIEMENS', 'GE MEDICAL SYSTEMS', 'Philips', 'UIH', ''),
  model: fc.constant(''),
  scanner: fc.constant('PRISMA'),
  protocolName: fc.constantFrom(...NAMES),
  seriesDescription: fc.constantFrom(...NAMES),
  sequenceName: fc.constantFrom('', 'epfid2d1_64', 'fm2d2r', 'tfl3d1'),
  mrAcquisitionType: fc.constantFrom('2D', '3D', ''),
  acquired: fc
    .constantFrom(
      '',
      '2026-11-30T10:00:00.000000',
      '2026-11-30T10:05:00.000000',
      '2026-11-30T10:10:00.000000',
      'odd',
    )
    .map((from) => ({ from, to: from })),
  images: fc.nat(200),
  volumes: fc.constantFrom(0, 1, 3, 60, 100, 200),
  whole: fc.boolean(),
  plannedVolumes: fc.constantFrom(undefined, 100),
  bValues: fc.constantFrom([], [0], [0, 1000]),
  geometry: fc.constantFrom(undefined, {
    rows: 64,
    columns: 64,
    slices: 32,
    spacing: [2, 2, 2] as const,
    orientation: [1, 0, 0, 0, 1, 0],
    position: [0, 0, 0],
  }),
  outputs: fc.uniqueArray(output, { maxLength: 4, selector: ({ name }) => name }),
  unconvertible: fc.constantFrom(undefined, 'no images'),
});

const session: fc.Arbitrary<SessionFacts> = fc.record({
  project: fc.constant('p'),
  subject: fc.constantFrom('sub-001', '002'),
  session: fc.constantFrom(undefined, 'ses-mr01'),
  accessionNumber: fc.constant('A1'),
  series: fc.uniqueArray(series, { maxLength: 8, selector: ({ id }) => id }),
});

const options = fc.record({
  repeats: fc.constantFrom('last' as const, 'runs' as const),
  fieldmaps: fc.subarray(['IntendedFor' as const, 'B0Field' as const]),
});

const RULES = ruleSet();

test('plan: whatever a session holds, each series has one decision, and no two images one path', () => {
  fc.assert(
    fc.property(session, options, (facts, how) => {
      const plan = planSession(facts, RULES, how);
      assert.deepEqual(
        plan.series.map(({ id }) => id),
        facts.series.map(({ id }) => id),
      );
      const paths = plan.series.flatMap(({ outputs }) => outputs.map(({ path }) => path.toLowerCase()));
      assert.equal(new Set(paths).size, paths.length);
      for (const { decision, outputs, reason } of plan.series) {
        assert.equal(decision === 'convert', outputs.length > 0);
        assert.notEqual(reason, '');
        for (const { path } of outputs) assert.ok(parsePath(path) !== undefined, path);
      }
    }),
    { numRuns: 500 },
  );
});

test('plan: what needs a person is not converted, and the order in which series are listed changes nothing', () => {
  fc.assert(
    fc.property(session, options, (facts, how) => {
      const plan = planSession(facts, RULES, how);
      const held = new Set(plan.conflicts.flatMap((conflict) => conflict.series));
      for (const one of plan.series) if (held.has(one.id)) assert.deepEqual(one.outputs, []);
      const turned = planSession({ ...facts, series: facts.series.toReversed() }, RULES, how);
      const byId = (of: typeof plan): unknown =>
        of.series
          .toSorted((one, other) => (one.id < other.id ? -1 : 1))
          .map((one) => ({
            ...one,
            outputs: one.outputs.toSorted((x, y) => (x.path < y.path ? -1 : 1)),
          }));
      assert.deepEqual(byId(turned), byId(plan));
    }),
    { numRuns: 300 },
  );
});

test('plan: links of field maps lead to images of the same plan', () => {
  fc.assert(
    fc.property(session, (facts) => {
      const images = planSession(facts, RULES).series.flatMap(({ outputs }) => outputs);
      const paths = new Set(images.map(({ path }) => `bids::${path}.nii.gz`));
      const maps = new Set(images.flatMap(({ metadata }) => [metadata['B0FieldIdentifier']].flat()));
      for (const { metadata } of images) {
        for (const uri of (metadata['IntendedFor'] ?? []) as string[]) assert.ok(paths.has(uri), uri);
        if (metadata['B0FieldSource'] !== undefined) assert.ok(maps.has(metadata['B0FieldSource']));
      }
    }),
    { numRuns: 300 },
  );
});

test('suggestions: what is suggested is a file of rules, whatever the names hold', () => {
  fc.assert(
    fc.property(fc.array(session, { maxLength: 3 }), (sessions) => {
      const read = parseRules(suggestRules(sessions, RULES), 'suggested.yaml');
      assert.ok(read.ok, JSON.stringify(read));
    }),
    { numRuns: 100 },
  );
});
