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
`);
  const [made, m0] = plan([asl, { name: 'perf-m0scan' }], {}, set).series;
  assert.deepEqual(made?.outputs[0]?.aslContext, ['m0scan', 'control', 'label', 'control', 'label']);
  assert.deepEqual(m0?.outputs[0]?.metadata, {
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
