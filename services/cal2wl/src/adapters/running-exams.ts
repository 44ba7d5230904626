/** Which exams run: what scanners reported in `performed/*.json` (MPPS) and have not ended. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseExamRecord, type ExamRecord } from '@scanflow/booking';
import { codeOf } from '@scanflow/failure';
import { readBounded } from '@scanflow/runtime';

export interface Running {
  /** Accession numbers of exams in progress. */
  accessions(now: Temporal.Instant): Promise<ReadonlySet<string>>;
  /** Those of all exams on record, also of exams that have ended. */
  all(): Promise<ReadonlySet<string>>;
}

/** A scanner that was switched off never tells the end: after a day, an exam runs no more. */
const LONGEST = Temporal.Duration.from({ hours: 24 });
const MAX_BYTES = 67_108_864;
const RECORD = /^\d[\d.]{0,63}\.json$/;

/** `folder` need not be there: without MPPS nothing is ever known to run. */
export function openRunning(folder: string): Running {
  /** Steps that have ended, which they do for good. */
  const ended = new Set<string>();
  return {
    async accessions(now) {
      const names = (await filesIn(folder)).filter((name) => RECORD.test(name));
      const found = new Set<string>();
      for (const name of names.filter((one) => !ended.has(one))) {
        const record = await recordIn(folder, name);
        if (record === undefined) continue;
        const { state, created } = record;
        const isOld = Temporal.Instant.compare(Temporal.Instant.from(created).add(LONGEST), now) < 0;
        if (state !== 'IN PROGRESS' || isOld) ended.add(name);
        else for (const accession of accessionsOf(record)) found.add(accession);
      }
      for (const name of ended) if (!names.includes(name)) ended.delete(name);
      return found;
    },
    async all() {
      const found = new Set<string>();
      for (const name of (await filesIn(folder)).filter((one) => RECORD.test(one))) {
        const record = await recordIn(folder, name);
        for (const accession of record === undefined ? [] : accessionsOf(record)) found.add(accession);
      }
      return found;
    },
  };
}

async function recordIn(folder: string, name: string): Promise<ExamRecord | undefined> {
  const bytes = await readBounded(join(folder, name), MAX_BYTES).catch(() => undefined);
  const parsed = bytes === undefined ? undefined : parseExamRecord(bytes.toString('utf8'));
  return parsed?.ok === true ? parsed.record : undefined;
}

const accessionsOf = ({ links, items }: ExamRecord): string[] =>
  [...links, ...items].map(({ accessionNumber }) => accessionNumber).filter((accession) => accession !== '');

async function filesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
