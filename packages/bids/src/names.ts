/** Names of BIDS 1.10 (schema, rules/files/raw): entities in their order, the suffixes of each datatype, labels and paths. */
import type { Entities, Target } from './types.ts';

/** Keys of entities in the order in which they stand in a name; `sub` and `ses` come before them. */
export const ENTITIES = [
  ...['sample', 'task', 'tracksys', 'acq', 'nuc', 'voi', 'ce', 'trc', 'stain', 'rec', 'dir', 'run', 'mod'],
  ...['echo', 'flip', 'inv', 'mt', 'part', 'proc', 'hemi', 'space', 'split', 'recording', 'chunk'],
] as const;

/** Entities whose values are numbers. */
const INDEXES: ReadonlySet<string> = new Set(['run', 'echo', 'flip', 'inv', 'split', 'chunk']);
const VALUES: Readonly<Record<string, readonly string[]>> = {
  part: ['mag', 'phase', 'real', 'imag'],
  mt: ['on', 'off'],
  hemi: ['L', 'R'],
};

/** Suffixes that take the same entities. A key with `!` is required. */
interface Form {
  readonly suffixes: readonly string[];
  readonly entities: string;
}

const ANAT = 'task acq ce rec run';
const FORMS: Readonly<Record<string, readonly Form[]>> = {
  anat: [
    {
      suffixes: ['T1w', 'T2w', 'PDw', 'T2starw', 'FLAIR', 'inplaneT1', 'inplaneT2', 'PDT2', 'angio'],
      entities: `${ANAT} echo part chunk`,
    },
    {
      suffixes: [
        ...[
          'T1map',
          'T2map',
          'T2starmap',
          'R1map',
          'R2map',
          'R2starmap',
          'PDmap',
          'MTRmap',
          'MTsat',
          'UNIT1',
        ],
        ...['T1rho', 'MWFmap', 'MTVmap', 'Chimap', 'S0map', 'M0map'],
      ],
      entities: `${ANAT} chunk`,
    },
    { suffixes: ['MESE', 'MEGRE'], entities: `${ANAT} echo! part chunk` },
    { suffixes: ['VFA'], entities: `${ANAT} echo flip! part chunk` },
    { suffixes: ['IRT1'], entities: `${ANAT} inv! part chunk` },
    { suffixes: ['MP2RAGE'], entities: `${ANAT} echo flip inv! part chunk` },
    { suffixes: ['MPM', 'MTS'], entities: `${ANAT} echo flip! mt! part chunk` },
    { suffixes: ['MTR'], entities: `${ANAT} mt! part chunk` },
  ],
  func: [{ suffixes: ['bold', 'cbv', 'sbref'], entities: 'task! acq ce rec dir run echo part chunk' }],
  dwi: [
    { suffixes: ['dwi', 'sbref'], entities: 'acq rec dir run part chunk' },
    { suffixes: ['ADC', 'FA', 'colFA', 'expADC', 'trace'], entities: 'acq rec dir run chunk' },
  ],
  fmap: [
    {
      suffixes: ['phasediff', 'phase1', 'phase2', 'magnitude1', 'magnitude2', 'magnitude', 'fieldmap'],
      entities: 'acq run chunk',
    },
    { suffixes: ['epi', 'm0scan'], entities: 'acq ce dir! run chunk' },
    { suffixes: ['TB1DAM'], entities: 'acq ce rec run flip! inv part chunk' },
    { suffixes: ['TB1EPI'], entities: 'acq ce rec run echo! flip! inv part chunk' },
    {
      suffixes: ['TB1AFI', 'TB1TFL', 'TB1RFM', 'RB1COR'],
      entities: 'acq ce rec run echo flip inv part chunk',
    },
    { suffixes: ['TB1SRGE'], entities: 'acq ce rec run echo flip! inv! part chunk' },
    { suffixes: ['TB1map', 'RB1map'], entities: 'acq ce rec run chunk' },
  ],
  perf: [{ suffixes: ['asl', 'm0scan'], entities: 'acq rec dir run' }],
  pet: [{ suffixes: ['pet'], entities: 'task trc rec run' }],
};

export const DATATYPES: readonly string[] = Object.keys(FORMS);

export const suffixesOf = (datatype: string): readonly string[] =>
  (FORMS[datatype] ?? []).flatMap(({ suffixes }) => suffixes);

/** Which entities a name of that kind may have, and which it must have. Undefined where there is no such kind. */
export function entitiesOf(
  datatype: string,
  suffix: string,
): { readonly allowed: readonly string[]; readonly required: readonly string[] } | undefined {
  const form = FORMS[datatype]?.find(({ suffixes }) => suffixes.includes(suffix));
  if (form === undefined) return undefined;
  const words = form.entities.split(' ');
  return {
    allowed: words.map((word) => word.replace('!', '')),
    required: words.filter((word) => word.endsWith('!')).map((word) => word.slice(0, -1)),
  };
}

/** What BIDS leaves of one of our labels: letters and digits. `sub-001` → `001`, `ses-mr_01` → `mr01`. Empty where nothing is left. */
export function bidsLabel(label: string, prefix: 'sub' | 'ses'): string {
  const bare = label.toLowerCase().startsWith(`${prefix}-`) ? label.slice(prefix.length + 1) : label;
  return cleanLabel(bare);
}

/** Letters and digits of ASCII; accents go, their letters stay: `Müller_2` → `Muller2`. */
export const cleanLabel = (text: string): string => text.normalize('NFKD').replace(/[^0-9A-Za-z]/g, '');

/** Why an entity may not have that value, to follow the value in a sentence; undefined where it may. */
export function valueProblem(entity: string, value: string): string | undefined {
  if (INDEXES.has(entity)) return /^\d{1,6}$/.test(value) ? undefined : 'is no number';
  const allowed = VALUES[entity];
  if (allowed !== undefined && !allowed.includes(value)) return `is none of ${allowed.join(', ')}`;
  if (value.length > 64) return 'is longer than 64 characters';
  return /^[0-9A-Za-z]+$/.test(value) ? undefined : 'has other characters than letters and digits';
}

/** Why BIDS has no such name, as a sentence; undefined where it has. `echo` and `part` may still be missing: the plan adds them. */
export function targetProblem({ datatype, suffix, entities }: Target): string | undefined {
  const form = entitiesOf(datatype, suffix);
  if (form === undefined) return `BIDS has no ${datatype}/…_${suffix}`;
  for (const [key, value] of Object.entries(entities)) {
    if (!form.allowed.includes(key)) return `BIDS has no ${key}- in ${datatype}/…_${suffix}`;
    const problem = valueProblem(key, value);
    if (problem !== undefined) return `${key}-${value} ${problem}`;
  }
  const missing = form.required.filter((key) => entities[key] === undefined && key !== 'echo');
  return missing.length === 0
    ? undefined
    : `${suffix} needs ${missing.map((key) => `${key}-`).join(' and ')}`;
}

/**
 * Relative to the dataset, without extension.
 *
 * @example
 * ```ts
 * import { pathOf } from '@scanflow/bids';
 *
 * const target = { datatype: 'func', suffix: 'bold', entities: { run: '1', task: 'rest' } };
 * pathOf('001', 'mr01', target); // → 'sub-001/ses-mr01/func/sub-001_ses-mr01_task-rest_run-1_bold'
 * ```
 */
export function pathOf(subject: string, session: string | undefined, target: Target): string {
  const top = [`sub-${subject}`, ...(session === undefined ? [] : [`ses-${session}`])];
  const entities = ENTITIES.flatMap((key) => {
    const value = target.entities[key];
    return value === undefined ? [] : [`${key}-${value}`];
  });
  return [...top, target.datatype, [...top, ...entities, target.suffix].join('_')].join('/');
}

/** The inverse of `pathOf`; undefined for what is no name of an image, such as a file at the top. Extensions are left out. */
export function parsePath(
  path: string,
): { readonly subject: string; readonly session: string | undefined; readonly target: Target } | undefined {
  const folders = path.split('/');
  const name = folders.pop()?.split('.')[0] ?? '';
  const datatype = folders.pop() ?? '';
  const words = name.split('_');
  const suffix = words.pop() ?? '';
  const pairs = words.map((word) => /^(?<key>[a-z]+)-(?<value>[0-9A-Za-z]+)$/.exec(word)?.groups);
  if (pairs.some((pair) => pair === undefined) || pairs[0]?.['key'] !== 'sub') return undefined;
  const { sub, ses, ...entities } = Object.fromEntries(
    pairs.map((pair) => [pair?.['key'] ?? '', pair?.['value'] ?? '']),
  ) as Entities;
  if (sub === undefined) return undefined;
  const found = { subject: sub, session: ses, target: { datatype, suffix, entities } };
  const same = pathOf(sub, ses, found.target) === [...folders, datatype, name].join('/');
  return same && entitiesOf(datatype, suffix) !== undefined ? found : undefined;
}
