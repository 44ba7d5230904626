/** Whether dcm2niix's images are what the DICOM headers promise. Pure. */
import { permanent, type Failure } from '@scanflow/failure';
import type { SeriesFacts } from '@scanflow/bids';
import type { NiftiHeader } from './nifti.ts';

/** What became of one output. */
export interface Made {
  readonly name: string;
  readonly header: NiftiHeader | undefined;
  /** All voxels are there. */
  readonly whole: boolean;
  /** Of its .bval, and of each of the three lines of its .bvec; undefined where it has none. */
  readonly bValues: number | undefined;
  readonly bVectors: readonly number[] | undefined;
}

export interface Checked {
  readonly facts: SeriesFacts;
  /** Slices of all images of the series. */
  readonly slices: number | undefined;
  readonly made: readonly Made[];
  /** Names of other files that dcm2niix made. */
  readonly others: readonly string[];
}

/** The first thing that is wrong; undefined where nothing is. `words` are dcm2niix's. */
export function checkSeries({ facts, slices, made, others }: Checked, words: string): Failure | undefined {
  const expected = facts.outputs.map(({ name }) => name);
  const names = made.map(({ name }) => name);
  const missing = expected.filter((name) => !names.includes(name));
  const extra = [...names.filter((name) => !expected.includes(name)), ...others];
  if (missing.length > 0)
    return failed('BIDS_OUTPUT_MISSING', facts, `dcm2niix did not make ${missing.join(', ')}: ${words}`);
  if (extra.length > 0)
    return failed(
      'BIDS_OUTPUT_UNEXPECTED',
      facts,
      `dcm2niix made more than expected (${extra.slice(0, 5).join(', ')}): ${words}`,
    );
  for (const one of made) {
    const problem = checkOutput(one, facts);
    if (problem !== undefined)
      return failed('BIDS_CHECK_FAILED', facts, `Output ${one.name}: ${problem}. dcm2niix: ${words}`);
  }
  const total = made.reduce(
    (sum, { header }) => sum + (header === undefined ? 0 : header.size[2] * header.size[3]),
    0,
  );
  if (slices !== undefined && total !== slices)
    return failed(
      'BIDS_CHECK_FAILED',
      facts,
      `The DICOM images hold ${slices} slices, and the converted images ${total}. dcm2niix: ${words}`,
    );
  return undefined;
}

function checkOutput({ header, whole, bValues, bVectors }: Made, facts: SeriesFacts): string | undefined {
  if (header === undefined) return 'it is no NIfTI file';
  if (!whole) return 'the NIfTI file is shorter or longer than its header says';
  const { size } = header;
  const { geometry, volumes, images } = facts;
  const isOne = facts.outputs.length === 1;
  if (isOne && geometry !== undefined && volumes > 0) {
    const promised = [geometry.rows, geometry.columns, geometry.slices];
    // dcm2niix turns 3D acquisitions, so that the order of the dimensions may differ
    if (inOrder(promised) !== inOrder(size.slice(0, 3)))
      return `its size is ${size.slice(0, 3).join(' × ')}, and that of the DICOM images ${promised.join(' × ')}`;
    if (size[3] !== volumes)
      return `it has ${size[3]} volumes, and the ${images} DICOM images have ${volumes}`;
    if (facts.bValues.length > 1 && bValues === undefined)
      return 'the DICOM images have b-values, and the converted image has none';
  } else if (volumes > 0 && size[3] > volumes)
    return `it has ${size[3]} volumes, and the DICOM images have ${volumes}`;
  return checkGradients(size[3], bValues, bVectors);
}

const inOrder = (sizes: readonly number[]): string =>
  [...sizes].sort((one, other) => one - other).join(' × ');

function checkGradients(
  volumes: number,
  bValues: number | undefined,
  bVectors: readonly number[] | undefined,
): string | undefined {
  if (bValues === undefined && bVectors === undefined) return undefined;
  if (bValues !== volumes) return `it has ${volumes} volumes and ${bValues ?? 'no'} b-values`;
  if (bVectors?.length !== 3 || bVectors.some((count) => count !== volumes))
    return `it has ${volumes} volumes, and its gradients are ${bVectors?.join(' × ') ?? 'missing'}`;
  return undefined;
}

const failed = (code: string, { folder }: SeriesFacts, what: string): Failure =>
  permanent(code, `${folder}: ${what}`);

/** Numbers in each line of a .bval or .bvec. */
export const columnsOf = (text: string): number[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => line.split(/\s+/).length);
