import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SeriesFacts } from '../types.ts';
import { GEOMETRY, output, type Over, plan, shown, BOLD, rules } from './plan-kit.test.ts';

test('field maps: same place, same shim, nearest in time; URIs in the map, identifiers in both', () => {
  const epi = (dir: string, over: Partial<SeriesFacts> = {}): Over => ({
    name: `fmap-epi_dir-${dir}`,
    ...over,
  });
  const first = [epi('AP'), epi('PA'), BOLD];
  const second = [
    epi('AP', { protocolName: 'fmap-epi_acq-two_dir-AP' }),
    epi('PA', { protocolName: 'fmap-epi_acq-two_dir-PA' }),
    { ...BOLD, name: 'func-bold_task-nback' },
  ];
  const made = plan([...first, ...second]);
  const metadata = (index: number): Readonly<Record<string, unknown>> | undefined =>
    made.series[index]?.outputs[0]?.metadata;
  assert.equal(metadata(2)?.['B0FieldSource'], 'pepolar');
  assert.equal(metadata(5)?.['B0FieldSource'], 'acq_two_pepolar');
  assert.deepEqual(metadata(3)?.['IntendedFor'], [
    'bids::sub-001/ses-mr01/func/sub-001_ses-mr01_task-nback_bold.nii.gz',
  ]);
  assert.equal(metadata(0)?.['B0FieldIdentifier'], 'pepolar');
  const moved = { ...BOLD, geometry: { ...GEOMETRY, position: [-96, -96, -20] as const } };
  const off = plan([epi('AP'), epi('PA'), moved]);
  assert.equal(off.series[2]?.outputs[0]?.metadata['B0FieldSource'], undefined);
  assert.match(off.series[2]?.reason ?? '', /no field map has its geometry and shim/);
  const shimmed = plan([
    epi('AP', { outputs: [output({ shim: [1, 2, 3] })] }),
    { ...BOLD, outputs: [output({ shim: [9, 2, 3] })] },
  ]);
  assert.equal(shimmed.series[1]?.outputs[0]?.metadata['B0FieldSource'], undefined);
  const none = plan(first, { fieldmaps: [] });
  assert.deepEqual(none.series[0]?.outputs[0]?.metadata, {});
});

test('a phase difference has both echo times of its magnitudes', () => {
  const magnitudes = [1, 2].map((echo) => output({ name: `e${echo}`, echo, echoTime: echo / 200 }));
  const made = plan([
    { name: 'fmap', outputs: magnitudes },
    { name: 'fmap', outputs: [output({ name: 'ph', part: 'phase', echo: 2 })] },
  ]);
  assert.deepEqual(shown(made), ['magnitude1 magnitude2', 'phasediff']);
  const { EchoTime1, EchoTime2 } = made.series[1]?.outputs[0]?.metadata ?? {};
  assert.deepEqual([EchoTime1, EchoTime2], [0.005, 0.01]);
});

test('ASL: a rule says what each volume is; without it the series stays, and an M0 scan names its ASL series', () => {
  const asl = { name: 'perf-asl', volumes: 5 };
  assert.deepEqual(shown(plan([asl])), ['unknown']);
  const set = rules(`rules:
  - when: {name: perf-asl}
    datatype: perf
    suffix: asl
    aslContext: {first: [m0scan], then: [control, label]}
    metadata:
      ArterialSpinLabelingType: PASL
      BolusCutOffFlag: false
      PostLabelingDelay: 1.8
      BackgroundSuppression: false
      M0Type: Included
      TotalAcquiredPairs: 2
      RepetitionTimePreparation: 4
      MagneticFieldStrength: 3
      MRAcquisitionType: 3D
  - when: {name: perf-m0scan}
    datatype: perf
    suffix: m0scan
    metadata: {EchoTime: 0.01, RepetitionTimePreparation: 4}
`);
  const [made, m0] = plan([asl, { name: 'perf-m0scan' }], {}, set).series;
  assert.deepEqual(made?.outputs[0]?.aslContext, ['m0scan', 'control', 'label', 'control', 'label']);
  assert.deepEqual(m0?.outputs[0]?.metadata, {
    ...{ EchoTime: 0.01, RepetitionTimePreparation: 4 },
    IntendedFor: ['bids::sub-001/ses-mr01/perf/sub-001_ses-mr01_asl.nii.gz'],
  });
});

test('field maps: acquired again after a break, both stay, each for the runs next to it', () => {
  const at = (time: string): Partial<SeriesFacts> => ({
    acquired: { from: `2026-11-30T${time}:00.000000`, to: `2026-11-30T${time}:10.000000` },
  });
  const map = (name: string, time: string): Over => ({ name, ...at(time) });
  const made = plan([
    map('fmap-epi_dir-AP', '10:00'),
    map('fmap-epi_dir-PA', '10:01'),
    { ...BOLD, name: 'func-bold_task-one', ...at('10:02') },
    map('fmap-epi_dir-AP', '11:00'),
    map('fmap-epi_dir-PA', '11:01'),
    { ...BOLD, name: 'func-bold_task-two', ...at('11:02') },
  ]);
  assert.deepEqual(shown(made), [
    ...['dir-AP_run-1_epi', 'dir-PA_run-1_epi', 'task-one_bold'],
    ...['dir-AP_run-2_epi', 'dir-PA_run-2_epi', 'task-two_bold'],
  ]);
  const targets = made.series.map(({ outputs }) =>
    String(outputs[0]?.metadata['IntendedFor']).split('_').at(-2),
  );
  assert.deepEqual(
    [0, 1, 3, 4].map((index) => targets[index]),
    ['task-one', 'task-one', 'task-two', 'task-two'],
  );
});

test('field maps: all images in one series, acquired twice', () => {
  const whole = {
    name: 'fmap_acq-gre',
    outputs: [
      output({ name: 'a_e1', echo: 1, echoTime: 0.004 }),
      output({ name: 'a_e2', echo: 2, echoTime: 0.006 }),
      output({ name: 'a_e2_ph', echo: 2, part: 'phase' }),
    ],
  };
  const names = (run: string): string =>
    ['magnitude1', 'magnitude2', 'phasediff'].map((suffix) => `acq-gre_${run}${suffix}`).join(' ');
  assert.deepEqual(shown(plan([whole])), [names('')]);
  assert.deepEqual(shown(plan([whole, whole])), [names('run-1_'), names('run-2_')]);
});

test('magnitude and phase in one series are one take, whichever dcm2niix names first', () => {
  const both = [output({ name: 'a' }), output({ name: 'b', part: 'phase' })];
  const run = (outputs: typeof both): Over => ({ ...BOLD, outputs });
  const last = 'task-rest_part-phase_bold task-rest_part-mag_bold';
  assert.deepEqual(shown(plan([run(both), run(both.toReversed())])), ['repeat', last]);
});

const minute = (at: number): Partial<SeriesFacts> => {
  const time = `2026-11-30T10:${String(at).padStart(2, '0')}`;
  return { acquired: { from: `${time}:00.000000`, to: `${time}:30.000000` } };
};
const epi = (dir: string, at: number, over: Partial<SeriesFacts> = {}): Over => ({
  name: `fmap-epi_dir-${dir}`,
  ...minute(at),
  ...over,
});
const run = (task: string, at: number, over: Partial<SeriesFacts> = {}): Over => ({
  ...BOLD,
  name: `func-bold_task-${task}`,
  ...minute(at),
  ...over,
});
/** For each run, the names of the maps that say they are of its field. */
const pairs = (series: readonly Over[]): Record<string, string> => {
  const images = plan(series).series.flatMap(({ outputs }) => outputs);
  const named = (path: string): string => path.split('/').at(-1)?.replace('sub-001_ses-mr01_', '') ?? '';
  return Object.fromEntries(
    images.flatMap(({ path, target, metadata }) => {
      if (target.suffix !== 'bold') return [];
      const own = images.filter((map) =>
        [map.metadata['B0FieldIdentifier']].flat().includes(metadata['B0FieldSource']),
      );
      const intended = images.filter((map) =>
        ((map.metadata['IntendedFor'] ?? []) as string[]).includes(`bids::${path}.nii.gz`),
      );
      const names = metadata['B0FieldSource'] === undefined ? [] : own.map((map) => named(map.path));
      assert.deepEqual(
        intended.map((map) => named(map.path)),
        names,
        'both ways of BIDS say the same',
      );
      return [[target.entities['task'] ?? '', names.sort().join(' ')]];
    }),
  );
};

test('reversed phases: a direction that was acquired again goes with the other one', () => {
  const cases = [
    [[epi('AP', 0), epi('PA', 1), epi('AP', 2), run('a', 3)], { a: 'dir-AP_run-2_epi dir-PA_epi' }],
    [[epi('AP', 0), epi('AP', 1), epi('PA', 2), run('a', 3)], { a: 'dir-AP_run-2_epi dir-PA_epi' }],
    [
      [epi('AP', 0), epi('PA', 1), run('a', 2), epi('PA', 8), run('b', 9)],
      { a: 'dir-AP_epi dir-PA_run-1_epi', b: 'dir-AP_epi dir-PA_run-2_epi' },
    ],
    [
      [run('a', 0), epi('PA', 1), epi('AP', 2), run('b', 30), epi('PA', 31), epi('AP', 32)],
      { a: 'dir-AP_run-1_epi dir-PA_run-1_epi', b: 'dir-AP_run-2_epi dir-PA_run-2_epi' },
    ],
    [[epi('AP', 0), run('a', 1)], { a: 'dir-AP_epi' }],
  ] as const;
  for (const [series, expected] of cases) {
    assert.deepEqual(pairs(series), expected);
    assert.deepEqual(pairs(series.toReversed()), expected, 'the order of the list changes nothing');
  }
});

test('reversed phases: a pair has one shim and one place, and a nearer map of another does not break it', () => {
  const shimmed = (shim: readonly number[]): Partial<SeriesFacts> => ({ outputs: [output({ shim })] });
  const [one, two] = [shimmed([1, 2, 3]), shimmed([9, 2, 3])];
  assert.deepEqual(
    pairs([
      ...[epi('AP', 0, one), epi('PA', 1, one), run('a', 2, one)],
      // the participant left the table, and only one direction was acquired again
      ...[epi('AP', 30, two), run('b', 31, two), run('c', 32, one)],
    ]),
    { a: 'dir-AP_run-1_epi dir-PA_epi', b: 'dir-AP_run-2_epi', c: 'dir-AP_run-1_epi dir-PA_epi' },
  );
  const moved = { geometry: { ...GEOMETRY, position: [-96, -96, -20] as const } };
  assert.deepEqual(
    pairs([epi('AP', 0), epi('PA', 1), epi('PA', 2, moved), run('a', 3), run('b', 4, moved)]),
    { a: 'dir-AP_epi dir-PA_run-1_epi', b: 'dir-PA_run-2_epi' },
  );
});

test('reversed phases: a map that others outdo names no field, and the plan says so', () => {
  const made = plan([epi('AP', 0), epi('PA', 1), epi('AP', 2), run('a', 3)]);
  const [first, second] = made.series;
  assert.deepEqual(first?.outputs[0]?.metadata, {});
  assert.match(first.reason, /no image needs it: other maps are nearer/);
  assert.equal(second?.outputs[0]?.metadata['B0FieldIdentifier'], 'pepolar_AP2_PA1');
  // without any image to correct, the maps stay together
  const alone = plan([epi('AP', 0), epi('PA', 1)]).series.map(({ outputs }) => outputs[0]?.metadata);
  assert.deepEqual(alone, [{ B0FieldIdentifier: 'pepolar' }, { B0FieldIdentifier: 'pepolar' }]);
});

test('field maps: what rounding explains does not part a map and its run; another adjustment or place does', () => {
  const shim = [301, -72, 14];
  const of = (geometry: SeriesFacts['geometry'], settings: readonly number[]): Partial<SeriesFacts> => ({
    geometry,
    outputs: [output({ shim: settings })],
  });
  const map = of(GEOMETRY, shim);
  const source = (over: Partial<SeriesFacts>): unknown =>
    plan([epi('AP', 0, map), epi('PA', 1, map), run('a', 2, over)]).series[2]?.outputs[0]?.metadata[
      'B0FieldSource'
    ];
  const turned = { ...GEOMETRY, orientation: [1, 0.0004, 0, -0.0004, 1, 0] };
  const shifted = { ...GEOMETRY, position: [-96.4, -96.2, -45.3] };
  for (const geometry of [turned, shifted]) assert.equal(source(of(geometry, [301.2, -72, 14.1])), 'pepolar');
  assert.equal(source(of(GEOMETRY, [312, -72, 14])), undefined);
  assert.equal(source(of({ ...GEOMETRY, position: [-96, -96, -42] }, shim)), undefined);
});
