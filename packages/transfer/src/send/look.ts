/** What is read of each file before it is sent: which series it is of, and where the tag goes. */
import { number, planSplice, readAttributes, text, type PrivateTag } from '@scanflow/dicom/file';
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

const SERIES = ['SeriesInstanceUID'] as const;
const KEYWORDS = [
  'SeriesInstanceUID',
  'StudyInstanceUID',
  'StudyID',
  'SeriesNumber',
  'SeriesDescription',
] as const;
/** Media Storage Directory Storage: a DICOMDIR is no image. */
const DIRECTORY = '1.2.840.10008.1.3.10';

/** Code of the failure that stands for a DICOMDIR. */
export const DICOMDIR = 'DICOMDIR';

/** Series that have been met: their facts are read once, of the first image. */
export type KnownSeries = Map<string, SeriesFacts>;

/** For StoreItem.look: tells what it saw, and gives the tag's edits. */
export function lookFor(
  tag: PrivateTag | undefined,
  known: KnownSeries,
  seen: (what: Seen) => void,
): (file: LookedAt) => Look {
  return (file) => {
    const { head, complete, size } = file;
    const found = seriesOf(file, known);
    if (typeof found === 'number') return { needMore: found };
    if (found === 'directory')
      return { failure: { kind: 'permanent', code: DICOMDIR, message: 'This is a DICOMDIR.' } };
    const series = found === 'unknown' ? undefined : found;
    if (tag === undefined) {
      seen({ series, size });
      return { edits: [] };
    }
    const plan = planSplice(head, tag, complete, { fileSize: size });
    if (plan.kind === 'needMore') return { needMore: plan.atLeast };
    // a deflated data set would have to be packed anew
    const deflated = plan.kind === 'splice' && plan.deflatedFrom !== undefined;
    const untagged =
      plan.kind === 'refused' ? plan.message : deflated ? 'The data set is deflated.' : undefined;
    seen({ series, size, ...(untagged === undefined ? {} : { untagged }) });
    return { edits: plan.kind === 'splice' && !deflated ? plan.edits : [] };
  };
}

/** The series' facts, or how many bytes are needed for them. */
function seriesOf(
  { head, complete, size }: LookedAt,
  known: KnownSeries,
): SeriesFacts | 'unknown' | 'directory' | number {
  const read = (keywords: readonly string[]): ReturnType<typeof readAttributes> =>
    readAttributes(head, keywords, { complete, fileSize: size });
  const first = read(SERIES);
  if (first.kind === 'needMore') return first.atLeast;
  if (first.kind === 'refused') return 'unknown';
  if (first.header.sopClassUid === DIRECTORY) return 'directory';
  const uid = text(first.dataSet, 'SeriesInstanceUID') ?? '';
  if (uid === '') return 'unknown';
  const met = known.get(uid);
  if (met !== undefined) return met;
  const all = read(KEYWORDS);
  if (all.kind === 'needMore') return all.atLeast;
  const facts = factsOf(uid, (all.kind === 'refused' ? first : all).dataSet);
  known.set(uid, facts);
  return facts;
}

function factsOf(seriesInstanceUid: string, dataSet: Parameters<typeof text>[0]): SeriesFacts {
  return {
    seriesInstanceUid,
    studyInstanceUid: text(dataSet, 'StudyInstanceUID') ?? '',
    studyId: text(dataSet, 'StudyID') ?? '',
    seriesNumber: number(dataSet, 'SeriesNumber'),
    seriesDescription: text(dataSet, 'SeriesDescription') ?? '',
  };
}
