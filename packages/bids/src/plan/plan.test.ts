import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseRules } from '../rules/parse.ts';
import { ruleSet } from '../rules/set.ts';
import type { RuleSet } from '../rules/types.ts';
import { suggestRules } from '../suggest.ts';
import type { Output, Plan, PlannedSeries, SeriesFacts, SessionFacts } from '../types.ts';
import type { PlanOptions } from './options.ts';
import { planSession } from './plan.ts';

const GEOMETRY = {
  rows: 64,
  columns: 64,
  slices: 30,
  spacing: [3, 3, 3],
  orientation: [1, 0, 0, 0, 1, 0],
  position: [-96, -96, -45],
} as const;

const output = (over: Partial<Output> = {}): Output => ({
  name: 'image',
  imageType: ['ORIGINAL', 'PRIMARY', 'M'],
  part: 'mag',
  echo: undefined,
  echoTime: 0.03,
  inversionTime: undefined,
  phaseEncodingDirection: 'j',
  shim: undefined,
  sidecar: {},
  ...over,
});

type Over = Partial<SeriesFacts> & { readonly name: string };

/** Number and time go up with the place in the session. */
const facts = ({ name, ...over }: Over, index: number): SeriesFacts => ({
  id: `s${index + 1}`,
  seriesInstanceUid: `1.2.${index + 1}`,
  studyInstanceUid: '1.2',
  accessionNumber: 'A1',
  seriesNumber: index + 1,
  folder: `raw/${index + 1}`,
  modality: 'MR',
  manufacturer: 'SIEMENS',
  model: 'Prisma',
  scanner: 'PRISMA',
  protocolName: name,
  seriesDescription: name,
  sequenceName: '',
  mrAcquisitionType: '2D',
  acquired: {
    from: `2026-11-30T10:${String(index).padStart(2, '0')}:00.000000`,
    to: `2026-11-30T10:${String(index).padStart(2, '0')}:30.000000`,
  },
  images: 1,
  volumes: 1,
  whole: true,
  plannedVolumes: undefined,
  bValues: [],
  geometry: GEOMETRY,
  outputs: [output()],
  unconvertible: undefined,
  ...over,
});

const session = (series: readonly Over[], over: Partial<SessionFacts> = {}): SessionFacts => ({
  project: '3010000.01',
  subject: 'sub-001',
  session: 'ses-mr01',
  accessionNumber: 'A1',
  series: series.map(facts),
  ...over,
});

const plan = (series: readonly Over[], options: Partial<PlanOptions> = {}, rules = ruleSet()): Plan =>
  planSession(session(series), rules, options);
const shortOf = ({ decision, outputs }: PlannedSeries): string =>
  decision === 'convert'
    ? outputs.map(({ path }) => path.split('/').at(-1)?.replace('sub-001_ses-mr01_', '')).join(' ')
    : decision;
const shown = (made: Plan): string[] => made.series.map(shortOf);

const BOLD = { name: 'func-bold_task-rest', volumes: 200, plannedVolumes: 200 };
const rules = (text: string): RuleSet => {
  const read = parseRules(text, 'rules.yaml');
  assert.ok(read.ok, JSON.stringify(read));
  return ruleSet(read.rules);
};

test('repeats: the last whole take wins the plain name, or all are numbered', () => {
  const three = [BOLD, BOLD, BOLD];
  assert.deepEqual(shown(plan(three)), ['repeat', 'repeat', 'task-rest_bold']);
  assert.match(plan(three).series[0]?.reason ?? '', /series 3 is a later whole take/);
  assert.deepEqual(shown(plan(three, { repeats: 'runs' })), [
    'task-rest_run-1_bold',
    'task-rest_run-2_bold',
    'task-rest_run-3_bold',
  ]);
  assert.deepEqual(shown(plan([BOLD], { repeats: 'runs' })), ['task-rest_bold']);
  const numbered = { ...BOLD, name: 'func-bold_task-rest_run+' };
  assert.deepEqual(shown(plan([numbered, numbered])), ['task-rest_run-1_bold', 'task-rest_run-2_bold']);
});

test('repeats: time of acquisition counts, not the number of the series', () => {
  const late = { ...BOLD, acquired: { from: '2026-11-30T11:00:00', to: '2026-11-30T11:05:00' } };
  assert.deepEqual(shown(plan([late, BOLD])), ['task-rest_bold', 'repeat']);
});

test('repeats: ReproIn’s __dup is the take that was given up, and never another image', () => {
  assert.deepEqual(shown(plan([{ ...BOLD, name: 'func-bold_task-rest__dup01' }, BOLD])), [
    'repeat',
    'task-rest_bold',
  ]);
});

test('aborted: fewer volumes than planned, than its rule wants, than another take; a last volume without all slices', () => {
  const few = { ...BOLD, volumes: 80 };
  assert.deepEqual(shown(plan([BOLD, few])), ['task-rest_bold', 'aborted']);
  assert.deepEqual(shown(plan([few])), ['aborted']);
  const unplanned = { ...BOLD, plannedVolumes: undefined };
  assert.deepEqual(shown(plan([unplanned, { ...unplanned, volumes: 179 }])), ['task-rest_bold', 'aborted']);
  assert.deepEqual(shown(plan([unplanned, { ...unplanned, volumes: 181 }])), ['repeat', 'task-rest_bold']);
  assert.deepEqual(shown(plan([{ ...BOLD, whole: false }])), ['aborted']);
  const own = rules(
    "rules:\n  - when: {name: '^func-bold'}\n    datatype: func\n    suffix: bold\n    entities: {task: rest}\n    minimumVolumes: 70\n",
  );
  assert.deepEqual(shown(plan([few], {}, own)), ['task-rest_bold']);
  assert.match(
    plan([{ ...BOLD, volumes: 60 }], {}, own).series[0]?.reason ?? '',
    /60 volumes, and its rule wants 70/,
  );
});

test('a reference image has the fate and the number of the run that follows it', () => {
  const sbref = { name: 'func-bold_task-rest', seriesDescription: 'func-bold_task-rest_SBRef' };
  const few = { ...BOLD, volumes: 80 };
  assert.deepEqual(shown(plan([sbref, few, sbref, BOLD])), [
    'repeat',
    'aborted',
    'task-rest_sbref',
    'task-rest_bold',
  ]);
  assert.deepEqual(shown(plan([sbref, BOLD, sbref, few])), [
    'task-rest_sbref',
    'task-rest_bold',
    'repeat',
    'aborted',
  ]);
  assert.deepEqual(shown(plan([sbref, BOLD, sbref, BOLD], { repeats: 'runs' })), [
    'task-rest_run-1_sbref',
    'task-rest_run-1_bold',
    'task-rest_run-2_sbref',
    'task-rest_run-2_bold',
  ]);
});

test('magnitude and phase of one run are told apart by part, also from two series, and stay together', () => {
  const phase = { ...BOLD, outputs: [output({ name: 'image_ph', part: 'phase' })] };
  assert.deepEqual(shown(plan([BOLD, phase])), ['task-rest_part-mag_bold', 'task-rest_part-phase_bold']);
  const few = { ...BOLD, volumes: 80 };
  assert.deepEqual(shown(plan([BOLD, phase, few, { ...phase, volumes: 80 }])), [
    'task-rest_part-mag_bold',
    'task-rest_part-phase_bold',
    'aborted',
    'aborted',
  ]);
  assert.deepEqual(shown(plan([BOLD])), ['task-rest_bold']);
});

test('echoes of one series get numbers; two images of one series with one name are a conflict', () => {
  const echoes = [1, 2].map((echo) => output({ name: `e${echo}`, echo, echoTime: echo / 100 }));
  assert.deepEqual(shown(plan([{ ...BOLD, outputs: echoes }])), [
    'task-rest_echo-1_bold task-rest_echo-2_bold',
  ]);
  const twice = plan([
    { ...BOLD, outputs: [output({ name: 'a' }), output({ name: 'b' })] },
    { name: 'anat-T1w' },
  ]);
  assert.deepEqual(
    twice.conflicts.map(({ code, series }) => [code, series]),
    [['BIDS_NAME_TAKEN', ['s1']]],
  );
  assert.deepEqual(shown(twice), ['unknown', 'T1w']);
});

test('two protocols under one name are a conflict of both, and nothing else stops', () => {
  const own = rules("rules:\n  - when: {name: '^t1'}\n    datatype: anat\n    suffix: T1w\n");
  const made = plan([{ name: 't1_mprage' }, { name: 't1_space' }, BOLD], {}, own);
  assert.deepEqual(shown(made), ['unknown', 'unknown', 'task-rest_bold']);
  assert.match(made.conflicts[0]?.message ?? '', /Series 1 and series 2 have different protocols/);
});

test('a name that ReproIn or the project gives is kept from a series that only a shipped rule would name so', () => {
  const made = plan([{ name: 'anat-T1w' }, { name: 'wip_mprage_new' }]);
  assert.deepEqual(shown(made), ['T1w', 'unknown']);
  assert.deepEqual(made.conflicts[0]?.series, ['s2']);
});

test('never guessed: a functional series without a task, and one that no rule takes, with a rule that would', () => {
  const made = plan([{ name: 'func-bold' }, { name: "zq's (new) [seq]", volumes: 300 }]);
  assert.deepEqual(shown(made), ['unknown', 'unknown']);
  assert.match(made.series[0]?.reason ?? '', /needs task-/);
  const text = `rules:\n${(made.series[1]?.suggestion ?? '').replace(/^/gm, '  ')}`.replace('TASK', 'zq');
  assert.deepEqual(shown(plan([{ name: "zq's (new) [seq]", volumes: 300 }], {}, rules(text))), [
    'task-zq_bold',
  ]);
});

test('suggestions: each kind once, with how often; the file is one of rules', () => {
  const odd = { name: 'zq', volumes: 300 };
  const text = suggestRules([session([odd, odd, BOLD]), session([odd, { name: 'yy' }])], ruleSet());
  assert.equal(text.match(/- when/g)?.length, 2);
  assert.match(text, /# 3 series/);
  assert.ok(parseRules(text.replace('TASK', 'zq'), 'x.yaml').ok);
  assert.equal(suggestRules([session([BOLD])], ruleSet()), 'rules: []\n');
});

test('a label of which BIDS leaves nothing is a conflict of the whole session', () => {
  const made = planSession(session([BOLD], { subject: 'sub-Ж' }), ruleSet());
  assert.deepEqual(
    made.conflicts.map(({ code }) => code),
    ['BIDS_NAME'],
  );
});

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

test('whatever comes: one decision for each series, a reason, and no path twice', () => {
  const names = [
    ...['func-bold_task-rest', 'func-bold_task-rest_run+', 'func-bold_task-rest_SBRef', 'anat-T1w', 'fmap'],
    ...['fmap-epi_dir-AP', 'dwi', 'ep2d_bold_x', 't1_mprage', 'gre_field_mapping', '', 'zq', 'Ж'],
  ];
  const anOutput = fc.record({
    part: fc.constantFrom('mag', 'phase', undefined),
    echo: fc.constantFrom(undefined, 1, 2),
  });
  const aSeries = fc.record({
    name: fc.constantFrom(...names),
    volumes: fc.constantFrom(1, 3, 80, 200),
    whole: fc.boolean(),
    plannedVolumes: fc.constantFrom(undefined, 200),
    seriesNumber: fc.constantFrom(undefined, 1, 2),
    acquired: fc.constantFrom(
      { from: '', to: '' },
      { from: 'nonsense', to: '' },
      { from: '2026-11-30T10:00:00', to: '' },
    ),
    bValues: fc.constantFrom([], [0, 1000]),
    geometry: fc.constantFrom(GEOMETRY, undefined),
    outputs: fc
      .array(anOutput, { maxLength: 3 })
      .map((all) => all.map((one, index) => output({ ...one, name: `o${index}` }))),
  });
  fc.assert(
    fc.property(fc.array(aSeries, { maxLength: 8 }), fc.constantFrom('last', 'runs'), (series, repeats) => {
      const made = plan(series, { repeats });
      assert.equal(made.series.length, series.length);
      const disputed = new Set(made.conflicts.flatMap((one) => one.series));
      const paths = made.series.flatMap(({ outputs }) => outputs.map(({ path }) => path));
      assert.equal(new Set(paths).size, paths.length);
      for (const one of made.series) {
        assert.notEqual(one.reason, '');
        assert.equal(one.outputs.length > 0, one.decision === 'convert');
        if (disputed.has(one.id)) assert.notEqual(one.decision, 'convert');
      }
      assert.deepEqual(plan(series, { repeats }), made);
    }),
  );
});
