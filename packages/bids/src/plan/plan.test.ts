import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseRules } from '../rules/parse.ts';
import { ruleSet } from '../rules/set.ts';
import { suggestRules } from '../suggest.ts';
import { planSession } from './plan.ts';
import { GEOMETRY, output, session, plan, shown, BOLD, rules } from './plan-kit.test.ts';

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
