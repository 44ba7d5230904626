/** Images that the scanner computed from others, by Image Type (0008,0008) and, where that says nothing, by description. */
import type { SeriesFacts } from '../types.ts';

/** Values of Image Type, and what they mean. */
const KINDS: Readonly<Record<string, string>> = {
  ADC: 'an ADC map that the scanner computed',
  ADC_UNSPECIFIED: 'an ADC map that the scanner computed',
  EADC: 'an exponential ADC map that the scanner computed',
  FA: 'an FA map that the scanner computed',
  FRACTIONAL_ANISOTROPY: 'an FA map that the scanner computed',
  COLFA: 'a coloured FA map that the scanner computed',
  TRACE: 'a trace image that the scanner computed',
  TRACEW: 'a trace image that the scanner computed',
  ISOTROPIC: 'an isotropic image that the scanner computed',
  TENSOR: 'a tensor that the scanner computed',
  TENSOR_B0: 'a tensor that the scanner computed',
  MOCO: 'motion-corrected by the scanner',
  'PROJECTION IMAGE': 'a projection',
  MIP: 'a projection',
  MNIP: 'a projection',
  MIP_SAG: 'a projection',
  MIP_COR: 'a projection',
  MIP_TRA: 'a projection',
  SUBTRACTION: 'a difference that the scanner computed',
  SUB: 'a difference that the scanner computed',
  T_MAP: 'a t map that the scanner computed',
  TTEST: 'a t map that the scanner computed',
  'T-TEST': 'a t map that the scanner computed',
  RCBF: 'a perfusion map that the scanner computed',
  RELCBF: 'a perfusion map that the scanner computed',
  CBF: 'a perfusion map that the scanner computed',
  SCREENSHOT: 'a screenshot',
  'SCREEN SAVE': 'a screenshot',
  'CSA REPORT': 'a report of the scanner',
};

/** Values that mean this only after DERIVED: originals have them, too. */
const KINDS_OF_DERIVED: Readonly<Record<string, string>> = {
  MPR: 'a reformatted view',
  PROJECTION: 'a projection',
  PERFUSION: 'a perfusion map that the scanner computed',
  MEAN: 'a mean that the scanner computed',
};

/** Ends of Series Description that the vendors give to what they compute. */
const ENDS: readonly (readonly [RegExp, string])[] = [
  [/[_ -](?:ADC|ADC map)$/i, 'an ADC map that the scanner computed'],
  [/[_ -]e?xp(?:onential)?[_ -]?ADC$/i, 'an exponential ADC map that the scanner computed'],
  [/[_ -]TRACEW?$/i, 'a trace image that the scanner computed'],
  [/[_ -](?:col)?FA$/i, 'an FA map that the scanner computed'],
  [/[_ -]TENSOR(?:_B0)?$/i, 'a tensor that the scanner computed'],
  [/^MoCo(?:Series)?$|[_ -]MoCo$/i, 'motion-corrected by the scanner'],
];

/** What it is, as a noun; undefined where it is an image of its own. */
export function derivedKind(
  imageType: readonly string[],
  { seriesDescription }: Pick<SeriesFacts, 'seriesDescription'>,
): string | undefined {
  const values = imageType.map((value) => value.toUpperCase());
  const kinds = values[0] === 'DERIVED' ? { ...KINDS, ...KINDS_OF_DERIVED } : KINDS;
  const byType = values.map((value) => kinds[value]).find((kind) => kind !== undefined);
  return byType ?? ENDS.find(([end]) => end.test(seriesDescription.trim()))?.[1];
}
