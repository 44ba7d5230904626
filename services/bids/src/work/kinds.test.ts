/** Images that need more than a name (ASL, PET), those of several parts (MP2RAGE), and what each vendor calls them: by the real dcm2niix, the shipped rules and the real validator. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseRules, planSession, ruleSet, type SessionFacts } from '@scanflow/bids';
import { writeMrSession, type MrSeries } from '@scanflow/testkit';
import { GRADIENTS } from '../../../../packages/testkit/src/mr/session.ts';
import { OPTIONS, SCANNED } from '../../../../tests/integration/bids-support.ts';
import {
  epi,
  fieldMap,
  t1w,
  type Gradient,
  type Scan,
} from '../../../../packages/testkit/src/mr/acquisitions.ts';
import { bidsSession } from './session.ts';
import type { Outcome } from './types.ts';

type Attributes = Scan['acquisition']['attributes'];

interface Named {
  readonly name: string;
  /** The name of the exam, where the vendor has it in Protocol Name. */
  readonly protocol?: string;
  readonly scan: Scan;
  readonly attributes?: Attributes;
  /** Minutes; one after the other by default. */
  readonly at?: number;
}

const withAttributes = (scan: Scan, attributes: Attributes): Scan => ({
  ...scan,
  acquisition: { ...scan.acquisition, attributes: { ...scan.acquisition.attributes, ...attributes } },
});

const seriesOf = ({ name, protocol = name, scan, attributes = {}, at }: Named, index: number): MrSeries => ({
  what: name,
  seriesNumber: index + 1,
  seriesDescription: name,
  protocolName: protocol,
  after: (at ?? index) * 60,
  scan: withAttributes(scan, attributes),
});

interface Converted {
  readonly outcome: Outcome;
  readonly dataset: string;
  /** What each series became: its files, or the decision with the reason. */
  readonly became: readonly string[];
}

async function converted(
  t: TestContext,
  series: readonly Named[],
  rules = 'rules: []\n',
): Promise<Converted> {
  const root = await mkdtemp(join(tmpdir(), 'scanflow-bids-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const at = 'raw/sub-001/ses-mr01';
  const scanned = { ...SCANNED, when: Temporal.ZonedDateTime.from(SCANNED.when) };
  const written = await writeMrSession(join(root, at), series.map(seriesOf), scanned);
  const read = parseRules(rules, 'rules.yaml');
  assert.ok(read.ok, JSON.stringify(read));
  const set = ruleSet(read.rules);
  const dataset = join(root, 'bids');
  const outcome = await bidsSession(
    {
      ...{ project: '3010000.01', subject: 'sub-001', session: 'ses-mr01', accessionNumber: 'A1' },
      ...{ storageRoot: root, datasetRoot: dataset },
      series: written.map(({ folder }, index) => ({ id: `${index}`, folder: `${at}/${basename(folder)}` })),
    },
    { ...OPTIONS, plan: (facts: SessionFacts) => planSession(facts, set) },
    AbortSignal.timeout(120_000),
  );
  const became = outcome.series.map(({ files, decision, reason }) => {
    const images = files.filter((file) => file.endsWith('.nii.gz')).map((file) => basename(file, '.nii.gz'));
    const names = images.map((name) => name.replace('sub-001_ses-mr01_', ''));
    return decision === 'convert' ? names.join(' ') : `${decision}: ${reason}`;
  });
  return { outcome, dataset, became };
}

const isValid = ({ outcome }: Converted): void => {
  assert.deepEqual(outcome.verdict?.errors, []);
  assert.equal(outcome.verdict.verdict, 'valid');
};

const ASL_RULE = `
rules:
  - when: {name: pcasl_main}
    datatype: perf
    suffix: asl
    aslContext: {then: [label, control]}
    metadata:
      ArterialSpinLabelingType: PCASL
      LabelingDuration: 1.8
      PostLabelingDelay: 1.8
      BackgroundSuppression: false
      M0Type: Separate
      TotalAcquiredPairs: 3
      RepetitionTimePreparation: 4.5
  - when: {name: pcasl_m0}
    datatype: perf
    suffix: m0scan
    metadata: {RepetitionTimePreparation: 6}
`;

test('ASL: with a rule that says what no header says it is valid, M0 scan included; without, each series stays, with a sentence', async (t) => {
  const series = [
    { name: 'pcasl_main', scan: epi({ volumes: 6 }) },
    { name: 'pcasl_m0', scan: epi({ volumes: 1 }) },
    { name: 't1_mprage', scan: t1w() },
  ];
  const made = await converted(t, series, ASL_RULE);
  isValid(made);
  assert.deepEqual(made.became, ['asl', 'm0scan', 'T1w']);
  const at = join(made.dataset, 'sub-001/ses-mr01/perf/sub-001_ses-mr01_');
  assert.equal(await readFile(`${at}aslcontext.tsv`, 'utf8'), `volume_type\n${'label\ncontrol\n'.repeat(3)}`);
  const m0 = JSON.parse(await readFile(`${at}m0scan.json`, 'utf8')) as Record<string, unknown>;
  assert.deepEqual(m0['IntendedFor'], ['bids::sub-001/ses-mr01/perf/sub-001_ses-mr01_asl.nii.gz']);

  const bare = await converted(t, series);
  isValid(bare);
  assert.match(bare.became[0] ?? '', /^unknown: ASL, and no header says which volumes are label/);
  assert.match(
    bare.became[1] ?? '',
    /^unknown: BIDS requires RepetitionTimePreparation of it, and no header says that/,
  );
  const some = await converted(t, series, ASL_RULE.replace('      LabelingDuration: 1.8\n', ''));
  isValid(some);
  assert.match(some.became[0] ?? '', /^unknown: BIDS requires LabelingDuration of it/);
  assert.match(some.became[1] ?? '', /^unknown: an M0 scan names its ASL series/);
});

test('MP2RAGE: both inversions and the uniform image, by ReproIn and by the names of Siemens; the T1 map is a derivative', async (t) => {
  const inversion = (number: 1 | 2): Attributes => ({ InversionTime: number === 1 ? 700 : 2500 });
  const four = (start: string, names: readonly string[]): Named[] =>
    names.map((end, index) => ({
      name: `${start}_${end}`,
      protocol: start,
      scan: t1w(),
      at: 0,
      attributes: {
        ...(index < 2
          ? inversion(index === 0 ? 1 : 2)
          : { ImageType: ['DERIVED', 'PRIMARY', 'M', index === 2 ? 'UNI' : 'T1 MAP'] }),
      },
    }));
  const siemens = await converted(t, four('mp2rage_sag_p3', ['INV1', 'INV2', 'UNI_Images', 'T1_Images']));
  isValid(siemens);
  assert.deepEqual(siemens.became.slice(0, 3), ['inv-1_MP2RAGE', 'inv-2_MP2RAGE', 'UNIT1']);
  assert.match(siemens.became[3] ?? '', /^derivative: a T1 map/);
  const reproin = await converted(t, four('anat-MP2RAGE', ['INV1', 'INV2']));
  isValid(reproin);
  assert.deepEqual(reproin.became, ['inv-1_MP2RAGE', 'inv-2_MP2RAGE']);
});

const PET_RULE = `
rules:
  - when: {modality: '^PT$'}
    datatype: pet
    suffix: pet
    entities: {trc: FDG}
    metadata:
      Units: Bq/mL
      TracerName: FDG
      TracerRadionuclide: F18
      ModeOfAdministration: bolus
      InjectedRadioactivity: 200
      InjectedRadioactivityUnits: MBq
      InjectedMass: 1
      InjectedMassUnits: ug
      SpecificRadioactivity: 100
      SpecificRadioactivityUnits: GBq/g
      TimeZero: '10:00:00'
      ScanStart: 0
      InjectionStart: 0
      FrameTimesStart: [0]
      FrameDuration: [600]
      AcquisitionMode: list mode
      ImageDecayCorrected: true
      ImageDecayCorrectionTime: 0
      ReconMethodName: OSEM
      ReconMethodParameterLabels: [none]
      ReconMethodParameterUnits: [none]
      ReconMethodParameterValues: [0]
      ReconFilterType: none
      AttenuationCorrection: CT
`;

test('PET: a rule says dose and times; without it the series stays, and the sentence names what BIDS requires', async (t) => {
  const pet = {
    name: 'FDG_brain_AC',
    scan: t1w(),
    attributes: { Modality: 'PT', Units: 'BQML', SequenceName: undefined },
  };
  const made = await converted(t, [pet], PET_RULE);
  isValid(made);
  assert.deepEqual(made.became, ['trc-FDG_pet']);
  const [bare = ''] = (await converted(t, [pet])).became;
  assert.match(
    bare,
    /^unknown: BIDS requires .*TracerName, TracerRadionuclide.* no header says that; a rule with metadata says it$/,
  );
});

const GE: Attributes = {
  Manufacturer: 'GE MEDICAL SYSTEMS',
  ManufacturerModelName: 'SIGNA Premier',
  SequenceName: undefined,
};
const PHILIPS: Attributes = {
  Manufacturer: 'Philips Medical Systems',
  ManufacturerModelName: 'Ingenia',
  SequenceName: undefined,
};
const UIH: Attributes = { Manufacturer: 'UIH', ManufacturerModelName: 'uMR 790', SequenceName: 'gre_fsp' };

test('vendors: the starting rules of GE, Philips and UIH take what these call their series', async (t) => {
  const vendors = [
    {
      attributes: GE,
      // the name of the whole exam
      protocol: 'Brain Advanced Sequences',
      series: [
        ['3Plane Loc', t1w(3), /^ignore: .*localiser/],
        ['Ax T1 BRAVO', t1w(), 'T1w'],
        ['Sag CUBE T2 FLAIR', t1w(), 'FLAIR'],
        ['Resting State fMRI', epi({ volumes: 6, mosaic: false, vendor: 'ge' }), 'task-rest_bold'],
        ['ASSET calibration', t1w(4), /^ignore: .*coils/],
      ],
    },
    {
      attributes: PHILIPS,
      series: [
        ['Survey', t1w(3), /^ignore: .*localiser/],
        ['WIP 3D T1W TFE', t1w(), 'T1w'],
        ['T2W TSE', t1w(), 'T2w'],
        ['rs-fMRI', epi({ volumes: 6, mosaic: false, vendor: 'philips' }), 'task-rest_bold'],
        ['CoilSurvey', t1w(4), /^ignore: .*(?:coils|localiser)/],
      ],
    },
    {
      attributes: UIH,
      series: [
        ['scout', t1w(3), /^ignore: .*localiser/],
        ['t1_gre_fsp_3d_sag', t1w(), 'T1w'],
        ['t2_fse_tra', t1w(), 'T2w'],
        ['gre_fieldmap', fieldMap('magnitude'), 'magnitude1 magnitude2'],
      ],
    },
  ] as const;
  for (const { attributes, series, ...more } of vendors) {
    const protocol = 'protocol' in more ? { protocol: more.protocol } : {};
    const made = await converted(
      t,
      series.map(([name, scan]) => ({
        ...{ name, scan, ...protocol },
        attributes:
          name === 'gre_fieldmap' || /rs-fMRI|Resting/.test(name)
            ? { ...attributes, SequenceName: 'epi' }
            : attributes,
      })),
    );
    isValid(made);
    for (const [index, [name, , wanted]] of series.entries()) {
      const found = made.became[index] ?? '';
      if (typeof wanted === 'string') assert.equal(found, wanted, name);
      else assert.match(found, wanted);
    }
  }
});

test('GE: Protocol Name names the whole exam, so series of one exam are no repeats of each other', async (t) => {
  const dti = (name: string): Named => ({
    name,
    protocol: 'Brain Advanced Sequences',
    scan: t1w(),
    attributes: GE,
  });
  const made = await converted(t, [dti('Ax T1 MPRAGE R1'), dti('Ax T1 MPRAGE R2')]);
  for (const one of made.became)
    assert.match(
      one,
      /^unknown: Series 1 and series 2 have different protocols \(Ax T1 MPRAGE R1; Ax T1 MPRAGE R2\)/,
    );
});

test('diffusion almost without weighting becomes a field map without gradients: BIDS has these beside diffusion alone', async (t) => {
  const low = (b: number): readonly Gradient[] => [{ b: 0 }, { b, direction: [1, 0, 0] }];
  const made = await converted(t, [
    // dcm2niix gives gradients of the first, and none of the second
    { name: 'ep2d_diff_b0_PA', scan: epi({ volumes: 1, gradients: low(5).slice(1), phase: 'PA' }) },
    { name: 'ep2d_diff_b0_LR', scan: epi({ volumes: 2, gradients: low(50), phase: 'PA' }) },
    { name: 'ep2d_diff_AP', scan: epi({ volumes: GRADIENTS.length, gradients: GRADIENTS }) },
  ]);
  isValid(made);
  assert.deepEqual(made.became, ['acq-dwi_dir-PA_epi', 'acq-dwi_dir-LR_epi', 'dir-AP_dwi']);
  const ends = made.outcome.series.flatMap(({ files }) =>
    files.filter((file) => /\.bv(?:al|ec)$/.test(file)),
  );
  assert.deepEqual(ends.map((file) => basename(file)).sort(), [
    'sub-001_ses-mr01_dir-AP_dwi.bval',
    'sub-001_ses-mr01_dir-AP_dwi.bvec',
  ]);
});
