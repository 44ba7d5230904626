/** An event and its outcome, as the API and `bookings/rejected.json` show them. */
import type { Outcome } from '@scanflow/booking';

/** Times are UTC instants. Unknown values are absent. */
export interface OutcomeView {
  readonly outcome: Outcome['outcome'];
  readonly code: string;
  readonly reason: string;
  readonly calendar: string;
  readonly scanner?: string;
  readonly uid?: string;
  readonly recurrenceId?: string;
  readonly start?: string;
  readonly end?: string;
  readonly summary?: string;
  readonly project?: string;
  readonly subject?: string;
  readonly session?: string;
  readonly accessionNumber?: string;
  readonly studyInstanceUid?: string;
  /** All warnings of a booking. `code` names the first, `reason` describes all. */
  readonly warnings?: readonly string[];
}

export function outcomeView(one: Outcome, calendar: string): OutcomeView {
  const { outcome, code, reason, scanner, uid, recurrenceId, start, end, summary } = one;
  const record = one.outcome === 'booking' ? one.record : undefined;
  const warnings = one.outcome === 'booking' ? one.warnings.map((warning) => warning.code) : [];
  const known = {
    scanner,
    uid,
    recurrenceId,
    start: record?.start ?? start?.toString(),
    end: record?.end ?? end?.toString(),
    summary,
    ...record?.labels,
    accessionNumber: record?.accessionNumber,
    studyInstanceUid: record?.studyInstanceUid,
    warnings: warnings.length === 0 ? undefined : warnings,
  };
  const given = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
  return { outcome, code, reason, calendar, ...given };
}
