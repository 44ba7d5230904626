/** The ids under which Orthanc keeps an instance: SHA-1 of the identifiers of its levels. Pure. */
import { createHash } from 'node:crypto';
import { readAttributes, text } from '@scanflow/dicom';
import type { Stored } from './verdict.ts';

const LEVELS = ['PatientID', 'StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID'] as const;

/** From the first bytes of a file; undefined where these do not tell. */
export function orthancIds(file: Uint8Array, complete: boolean): Stored | undefined {
  const found = readAttributes(file, LEVELS, { complete });
  if (found.kind !== 'attributes') return undefined;
  const [patient = '', study = '', series = '', instance = ''] = LEVELS.map((level) =>
    (text(found.dataSet, level) ?? '').trim(),
  );
  return {
    series: idOf([patient, study, series]),
    instance: idOf([patient, study, series, instance]),
  };
}

const idOf = (levels: readonly string[]): string =>
  createHash('sha1')
    .update(levels.join('|'))
    .digest('hex')
    .replaceAll(/(.{8})(?=.)/g, '$1-');
