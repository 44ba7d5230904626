/** Which reports of exams the worklist refused: their exams stay in progress until somebody looks. */
import { ok, skipped, warning, type Check, type Finding } from './finding.ts';
import { askApi } from './pages.ts';
import { sees, type Place } from './place.ts';

export const examChecks = (place: Place): Check[] =>
  sees(place, 'worklist') ? [{ name: 'exams', run: (signal) => lookAtExams(place, signal) }] : [];

async function lookAtExams(place: Place, signal: AbortSignal): Promise<Finding | Finding[]> {
  const page = await askApi(place.config, 'worklist', '/api/performed', signal);
  if ('trouble' in page)
    return skipped('the worklist, which knows them, cannot be asked', 'See secrets and worklist above.');
  return judgeReports(Array.isArray(page.body['refused']) ? page.body['refused'].flatMap(reportOf) : []);
}

export interface RefusedReport {
  readonly operation: string;
  readonly callingAet: string;
  /** Four hexadecimal digits. */
  readonly status: string;
  readonly comment: string;
}

function reportOf(value: unknown): RefusedReport[] {
  if (typeof value !== 'object' || value === null) return [];
  const { operation, callingAet, status, comment } = value as Readonly<Record<string, unknown>>;
  return [operation, callingAet, status, comment].every((one) => typeof one === 'string')
    ? [value as RefusedReport]
    : [];
}

/** Not authorized (PS3.7 10.1.3.1.9): another AE title created the exam. */
const FOREIGN = '0124';

/** One finding for each calling AE title and status. Pure. */
export function judgeReports(refused: readonly RefusedReport[]): Finding | Finding[] {
  if (refused.length === 0) return ok('no report of an exam was refused');
  const groups = Map.groupBy(refused, ({ callingAet, status }) => `${callingAet} ${status}`);
  return [...groups.values()].map((reports) => {
    const { operation, callingAet, status, comment } = reports[0] as RefusedReport;
    const times = reports.length === 1 ? 'once' : `${reports.length} times`;
    return warning(
      `${operation} of ${callingAet} was refused ${times} with ${status}: ${comment}`,
      status === FOREIGN
        ? `Where ${callingAet} is another title of the same scanner, add it to scanners.NAME.sends and restart the worklist.`
        : 'See docs/operations.md, What scanners report of exams.',
    );
  });
}
