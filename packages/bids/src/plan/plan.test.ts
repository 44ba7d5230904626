import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseRules } from '../rules/parse.ts';
import { ruleSet } from '../rules/set.ts';
import { suggestRules } from '../suggest.ts';
import { planSession } from './plan.ts';
import { GEOMETRY, output, session, plan, shown, BOLD, rules, type Over } from './plan-kit.test.ts';

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

/** A series of one acquisition, with these values behind `ORIGINAL, PRIMARY, M`. */
const reconstructed = (
  name: string,
  minute: number,
  values: readonly string[],
  part: 'M' | 'P' = 'M',
): Over => ({
  name,
  acquired: { from: `2026-11-30T10:0${minute}:00.000000`, to: `2026-11-30T10:0${minute}:30.000000` },
  outputs: [
    output({ imageType: ['ORIGINAL', 'PRIMARY', part, ...values], part: part === 'P' ? 'phase' : 'mag' }),
  ],
});

test('reconstructions: one acquisition that Siemens stored normalised and not is no repeat; rec- tells them apart', () => {
  const t1 = 'anat-T1w';
  const [plain, normalised] = [reconstructed(t1, 0, ['ND']), reconstructed(t1, 0, ['ND', 'NORM'])];
  assert.deepEqual(shown(plan([plain, normalised])), ['T1w', 'rec-norm_T1w']);
  assert.deepEqual(shown(plan([normalised, plain])), ['rec-norm_T1w', 'T1w']);
  const corrected = reconstructed(t1, 0, ['DIS3D', 'NORM']);
  assert.deepEqual(shown(plan([plain, corrected])), ['rec-nd_T1w', 'rec-dis3dnorm_T1w']);
  assert.deepEqual(shown(plan([plain, normalised, reconstructed(t1, 0, ['DIS2D'])])), [
    ...['rec-nd_T1w', 'rec-ndnorm_T1w', 'rec-dis2d_T1w'],
  ]);
  // shipped rules, by another name
  assert.deepEqual(
    shown(
      plan([reconstructed('t1_mprage_sag', 0, ['ND']), reconstructed('t1_mprage_sag', 0, ['ND', 'NORM'])]),
    ),
    ['T1w', 'rec-norm_T1w'],
  );
  // acquired again: the last take counts, of each reconstruction
  const again = [reconstructed(t1, 5, ['ND']), reconstructed(t1, 5, ['ND', 'NORM'])];
  assert.deepEqual(shown(plan([plain, normalised, ...again])), ['repeat', 'repeat', 'T1w', 'rec-norm_T1w']);
  assert.deepEqual(shown(plan([plain, normalised, ...again], { repeats: 'runs' })), [
    ...['run-1_T1w', 'rec-norm_run-1_T1w', 'run-2_T1w', 'rec-norm_run-2_T1w'],
  ]);
  // a later one with another reconstruction is a repeat: it is another acquisition
  assert.deepEqual(shown(plan([plain, reconstructed(t1, 5, ['ND', 'NORM'])])), ['repeat', 'T1w']);
});

test('reconstructions: a rule may ignore one of them; a phase is none; a field map has no rec- and keeps the first', () => {
  const set = rules(`rules:
  - when: {name: anat-T1w, not: {imageType: NORM}}
    ignore: the image without normalization
`);
  const both = [reconstructed('anat-T1w', 0, ['ND']), reconstructed('anat-T1w', 0, ['ND', 'NORM'])];
  assert.deepEqual(shown(plan(both, {}, set)), ['ignore', 'T1w']);
  const parts = [
    reconstructed('anat-T2starw', 0, ['ND', 'NORM']),
    reconstructed('anat-T2starw', 0, ['ND'], 'P'),
  ];
  assert.deepEqual(shown(plan(parts)), ['part-mag_T2starw', 'part-phase_T2starw']);
  const maps = [
    reconstructed('fmap-epi_dir-AP', 0, ['ND']),
    reconstructed('fmap-epi_dir-AP', 0, ['ND', 'NORM']),
  ];
  const made = plan(maps);
  assert.deepEqual(shown(made), ['dir-AP_epi', 'repeat']);
  assert.match(made.series[1]?.reason ?? '', /another reconstruction of series 1, and BIDS has no rec-/);
});

test('maps that the scanner computed from diffusion are derivatives, whichever rule takes the series itself', () => {
  const map = (name: string, values: readonly string[]): Over => ({
    name,
    outputs: [output({ imageType: ['DERIVED', 'PRIMARY', 'DIFFUSION', ...values] })],
  });
  for (const name of ['dwi_dir-AP', 'ep2d_diff_64dir'])
    for (const values of [
      ['ADC', 'ND'],
      ['FA', 'ND', 'NORM'],
      ['TRACEW', 'ND'],
      ['TENSOR', 'ND'],
    ])
      assert.deepEqual(shown(plan([map(name, values)])), ['derivative'], `${name} ${values.join()}`);
});
