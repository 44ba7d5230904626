import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { formatIssue } from '@scanflow/config/yaml';
import type { Output, SeriesFacts, Target } from '../types.ts';
import { parseRules } from './parse.ts';
import { readReproIn } from './reproin.ts';
import { rulesJsonSchema } from './schema.ts';
import { ruleSet } from './set.ts';
import type { Outcome, RuleSet } from './types.ts';

const mistakes = (text: string): string[] => {
  const read = parseRules(text, 'rules.yaml');
  return read.ok ? [] : read.issues.map(formatIssue);
};

const output = (more: Partial<Output> = {}): Output => ({
  name: 'image',
  imageType: ['ORIGINAL', 'PRIMARY', 'M', 'ND'],
  part: undefined,
  echo: undefined,
  echoTime: 0.03,
  inversionTime: undefined,
  phaseEncodingDirection: undefined,
  shim: undefined,
  sidecar: {},
  ...more,
});

const series = (name: string, more: Partial<SeriesFacts> = {}): SeriesFacts => ({
  id: 'a',
  seriesInstanceUid: '1.2.3',
  studyInstanceUid: '1.2',
  accessionNumber: 'A1',
  seriesNumber: 2,
  folder: 'a',
  modality: 'MR',
  manufacturer: 'SIEMENS',
  model: 'Prisma',
  scanner: 'PRISMA1',
  protocolName: name,
  seriesDescription: name,
  sequenceName: '',
  mrAcquisitionType: '2D',
  acquired: { from: '2026-11-30T10:00:00.000000', to: '2026-11-30T10:05:00.000000' },
  images: 100,
  volumes: 100,
  whole: true,
  plannedVolumes: undefined,
  bValues: [],
  geometry: undefined,
  outputs: [output()],
  unconvertible: undefined,
  ...more,
});

function outcomeOf(facts: SeriesFacts, rules: RuleSet = ruleSet(), which = 0): Outcome | undefined {
  const session = {
    project: 'p',
    subject: 'sub-001',
    session: 'ses-mr01',
    accessionNumber: 'A1',
    series: [facts],
  };
  for (const rule of rules) {
    const outcome = rule.apply({ session, series: facts, output: facts.outputs[which] });
    if (outcome !== undefined) return outcome;
  }
  return undefined;
}

/** `func/task-rest_bold`, `ignore`, `derivative`, `incomplete`, or `none`. */
function shortly(outcome: Outcome | undefined): string {
  if (outcome?.kind !== 'target') return outcome?.kind ?? 'none';
  const { datatype, suffix, entities }: Target = outcome.target;
  return `${datatype}/${[...Object.entries(entities).map((pair) => pair.join('-')), suffix].join('_')}`;
}

test('rules: each mistake is shown with its line, and what was meant', () => {
  const text = `rules:
  - when: {protocolNam: x}
    datatype: anat
    suffix: T1w
  - when: {name: 'bold_(?<tsk>[a-z]+)'}
    datatype: func
    suffix: bold
    entities: {task: '{task}', ech: 2, acq: a_b}
  - when: {name: t1}
    datatype: anat
    suffix: T1W
  - when: {}
    ignore: nothing
  - when: {echo: 1}
    datatype: func
    suffix: bold
  - when: {name: x}
  - when: {name: x}
    ignore: this
    derivative: that
  - when: {name: x}
    datatype: func
    suffix: dwi
`;
  assert.deepEqual(mistakes(text), [
    'rules.yaml:2:12: rules.0.when.protocolNam: there is no such key; did you mean protocolName?',
    'rules.yaml:8:22: rules.1.entities.task: no pattern of this rule has a group for {task}; did you mean {tsk}?',
    'rules.yaml:8:32: rules.1.entities.ech: func/…_bold has no such entity; did you mean echo?',
    'rules.yaml:8:45: rules.1.entities.acq: "a_b" has other characters than letters and digits; write ab',
    'rules.yaml:11:13: rules.2.suffix: BIDS has no T1W in anat; did you mean T1w?',
    'rules.yaml:12:11: rules.3.when: has no condition, so the rule would take everything',
    'rules.yaml:14:5: rules.4: bold needs task below entities, such as task: rest',
    'rules.yaml:17:5: rules.5: decides nothing: give it datatype and suffix, ignore, derivative, or undecided',
    'rules.yaml:18:5: rules.6: decides twice: ignore and derivative do not go together',
    'rules.yaml:23:13: rules.7.suffix: BIDS has no dwi in func; it belongs to dwi',
  ]);
});

test('rules: patterns run without backtracking; others are mistakes', () => {
  assert.match(mistakes("rules: [{when: {name: '(?=x)y'}, ignore: x}]")[0]!, /look-ahead/);
  assert.match(mistakes("rules: [{when: {name: '(x'}, ignore: x}]")[0]!, /expected a regular expression/);
  assert.match(mistakes('rules: [{when: {name: 5}, ignore: x}]')[0]!, /pattern/);
});

test('rules: what is no YAML, and what is no file of rules, is a mistake and no crash', () => {
  for (const text of ['', '[]', 'rules: 5', 'rules: [5]', '{', 'rules:\n\t- x', 'a: &a [*a]', '\0'])
    assert.notDeepEqual(mistakes(text), [], JSON.stringify(text));
  assert.deepEqual(mistakes('rules: []'), []);
  assert.match(mistakes(`rules: [] #${'x'.repeat(1024 * 1024)}`)[0]!, /longer than 1 MiB/);
});

test('rules: the first rule of the project wins, before ReproIn and the shipped ones', () => {
  const read = parseRules(
    `rules:
  - when: {protocolName: '^func-bold_task-(?<task>[a-z]+)', volumes: {min: 50}}
    datatype: func
    suffix: cbv
    entities: {task: '{task}', acq: 1}
  - when: {protocolName: func}
    ignore: never reached
`,
    'rules.yaml',
  );
  assert.ok(read.ok);
  assert.equal(read.rules.rules[0]?.at, 'rules.yaml:2');
  const set = ruleSet(read.rules);
  assert.equal(shortly(outcomeOf(series('func-bold_task-rest'), set)), 'func/task-rest_acq-1_cbv');
  assert.equal(shortly(outcomeOf(series('func-bold_task-rest', { volumes: 5 }), set)), 'ignore');
  assert.equal(shortly(outcomeOf(series('anat-T1w'), set)), 'anat/T1w');
  const alone = parseRules('reproin: false\nshipped: false\nrules: []', 'rules.yaml');
  assert.ok(alone.ok);
  assert.deepEqual(ruleSet(alone.rules), []);
});

test('rules: conditions on numbers, Image Type and what may not hold', () => {
  const takes = (when: string, facts: SeriesFacts): boolean => {
    const read = parseRules(`rules: [{when: ${when}, ignore: x}]`, 'rules.yaml');
    assert.ok(read.ok, JSON.stringify(read));
    return outcomeOf(facts, read.rules.rules) !== undefined;
  };
  const norm = series('t1', {
    outputs: [output({ imageType: ['ORIGINAL', 'PRIMARY', 'M', 'NORM'], echo: 2 })],
  });
  assert.equal(takes('{imageType: [norm, original]}', norm), true);
  assert.equal(takes('{imageType: [NORM, ND]}', norm), false);
  assert.equal(takes('{name: T1, not: {imageType: [NORM, ND]}}', norm), false);
  assert.equal(takes('{name: T1, not: {imageType: [ND]}}', norm), true);
  assert.equal(takes('{echo: 2}', norm), true);
  assert.equal(takes('{echo: {min: 3}}', norm), false);
  assert.equal(takes('{echoTime: {min: 0.029, max: 0.031}}', norm), true);
  assert.equal(takes('{inversionTime: {min: 0}}', norm), false);
  assert.equal(takes('{highestBValue: 0}', norm), true);
  assert.equal(takes('{highestBValue: {min: 900}}', series('d', { bValues: [0, 1000] })), true);
  assert.equal(takes('{part: mag}', norm), true);
  assert.equal(takes('{part: phase}', norm), false);
  assert.equal(takes('{subject: "001$", session: mr01, seriesNumber: 2}', norm), true);
  assert.equal(takes('{subject: "002$"}', norm), false);
  assert.equal(takes('{name: [x, t1]}', norm), true);
});

test('rules: a group that found nothing leaves its entity out, and a name that needs it is incomplete', () => {
  const read = parseRules(
    `rules:
  - when: {name: '^bold(?:_(?<task>[a-z-]+))?(?:_(?<dir>AP))?$'}
    datatype: func
    suffix: bold
    entities: {task: '{task}', dir: '{dir}'}
`,
    'rules.yaml',
  );
  assert.ok(read.ok);
  const of = (name: string): Outcome | undefined => outcomeOf(series(name), read.rules.rules);
  assert.equal(shortly(of('bold_n-back')), 'func/task-nback_bold');
  assert.deepEqual(of('bold'), { kind: 'incomplete', problem: 'bold needs task-' });
});

test('reproin: what a name says', () => {
  const read = readReproIn('WIP:func-bold_ses-02_task-n-back_run-01_acq-mb8__dup-01');
  assert.deepEqual(
    [read?.datatype, read?.suffix, read?.session, read?.entities],
    ['func', 'bold', '02', { task: 'nback', run: '01', acq: 'mb8' }],
  );
  assert.equal(readReproIn('func_run+_task-life')?.numbered, true);
  assert.equal(readReproIn('func_run=_task-life')?.numbered, false);
  for (const name of ['', 'functional', 'anatomy_T1w', 't1_mprage', 'func bold'])
    assert.equal(readReproIn(name), undefined, name);
});

/** Names by ReproIn, by the images that come with them. */
const REPROIN_NAMES: readonly (readonly [name: string, image: Partial<Output>, expected: string])[] = [
  ['anat-T1w', {}, 'anat/T1w'],
  ['anat-T1w_acq-MPRAGE_run-02', {}, 'anat/acq-MPRAGE_run-02_T1w'],
  ['anat', {}, 'incomplete'],
  ['anat-t1w', {}, 'incomplete'],
  ['anat-scout', {}, 'ignore'],
  ['anat-scout_ses-11_MPR_sag', {}, 'ignore'],
  ['func-bold_task-rest_run-01', {}, 'func/task-rest_run-01_bold'],
  ['func_task-rest', {}, 'func/task-rest_bold'],
  ['func-bold_task-rest__dup-01', {}, 'func/task-rest_bold'],
  ['func-bold_run-01', {}, 'incomplete'],
  ['func-bold_task-', {}, 'incomplete'],
  ['func-bold_task-rest_SBRef', {}, 'func/task-rest_sbref'],
  ['func-bold_task-rest', { part: 'phase' }, 'func/task-rest_bold'],
  ['func-bold_task-rest_PhysioLog', {}, 'ignore'],
  ['func-bold_task-rest', { imageType: ['ORIGINAL', 'PRIMARY', 'M', 'MOCO'] }, 'derivative'],
  ['cancelme_func-bold_task-rest', {}, 'ignore'],
  ['dwi_dir-AP', {}, 'dwi/dir-AP_dwi'],
  ['dwi_dir-AP_ADC', { imageType: ['DERIVED', 'PRIMARY', 'DIFFUSION', 'ADC'] }, 'derivative'],
  ['dwi_dir-AP', { imageType: ['DERIVED', 'PRIMARY', 'DIFFUSION', 'TRACEW'] }, 'derivative'],
  ['fmap-epi_dir-AP', {}, 'fmap/dir-AP_epi'],
  ['fmap-epi', {}, 'incomplete'],
  ['fmap_acq-3mm', { part: 'mag', echo: 1 }, 'fmap/acq-3mm_magnitude1'],
  ['fmap_acq-3mm', { part: 'mag', echo: 2 }, 'fmap/acq-3mm_magnitude2'],
  ['fmap_acq-3mm', { part: 'phase', echo: 2 }, 'fmap/acq-3mm_phasediff'],
  ['perf-asl', {}, 'perf/asl'],
];

test('reproin: names of images, scouts, reference images, field maps and what a scanner computed', () => {
  for (const [name, image, expected] of REPROIN_NAMES)
    assert.equal(shortly(outcomeOf(series(name, { outputs: [output(image)] }))), expected, name);
});

test('reproin: another session in the name is noted, and the booking counts', () => {
  const outcome = outcomeOf(series('anat-T1w_ses-02'));
  assert.ok(outcome?.kind === 'target');
  assert.match(outcome.note ?? '', /its name says ses-02, the booking says ses-mr01/);
  const same = outcomeOf(series('anat-T1w_ses-mr01'));
  assert.equal(same?.kind === 'target' && same.note, undefined);
});

const SIEMENS = { manufacturer: 'SIEMENS' };
const GE = { manufacturer: 'GE MEDICAL SYSTEMS' };
const PHILIPS = { manufacturer: 'Philips Medical Systems' };
const UIH = { manufacturer: 'UIH' };
const phase = { outputs: [output({ part: 'phase', echo: 2 })] };
const mag = (echo: number): Partial<SeriesFacts> => ({ outputs: [output({ part: 'mag', echo })] });
const one = { volumes: 1 };

const VENDORS: readonly (readonly [name: string, facts: Partial<SeriesFacts>, expected: string])[] = [
  ['localizer', SIEMENS, 'ignore'],
  ['AAHead_Scout_64ch-head-coil', SIEMENS, 'ignore'],
  ['SmartBrain', PHILIPS, 'ignore'],
  ['3-pl loc', GE, 'ignore'],
  ['ASSET Cal', GE, 'ignore'],
  ['svs_se_30', { ...SIEMENS, outputs: [] }, 'ignore'],
  ['bold_rest_PhysioLog', { ...SIEMENS, outputs: [] }, 'ignore'],
  ['t1_mprage_sag_p2_iso', { ...SIEMENS, ...one }, 'anat/T1w'],
  ['T1 MPRAGE post Gd', { ...SIEMENS, ...one }, 'anat/ce-gd_T1w'],
  ['t2_space_sag_p2_iso', { ...SIEMENS, ...one }, 'anat/T2w'],
  ['t2_space_dark-fluid_sag', { ...SIEMENS, ...one }, 'anat/FLAIR'],
  ['gre_field_mapping', { ...SIEMENS, ...one, ...mag(1) }, 'fmap/magnitude1'],
  ['gre_field_mapping', { ...SIEMENS, ...one, ...mag(2) }, 'fmap/magnitude2'],
  ['gre_field_mapping', { ...SIEMENS, ...one, ...phase }, 'fmap/phasediff'],
  ['SpinEchoFieldMap_AP', { ...SIEMENS, volumes: 3 }, 'fmap/dir-AP_epi'],
  ['cmrr_mbep2d_se_fieldmap_PA', { ...SIEMENS, volumes: 3 }, 'fmap/dir-PA_epi'],
  ['ep2d_bold_rest', SIEMENS, 'func/task-rest_bold'],
  ['bold_task-nback_run1', SIEMENS, 'func/task-nback_bold'],
  ['ep2d_bold_moco_p2', SIEMENS, 'incomplete'],
  ['MoCoSeries', SIEMENS, 'derivative'],
  ['ep2d_diff_64_AP', { ...SIEMENS, bValues: [0, 1000] }, 'dwi/dir-AP_dwi'],
  ['dti_b0_PA', { ...SIEMENS, volumes: 2, bValues: [0] }, 'fmap/acq-dwi_dir-PA_epi'],
  ['ep2d_diff_64_ADC', { ...SIEMENS, bValues: [0, 1000] }, 'derivative'],
  ['pcasl_3d', SIEMENS, 'incomplete'],
  ['Ax T1 BRAVO', { ...GE, ...one }, 'anat/T1w'],
  ['Sag CUBE T2 FLAIR', { ...GE, ...one }, 'anat/FLAIR'],
  ['Ax T2 FSE', { ...GE, ...one }, 'anat/T2w'],
  ['DTI 30 dir', { ...GE, bValues: [0, 1000] }, 'dwi/dwi'],
  ['WIP sT1W_3D_TFE', { ...PHILIPS, ...one }, 'anat/T1w'],
  ['T2W_TSE', { ...PHILIPS, ...one }, 'anat/T2w'],
  ['DTI_32', { ...PHILIPS, bValues: [0, 800], outputs: [output({ name: 'x_ADC' })] }, 'derivative'],
  ['t1_gre_fsp_3d_sag_iso', { ...UIH, ...one }, 'anat/T1w'],
  ['t2_fse_tra', { ...UIH, ...one }, 'anat/T2w'],
  ['rs_fmri_epi', UIH, 'func/task-rest_bold'],
  ['FDG 60 min', { modality: 'PT', manufacturer: 'SIEMENS' }, 'pet/pet'],
  ['CTAC', { modality: 'CT' }, 'ignore'],
  ['research sequence 7', {}, 'none'],
];

test('shipped rules: common protocols of the vendors', () => {
  for (const [name, facts, expected] of VENDORS)
    assert.equal(shortly(outcomeOf(series(name, facts))), expected, name);
});

test('shipped rules: MP2RAGE of Siemens', () => {
  const of = (seriesDescription: string): string =>
    shortly(outcomeOf(series('mp2rage_0.75mm', { seriesDescription, volumes: 1 })));
  assert.equal(of('mp2rage_0.75mm_INV1'), 'anat/inv-1_MP2RAGE');
  assert.equal(of('mp2rage_0.75mm_INV2'), 'anat/inv-2_MP2RAGE');
  assert.equal(of('mp2rage_0.75mm_UNI_Images'), 'anat/UNIT1');
  assert.equal(of('mp2rage_0.75mm_T1_Images'), 'derivative');
});

test('rules: config/bids-rules.schema.json is what npm run generate makes', async () => {
  const file = new URL('../../../../config/bids-rules.schema.json', import.meta.url);
  assert.equal(await readFile(file, 'utf8'), rulesJsonSchema());
});

test('rules: the file that docs/bids-rules.md shows has no mistakes, and its mistake is shown as there', async () => {
  const page = await readFile(new URL('../../../../docs/bids-rules.md', import.meta.url), 'utf8');
  const example = /```yaml\n(?<text>[^`]+)```/.exec(page)?.groups?.['text'] ?? '';
  assert.deepEqual(mistakes(example), []);
  const [shown = ''] = mistakes('rules: [{when: {name: t1}, datatype: anat, suffix: T1W}]');
  assert.ok(page.includes(shown.split('rules.0.').at(-1)!), shown);
});
