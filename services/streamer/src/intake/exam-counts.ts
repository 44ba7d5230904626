/** What scanners reported of their exams: `performed/<SOP Instance UID>.json`, written by the worklist service. */
import type { ExamSummary } from '@scanflow/booking';
import { examFiles, RecordWatch } from '@scanflow/records';

export interface ExamCounts {
  /** Reads what changed since the last time. Whether anything did. */
  readonly refresh: () => Promise<boolean>;
  /** Number of records. */
  readonly known: () => number;
  /** How many instances the scanner says that the series has; undefined where it has said nothing final. */
  readonly expected: (seriesInstanceUid: string) => number | undefined;
  /** How many exams are of one of these bookings or studies. */
  readonly about: (accessions: ReadonlySet<string>, studies: ReadonlySet<string>) => Promise<number>;
}

/**
 * @param folder where the worklist service writes exam records; it need not exist
 * @param unreadable reports a damaged file (name and reason), once for each of its contents
 */
export function openExamCounts(
  folder: string,
  unreadable: (file: string, reason: string) => void = () => undefined,
): ExamCounts {
  const watch = new RecordWatch(examFiles(folder, { onDamaged: unreadable }), countsOf, { replaced: true });
  let counts: ReadonlyMap<string, number> = new Map();
  return {
    refresh: async () => {
      const { changed } = await watch.look();
      if (changed) counts = together(watch.values());
      return changed;
    },
    known: () => watch.size,
    expected: (seriesInstanceUid) => counts.get(seriesInstanceUid),
    about: async (accessions, studies) => {
      let exams = 0;
      for await (const record of examFiles(folder).all())
        if (isAbout(record, accessions, studies)) exams += 1;
      return exams;
    },
  };
}

const isAbout = (
  { items, links }: ExamSummary,
  accessions: ReadonlySet<string>,
  studies: ReadonlySet<string>,
): boolean =>
  items.some((one) => accessions.has(one.accessionNumber) || studies.has(one.studyInstanceUid)) ||
  links.some(
    (one) => accessions.has(one.accessionNumber) || one.studyInstanceUids.some((uid) => studies.has(uid)),
  );

/** A series belongs to one exam; should two name it, the larger count is the later one. */
function together(all: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const most = new Map<string, number>();
  for (const counts of all)
    for (const [series, count] of counts) most.set(series, Math.max(count, most.get(series) ?? 0));
  return most;
}

/** While an exam runs, its list of series may be a part of what there will be. */
const countsOf = ({ state, series }: ExamSummary): ReadonlyMap<string, number> =>
  new Map(
    state === 'IN PROGRESS'
      ? []
      : series.map(({ seriesInstanceUid, images, others }) => [seriesInstanceUid, images + others]),
  );
