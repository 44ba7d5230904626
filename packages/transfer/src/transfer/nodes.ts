/**
 * The two ends of a transfer, whatever speaks to them: identifiers of Query/Retrieve (PS3.4 C.6.2, Study Root), what their
 * answers say that a node holds, and what of it is lacking. Pure.
 */
import { defined } from '@scanflow/failure/defined';
import type { MoveOutcome } from '@scanflow/dimse';
import { FailureError, permanent } from '@scanflow/failure';
import { dataSet, number, text, type Attributes, type DataSet } from '@scanflow/dicom';
import type { Request } from './requests.ts';

export interface Study {
  readonly studyUid: string;
}

/** A study, or one series of it. */
export interface Part {
  readonly studyUid: string;
  readonly seriesUid?: string;
}

/** Gets how many images the source says it has sent in this move. */
type Sent = (images: number) => void;

/** The archive. Its methods throw FailureError. */
export interface Source {
  readonly name: string;
  /** Resolves if it answers and accepts us. */
  readonly check: (signal: AbortSignal) => Promise<void>;
  /** Matching studies, each once. */
  readonly studies: (request: Request, signal: AbortSignal) => Promise<readonly Study[]>;
  readonly holding: (studyUid: string, signal: AbortSignal) => Promise<Holding>;
  /** Never rejects. */
  readonly move: (part: Part, sent: Sent, signal: AbortSignal) => Promise<MoveOutcome>;
}

/** The node that gets the images. Its methods throw FailureError. */
export interface Target {
  readonly name: string;
  /** Resolves if it answers, and can be queried. */
  readonly check: (signal: AbortSignal) => Promise<void>;
  /** With `wanted` it does not list the images of a series whose count is too low: that is enough for a glance. */
  readonly holding: (studyUid: string, signal: AbortSignal, wanted?: Holding) => Promise<Holding>;
}

export interface Terms {
  readonly source: Source;
  /** Undefined: it cannot be queried, so the source's word counts. */
  readonly target: Target | undefined;
  /** A move is over when nothing arrives for so long, in milliseconds. */
  readonly waitMs: number;
  /** How often missing images are requested again, series by series. */
  readonly again: number;
  readonly signal: AbortSignal;
}

/** Whether a repeat would change nothing. */
export const isFinal = (outcome: MoveOutcome): boolean =>
  outcome.result !== 'complete' && outcome.failure.kind === 'permanent';

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

/** Milliseconds to wait before an attempt, by its number from 1: 1, 2, 4 … at most 30 s. */
export const pauseBefore = (attempt: number): number => Math.min(FIRST_MS * 2 ** (attempt - 1), LONGEST_MS);

interface SeriesHolding {
  readonly count: number;
  /** SOP Instance UIDs. Undefined if the node does not list them, or not all. */
  readonly uids?: ReadonlySet<string>;
}

/** By Series Instance UID. */
export type Holding = ReadonlyMap<string, SeriesHolding>;

/** The number of images. */
export const imagesIn = (holding: Holding): number =>
  [...holding.values()].reduce((sum, { count }) => sum + count, 0);

/** What of `wanted` is not in `has`: by UIDs if both sides list them, otherwise by the counts of each series. */
export function lacking(wanted: Holding, has: Holding): Holding {
  const missing = new Map<string, SeriesHolding>();
  for (const [series, { count, uids }] of wanted) {
    const there = has.get(series);
    if (uids !== undefined && (there === undefined || there.uids !== undefined)) {
      const absent = uids.difference(there?.uids ?? new Set());
      if (absent.size > 0) missing.set(series, { count: absent.size, uids: absent });
    } else if (count > (there?.count ?? 0)) missing.set(series, { count: count - (there?.count ?? 0) });
  }
  return missing;
}

/** Whether `lacking` compares UIDs, not only counts. */
export const comparedByUid = (wanted: Holding, has: Holding): boolean =>
  [...wanted].every(
    ([series, { uids }]) => uids !== undefined && (has.get(series)?.uids !== undefined || !has.has(series)),
  );

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
  ...defined({ SeriesInstanceUID: seriesUid }),
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
  throw new FailureError(
    permanent(
      'TRANSFER_UNCOUNTED',
      `${node} gives neither the images of a series nor their number, so nobody can say when all of them have arrived. Ask its vendor for C-FIND at the IMAGE level.`,
    ),
  );
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
