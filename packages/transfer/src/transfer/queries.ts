/** Identifiers of Query/Retrieve (PS3.4 C.6.2, Study Root), and what their answers say. Pure. */
import { FailureError } from '@scanflow/failure';
import { dataSet, number, text, type Attributes, type DataSet } from '@scanflow/dicom';
import type { Holding, Part, SeriesHolding, Study } from './nodes.ts';
import type { Request } from './requests.ts';

/** Most answers to one query. A list that is cut short must not count as complete. */
export const MOST_ANSWERS = 100_000;

/** The keys of a request (PS3.4 C.6.2.1.2). */
export function studyKeys({ accession, studyUid, patientId, dates }: Request): Attributes {
  const range = dates === undefined ? '' : dates.from === dates.to ? dates.from : `${dates.from}-${dates.to}`;
  return {
    QueryRetrieveLevel: 'STUDY',
    StudyInstanceUID: studyUid ?? '',
    AccessionNumber: accession ?? '',
    PatientID: patientId ?? '',
    StudyDate: range,
  };
}

export const seriesKeys = (studyUid: string): Attributes => ({
  QueryRetrieveLevel: 'SERIES',
  StudyInstanceUID: studyUid,
  SeriesInstanceUID: '',
  NumberOfSeriesRelatedInstances: '',
});

export const imageKeys = (studyUid: string, seriesUid: string): Attributes => ({
  QueryRetrieveLevel: 'IMAGE',
  StudyInstanceUID: studyUid,
  SeriesInstanceUID: seriesUid,
  SOPInstanceUID: '',
});

/** Unique keys alone (PS3.4 C.4.2.1.4.1). */
export const moveKeys = ({ studyUid, seriesUid }: Part): Attributes => ({
  QueryRetrieveLevel: seriesUid === undefined ? 'STUDY' : 'SERIES',
  StudyInstanceUID: studyUid,
  ...(seriesUid === undefined ? {} : { SeriesInstanceUID: seriesUid }),
});

/** The identifier, in ASCII if that is enough. */
export function identifier(keys: Attributes): DataSet {
  const plain = Object.values(keys).every((value) => typeof value !== 'string' || /^[ -~]*$/.test(value));
  return dataSet({ ...keys, ...(plain ? {} : { SpecificCharacterSet: 'ISO_IR 192' }) });
}

/**
 * The studies of the answers. Leaves out answers that do not match the request: some archives match more loosely than the
 * standard, or ignore a key and answer with everything.
 */
export function studiesIn(answers: readonly DataSet[], request: Request): Study[] {
  const fits = (answer: DataSet): boolean => {
    const same = (asked: string | undefined, keyword: string): boolean =>
      asked === undefined || text(answer, keyword)?.trim() === asked;
    const date = text(answer, 'StudyDate')?.replaceAll('.', '') ?? '';
    const { dates } = request;
    return (
      same(request.accession, 'AccessionNumber') &&
      same(request.studyUid, 'StudyInstanceUID') &&
      same(request.patientId, 'PatientID') &&
      (dates === undefined || (date >= dates.from && date <= dates.to))
    );
  };
  const uids = answers.filter(fits).map((answer) => text(answer, 'StudyInstanceUID')?.trim() ?? '');
  return [...new Set(uids)].filter((uid) => uid !== '').map((studyUid) => ({ studyUid }));
}

/** The number of images of each series, by UID; undefined if the node does not count. */
export function seriesIn(answers: readonly DataSet[]): Map<string, number | undefined> {
  const series = new Map<string, number | undefined>();
  for (const answer of answers) {
    const uid = text(answer, 'SeriesInstanceUID')?.trim() ?? '';
    if (uid !== '') series.set(uid, number(answer, 'NumberOfSeriesRelatedInstances'));
  }
  return series;
}

/**
 * Combines the count and the list of a series. Some nodes limit answers without saying so: if the list is shorter than the
 * count, only the count counts. Throws FailureError if there is neither.
 */
function seriesHolding(count: number | undefined, listed: readonly DataSet[], node: string): SeriesHolding {
  const uids = new Set(
    listed.map((answer) => text(answer, 'SOPInstanceUID')?.trim() ?? '').filter((uid) => uid !== ''),
  );
  if (uids.size > 0 && uids.size >= (count ?? 0)) return { count: uids.size, uids };
  if (count !== undefined) return { count };
  throw new FailureError({
    kind: 'permanent',
    code: 'TRANSFER_UNCOUNTED',
    message: `${node} gives neither the images of a series nor their number, so nobody can say when all of them have arrived. Ask its vendor for C-FIND at the IMAGE level.`,
  });
}

/** What a node holds of a study, by the counts and lists of its series. Throws FailureError `TRANSFER_UNCOUNTED`. */
export function holdingOf(
  counts: ReadonlyMap<string, number | undefined>,
  lists: ReadonlyMap<string, readonly DataSet[]>,
  node: string,
): Holding {
  return new Map([...counts].map(([uid, count]) => [uid, seriesHolding(count, lists.get(uid) ?? [], node)]));
}

/** The series to list. The counts of the others show that images are missing. */
export function toList(
  counts: ReadonlyMap<string, number | undefined>,
  wanted: Holding | undefined,
): string[] {
  const uids = [...counts.keys()];
  if (wanted === undefined) return uids;
  return uids.filter((uid) => {
    const asked = wanted.get(uid);
    const count = counts.get(uid);
    return asked !== undefined && (count === undefined || count >= asked.count);
  });
}
