/** Which exams run: the exam records that scanners reported (MPPS) and have not ended. */
import type { ExamSummary } from '@scanflow/booking';
import { examFiles, RecordWatch } from '@scanflow/records';

export interface RunningExams {
  /** Accession numbers of exams in progress. */
  accessions(now: Temporal.Instant): Promise<ReadonlySet<string>>;
  /** Accession numbers of all exams on record, also of exams that have ended. */
  all(): Promise<ReadonlySet<string>>;
}

/** A scanner that was switched off never reports the end: after a day, an exam no longer runs. */
const LONGEST = Temporal.Duration.from({ hours: 24 });

/** `folder` need not exist: without MPPS no exam is ever known to run. */
export function openRunningExams(folder: string): RunningExams {
  const exams = new RecordWatch(
    examFiles(folder),
    (exam) => ({
      runsUntil: exam.state === 'IN PROGRESS' ? Temporal.Instant.from(exam.created).add(LONGEST) : undefined,
      accessions: accessionsOf(exam),
    }),
    { replaced: true },
  );
  const accessionsWhere = async (
    counts: (runsUntil: Temporal.Instant | undefined) => boolean,
  ): Promise<ReadonlySet<string>> => {
    await exams.look();
    const found = exams.values().filter(({ runsUntil }) => counts(runsUntil));
    return new Set(found.flatMap(({ accessions }) => accessions));
  };
  return {
    accessions: (now) =>
      accessionsWhere((until) => until !== undefined && Temporal.Instant.compare(until, now) >= 0),
    all: () => accessionsWhere(() => true),
  };
}

const accessionsOf = ({ links, items }: ExamSummary): string[] =>
  [...links, ...items].map(({ accessionNumber }) => accessionNumber).filter((accession) => accession !== '');
