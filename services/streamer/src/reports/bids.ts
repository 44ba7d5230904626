/** What became of the conversion of a session to BIDS, as reports and pages show it. Pure. */
import { readAnswer, type BidsResult } from '@scanflow/bids/answer';
import { BIDS } from '@scanflow/config';
import { defined } from '@scanflow/failure/defined';
import { iso, type LegState, type Reason } from '../model/series.ts';
import type { DeliveryView, SessionView } from '../ledger/rows.ts';

/** What became of a session's conversion, for `/api/sessions`, its CSV, the command and the board. */
export interface BidsReport {
  readonly state: LegState;
  readonly increment: number;
  readonly updated: string;
  readonly attempts: number;
  readonly nextTry?: string;
  readonly failure?: Reason;
  readonly result?: BidsResult;
}

/** From the deliveries of a session, its latest first. Undefined where it was never handed over. Pure. */
export function bidsReport(deliveries: readonly DeliveryView[] | undefined): BidsReport | undefined {
  const last = deliveries?.find(({ hook }) => hook === BIDS);
  if (last === undefined) return undefined;
  const { state, increment, updated, attempts, nextTry, failure, output } = last;
  const answer = readAnswer(output);
  return {
    state,
    increment,
    updated: iso(updated),
    attempts,
    ...defined({
      nextTry: nextTry === null || state !== 'pending' ? undefined : iso(nextTry),
      failure,
      result: answer?.ok === true ? answer.result : undefined,
    }),
  };
}

/** The sessions' reports of conversion, by id. */
export const bidsReports = (
  views: readonly Pick<SessionView, 'id'>[],
  told: ReadonlyMap<string, readonly DeliveryView[]>,
): ReadonlyMap<string, BidsReport> =>
  new Map(
    views.flatMap(({ id }) => {
      const report = bidsReport(told.get(id));
      return report === undefined ? [] : [[id, report] as const];
    }),
  );
