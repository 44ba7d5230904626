/** What Orthanc's answer to an image means for the scanner (PS3.4 table B.2-1), and the ids under which Orthanc keeps it. Pure. */
import { createHash } from 'node:crypto';
import { readAttributes, text } from '@scanflow/dicom';

/** An answer of Orthanc's REST interface, or none. */
export type Given =
  | { readonly answered: true; readonly status: number; readonly body: Buffer }
  | { readonly answered: false; readonly why: string };

export interface Stored {
  /** Orthanc's ids. */
  readonly instance: string;
  readonly series: string;
}

export type Verdict =
  | ({ readonly kind: 'stored' | 'known' } & Stored)
  /** The scanner keeps the image, and may send it again. `again`: a retry at once may help. */
  | { readonly kind: 'failed'; readonly status: number; readonly comment: string; readonly again: boolean };

/** Refused: out of resources. */
export const OUT_OF_RESOURCES = 0xa700;
/** Error: cannot understand. */
export const CANNOT_UNDERSTAND = 0xc000;
/** Warning: stored, and the request names another SOP class or instance than its data set. */
export const DOES_NOT_MATCH = 0xb007;
/** Orthanc's own number for a file that is no DICOM. */
const BAD_FILE = 15;

/** What to answer the scanner, by the answer of Orthanc. */
export function verdictOf(given: Given): Verdict {
  if (!given.answered) return failed(`Orthanc does not answer: ${given.why}`, true);
  const { status } = given;
  const body = parsed(given.body);
  if (status === 200) return accepted(body);
  if (status === 401 || status === 403) return failed('Orthanc refuses the user of the receiver', false);
  if (status === 507) return failed('The disk of Orthanc is full', false);
  if (status === 503) return failed('Orthanc is busy (503)', true);
  if (body['OrthancStatus'] === BAD_FILE || status === 400 || status === 415)
    return failed('Orthanc cannot read the data set', false, CANNOT_UNDERSTAND);
  return failed(`Orthanc cannot store it (${status})`, false);
}

function accepted(body: Readonly<Record<string, unknown>>): Verdict {
  const { ID: instance, ParentSeries: series, Status: outcome } = body;
  if (typeof instance === 'string' && typeof series === 'string') {
    if (outcome === 'Success') return { kind: 'stored', instance, series };
    if (outcome === 'AlreadyStored') return { kind: 'known', instance, series };
  }
  if (outcome === 'FilteredOut') return failed('A filter of Orthanc drops it', false, CANNOT_UNDERSTAND);
  return failed('The answer of Orthanc is not understood', false);
}

const failed = (comment: string, again: boolean, status = OUT_OF_RESOURCES): Verdict => ({
  kind: 'failed',
  status,
  comment,
  again,
});

function parsed(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

const LEVELS = ['PatientID', 'StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID'] as const;

/**
 * Orthanc's ids of an instance: SHA-1 of the identifiers of its levels.
 *
 * @param file its first bytes
 * @param complete whether these are all bytes
 * @returns undefined if the bytes do not show the identifiers
 */
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
