/** What is read of each file before it is sent: which series it is of, and where the tag goes. */
import { number, planSplice, readAttributes, text, type PrivateTag } from '@scanflow/dicom';
import type { Look, LookedAt } from '@scanflow/dimse';

export interface SeriesFacts {
  readonly seriesInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly studyId: string;
  readonly seriesNumber: number | undefined;
  readonly seriesDescription: string;
}

export interface Seen {
  /** Undefined where the file does not tell. */
  readonly series: SeriesFacts | undefined;
  /** Bytes of the file. */
  readonly size: number;
  /** Why it goes without the tag. */
  readonly untagged?: string;
}

const KEYWORDS = [
  'StudyInstanceUID',
  'SeriesInstanceUID',
  'StudyID',
  'SeriesNumber',
  'SeriesDescription',
] as const;
/** Media Storage Directory Storage: a DICOMDIR is no image. */
const DIRECTORY = '1.2.840.10008.1.3.10';

/** Code of the failure that stands for a DICOMDIR. */
export const DICOMDIR = 'DICOMDIR';

/** For StoreItem.look: tells what it saw, and gives the tag's edits. */
export function lookFor(tag: PrivateTag | undefined, seen: (what: Seen) => void): (file: LookedAt) => Look {
  return ({ head, complete, size }) => {
    const found = readAttributes(head, KEYWORDS, { complete, fileSize: size });
    if (found.kind === 'needMore') return { needMore: found.atLeast };
    if (found.kind === 'attributes' && found.header.sopClassUid === DIRECTORY)
      return { failure: { kind: 'permanent', code: DICOMDIR, message: 'This is a DICOMDIR.' } };
    const series = found.kind === 'attributes' ? factsOf(found.dataSet) : undefined;
    if (tag === undefined) {
      seen({ series, size });
      return { edits: [] };
    }
    const plan = planSplice(head, tag, complete, { fileSize: size });
    if (plan.kind === 'needMore') return { needMore: plan.atLeast };
    // a deflated data set would have to be packed anew
    const deflated = plan.kind === 'splice' && plan.deflatedFrom !== undefined;
    const untagged = plan.kind === 'refused' ? plan.code : deflated ? 'the data set is deflated' : undefined;
    seen({ series, size, ...(untagged === undefined ? {} : { untagged }) });
    return { edits: plan.kind === 'splice' && !deflated ? plan.edits : [] };
  };
}

function factsOf(dataSet: Parameters<typeof text>[0]): SeriesFacts | undefined {
  const seriesInstanceUid = text(dataSet, 'SeriesInstanceUID');
  if (seriesInstanceUid === undefined || seriesInstanceUid === '') return undefined;
  return {
    seriesInstanceUid,
    studyInstanceUid: text(dataSet, 'StudyInstanceUID') ?? '',
    studyId: text(dataSet, 'StudyID') ?? '',
    seriesNumber: number(dataSet, 'SeriesNumber'),
    seriesDescription: text(dataSet, 'SeriesDescription') ?? '',
  };
}
