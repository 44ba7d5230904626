/**
 * The rules that count: the project's, then ReproIn, then those that come with Scanflow for the common protocols of Siemens, GE,
 * Philips and UIH. The last ones take what a name or a header says, and leave what these do not say.
 */
import { derivedKind } from './derived.ts';
import { parseRules } from './parse.ts';
import { REPROIN } from './reproin.ts';
import type { Rule, RuleFile, RuleSet } from './types.ts';

/** What every scanner makes beside images of the study. */
const ASIDE = `
rules:
  - when: {name: '(?:^|[^a-z])(?:loc|localizers?|localisers?|scouts?|aahead|aascout|survey|smart ?brain|3-?pl(?:ane)?|plan_?scan)(?:[^a-z]|$)|scout|localizer|localiser'}
    ignore: a localiser
  - when: {name: 'physio[_ -]?log|physio[_ -]?data|^phoenixzipreport$|phoenix'}
    ignore: a physio log or a report of the scanner, no image
  - when: {name: '(?:^|[^a-z])(?:svs|csi|mrs|mrsi|spectro\\w*|m?press|slaser|steam|mega)(?:[^a-z]|$)'}
    ignore: MR spectroscopy, of which dcm2niix makes no image; it waits in the source data for a converter of spectra
  - when: {name: '(?:^|[^a-z])(?:asset|sense|coil)[_ -]?(?:cal|ref)|calibration|^cal[_ -]|refscan|ref scan|coil[_ -]?(?:survey|sens)'}
    ignore: a calibration of the coils
  - when: {name: 'screen ?(?:shot|save)|dose report|exam protocol|patient protocol'}
    ignore: a report, no image of the study
  - when: {modality: '^(?:SR|PR|KO|OT|SC|DOC|RWV)$'}
    ignore: a report, no image of the study
`;

const SIEMENS = `
rules:
  # MP2RAGE: two inversions, and the uniform image; T1 images are computed from them
  - when: {manufacturer: siemens, name: mp2rage, seriesDescription: '_UNI(?:-DEN|_Images)?|UNI[_ -]?DEN'}
    datatype: anat
    suffix: UNIT1
  - when: {manufacturer: siemens, name: mp2rage, seriesDescription: '_T1(?:_Images)?$'}
    derivative: a T1 map that the scanner computed
  - when: {manufacturer: siemens, name: mp2rage, seriesDescription: '_INV(?<inv>[12])'}
    datatype: anat
    suffix: MP2RAGE
    entities: {inv: '{inv}'}
  # gre_field_mapping: magnitudes of both echoes, and their phase difference
  - when: {manufacturer: siemens, sequenceName: 'fm2d2r', part: phase, echoes: 1}
    datatype: fmap
    suffix: phasediff
  - when: {manufacturer: siemens, sequenceName: 'fm2d2r', part: mag, echo: 2}
    datatype: fmap
    suffix: magnitude2
  - when: {manufacturer: siemens, sequenceName: 'fm2d2r', part: mag}
    datatype: fmap
    suffix: magnitude1
`;

const PHILIPS = `
rules:
  # a B0 map in Hz with its magnitude
  - when: {manufacturer: philips, name: '(?:^|[^a-z])(?:b0|field)[_ -]?map', output: '_fieldmaphz|_ph$'}
    datatype: fmap
    suffix: fieldmap
    metadata: {Units: Hz}
  - when: {manufacturer: philips, name: '(?:^|[^a-z])(?:b0|field)[_ -]?map', part: mag, echoes: 1, not: {name: '[^a-z](?:ap|pa|lr|rl)(?:[^a-z]|$)'}}
    datatype: fmap
    suffix: magnitude
  # the trace volume that Philips appends to diffusion
  - when: {manufacturer: philips, output: '_ADC$'}
    derivative: the volumes that the scanner computed and appended
`;

const GE = `
rules:
  - when: {manufacturer: '^ge', output: '_fieldmaphz'}
    datatype: fmap
    suffix: fieldmap
    metadata: {Units: Hz}
  - when: {manufacturer: '^ge', name: 'b0[_ -]?map|field[_ -]?map', part: mag, echoes: 1, not: {name: '[^a-z](?:ap|pa|lr|rl)(?:[^a-z]|$)'}}
    datatype: fmap
    suffix: magnitude
  - when: {manufacturer: '^ge', name: 'bravo|fspgr|mprage|ir-?spgr', not: {name: 'asl|mp2rage|map'}}
    datatype: anat
    suffix: T1w
  - when: {manufacturer: '^ge', name: '(?:3d ?)?asl', output: 'cbf|_CBF'}
    derivative: a perfusion map that the scanner computed
  - when: {manufacturer: '^ge', name: 'cube', seriesDescription: 'flair'}
    datatype: anat
    suffix: FLAIR
`;

const UIH = `
rules:
  - when: {manufacturer: '^uih', name: '(?:gre|b0|field)[_ -]?(?:field[_ -]?)?map', part: phase, echoes: 1}
    datatype: fmap
    suffix: phasediff
  - when: {manufacturer: '^uih', name: '(?:^|[^a-z])gre_fsp(?:_3d)?|gre_fq.*t1|t1_gre_fsp', not: {name: 'map|swi'}}
    datatype: anat
    suffix: T1w
`;

/** What names say at all vendors. */
const NAMES = `
rules:
  # spin-echo field maps with a direction in their name: SpinEchoFieldMap_AP, cmrr_fieldmapse_pa, distortion_corr_32ch_ap, topup_PA
  - when:
      name: '(?:spin[_ -]?echo|se)[_ -]?(?:epi|field[_ -]?map)|field[_ -]?map[_ -]?se|topup|pepolar|blip|dist(?:ortion)?[_ -]?(?:corr|map)|fmap[_ -]?epi|epi[_ -]?fmap'
      seriesDescription: '^(?:.*[^a-z])?(?<dir>ap|pa|lr|rl|hf|fh|is|si)(?:[^a-z].*)?$'
      part: mag
      not: {seriesDescription: '_SBRef$'}
    datatype: fmap
    suffix: epi
    entities: {dir: '{dir}'}
  # diffusion without weighting, with a direction: for the field, not for the tensor
  - when:
      name: '(?:^|[^a-z])(?:dwi|dti|diff\\w*|hardi|noddi)(?:[^a-z]|$)'
      highestBValue: {max: 50}
      seriesDescription: '^(?:.*[^a-z])?(?<dir>ap|pa|lr|rl)(?:[^a-z].*)?$'
      volumes: {max: 20}
      part: mag
      not: {seriesDescription: '_SBRef$'}
    datatype: fmap
    suffix: epi
    entities: {acq: dwi, dir: '{dir}'}
  # field maps by two echoes
  - when: {name: 'field[_ -]?map|(?:^|[^a-z])b0[_ -]?map|gre[_ -]?field', part: phase, echoes: 1}
    datatype: fmap
    suffix: phasediff
  - when: {name: 'field[_ -]?map|(?:^|[^a-z])b0[_ -]?map|gre[_ -]?field', part: phase, echo: 1}
    datatype: fmap
    suffix: phase1
  - when: {name: 'field[_ -]?map|(?:^|[^a-z])b0[_ -]?map|gre[_ -]?field', part: phase, echo: 2}
    datatype: fmap
    suffix: phase2
  - when: {name: 'field[_ -]?map|(?:^|[^a-z])b0[_ -]?map|gre[_ -]?field', part: mag, echo: 2}
    datatype: fmap
    suffix: magnitude2
  - when: {name: 'field[_ -]?map|(?:^|[^a-z])b0[_ -]?map|gre[_ -]?field', part: mag, not: {name: '[^a-z](?:ap|pa|lr|rl)(?:[^a-z]|$)'}}
    datatype: fmap
    suffix: magnitude1
  # functional
  - when: {name: 'bold|fmri|(?:^|[^a-z])func|(?:^|[^a-z])rest(?:ing)?|rsfmri', protocolName: '(?:^|[^a-z0-9])task[-_ ]?(?<task>[a-z0-9]+)', seriesDescription: '_SBRef$'}
    datatype: func
    suffix: sbref
    entities: {task: '{task}'}
  - when: {name: 'bold|fmri|(?:^|[^a-z])func|(?:^|[^a-z])rest(?:ing)?|rsfmri', protocolName: '(?:^|[^a-z0-9])task[-_ ]?(?<task>[a-z0-9]+)', volumes: {min: 5}}
    datatype: func
    suffix: bold
    entities: {task: '{task}'}
  - when: {name: '(?:^|[^a-z])rest(?:ing)?(?:[-_ ]?state)?(?:[^a-z]|$)|rs[-_ ]?fmri', seriesDescription: '_SBRef$'}
    datatype: func
    suffix: sbref
    entities: {task: rest}
  - when: {name: '(?:^|[^a-z])rest(?:ing)?(?:[-_ ]?state)?(?:[^a-z]|$)|rs[-_ ]?fmri', volumes: {min: 5}, not: {name: 'asl|dwi|dti|diff'}}
    datatype: func
    suffix: bold
    entities: {task: rest}
  - when: {name: 'bold|fmri|(?:^|[^a-z])func(?:[^a-z]|$)', not: {name: 'field[_ -]?map|asl|dwi|dti|diff'}}
    undecided: functional images, and their name does not say the task
  - when: {sequenceName: 'epfid', volumes: {min: 20}, not: {name: 'asl|dwi|dti|diff|perf|dsc'}}
    undecided: functional images, and their name does not say the task
  # diffusion
  - when: {name: 'dwi|dti|diff|hardi|noddi', seriesDescription: '^(?:(?:.*[^a-z])?(?<dir>ap|pa|lr|rl)(?:[^a-z].*)?_SBRef$|.*_SBRef$)'}
    datatype: dwi
    suffix: sbref
    entities: {dir: '{dir}'}
  - when: {name: 'dwi|dti|diff|hardi|noddi', highestBValue: {min: 51}, seriesDescription: '^(?:(?:.*[^a-z])?(?<dir>ap|pa|lr|rl)(?:[^a-z].*)?$|)'}
    datatype: dwi
    suffix: dwi
    entities: {dir: '{dir}'}
  # perfusion
  - when: {name: '(?:^|[^a-z0-9])m0(?:scan)?(?:[^a-z0-9]|$)', modality: '^MR$'}
    datatype: perf
    suffix: m0scan
  - when: {name: '(?:^|[^a-z])(?:p|pc|3d[_ -]?)?asl(?:[^a-z]|$)', modality: '^MR$'}
    undecided: ASL, and no header says which volumes are label and which control; a rule with aslContext says it
  # anatomy
  - when: {name: 'flair|dark[_ -]?fluid', not: {name: 'mp2rage'}}
    datatype: anat
    suffix: FLAIR
  - when: {name: '(?:^|[^a-z])t1[^2].*(?:[^a-z](?:gd|gado\\w*|post|km|ce)(?:[^a-z]|$)|\\+c)|(?:mprage|t1w?).*(?:[^a-z](?:gd|gado\\w*|post|km)(?:[^a-z]|$)|\\+c)', not: {name: 'map|mp2rage|sub'}}
    datatype: anat
    suffix: T1w
    entities: {ce: gd}
  - when: {name: 'mprage|mp-rage|(?:^|[^a-z])s?t1(?:w|[^a-z0-9*]|$)|(?:^|[^a-z])3d[_ -]?t1|t1[_ -]?(?:tfe|ffe|bravo|space|tse)', modality: '^MR$', not: {name: 'map|mp2rage|rho|fl3d_vibe_dyn|dyn'}}
    datatype: anat
    suffix: T1w
  - when: {sequenceName: 'tfl3d', not: {name: 'mp2rage|map|b1|tfl_b1'}}
    datatype: anat
    suffix: T1w
  - when: {name: '(?:^|[^a-z])t2(?:\\*|[_ -]?star|[_ -]?gre|[_ -]?swi)|(?:^|[^a-z])swi(?:[^a-z]|$)', part: mag, echoes: 1, not: {name: 'map|min[_ -]?ip|mip|ep2d|bold'}}
    datatype: anat
    suffix: T2starw
  - when: {name: '(?:^|[^a-z])(?:me[_ -]?gre|qsm|multi[_ -]?echo[_ -]?gre)(?:[^a-z]|$)', echoes: {min: 2}}
    datatype: anat
    suffix: MEGRE
  - when: {name: '(?:^|[^a-z])s?t2(?:w|[^a-z0-9*]|$)|(?:^|[^a-z])3d[_ -]?t2', modality: '^MR$', not: {name: 'map|star|flair|swi|t2[_ -]?gre'}}
    datatype: anat
    suffix: T2w
  - when: {name: '(?:^|[^a-z])pd(?:w|[_ -]|$)', modality: '^MR$', not: {name: 't2|map'}}
    datatype: anat
    suffix: PDw
  - when: {name: '(?:^|[^a-z])(?:tof|angio\\w*|mra)(?:[^a-z]|$)', not: {name: 'mip|sub'}}
    datatype: anat
    suffix: angio
  # PET: the attenuation map and the CT are there for reconstruction
  - when: {modality: '^(?:CT|MR)$', name: 'mu[_ -]?map|attenuation|ac[_ -]?(?:ct|map)|ctac|(?:^|[^a-z])mrac(?:[^a-z]|$)'}
    ignore: made for the attenuation correction of PET
  - when: {modality: '^PT$', name: '(?:^|[^a-z])nac(?:[^a-z]|$)|no[_ -]?ac'}
    ignore: PET without attenuation correction
  - when: {modality: '^PT$'}
    datatype: pet
    suffix: pet
`;

/** In their order; names as they stand in a plan's reasons. */
const SHIPPED: readonly (readonly [file: string, text: string])[] = [
  ['shipped/aside.yaml', ASIDE],
  ['shipped/siemens.yaml', SIEMENS],
  ['shipped/philips.yaml', PHILIPS],
  ['shipped/ge.yaml', GE],
  ['shipped/uih.yaml', UIH],
  ['shipped/names.yaml', NAMES],
];

/** What the scanner computed is no raw image, whatever its name says. */
const DERIVED: Rule = {
  at: 'Image Type',
  minimumVolumes: undefined,
  apply: ({ series, output }) => {
    const kind = derivedKind(output?.imageType ?? [], series);
    return kind === undefined ? undefined : { kind: 'derivative', reason: kind };
  },
};

let shipped: readonly Rule[] | undefined;

/** Read at first use: it compiles a hundred patterns. */
function shippedRules(): readonly Rule[] {
  shipped ??= SHIPPED.flatMap(([file, text]) => {
    const read = parseRules(text, file);
    if (!read.ok) throw new Error(`${file}: ${read.issues.map(({ message }) => message).join('; ')}`);
    return read.rules.rules;
  });
  return shipped;
}

/** The project's rules, then ReproIn, then the shipped ones. Without a file: ReproIn and the shipped ones. */
export function ruleSet(project?: RuleFile): RuleSet {
  return [
    ...(project?.rules ?? []),
    ...(project?.reproin === false ? [] : [REPROIN]),
    ...(project?.shipped === false ? [] : [DERIVED, ...shippedRules()]),
  ];
}
