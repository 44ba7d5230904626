/** Deliveries to hooks as people see them. Their work is in hooks/. */
import type { Row } from '@scanflow/database';
import { HOOK_EVENTS } from '../hooks/plan.ts';
import type { LegState } from '../model/series.ts';
import type { DeliveryView, DeliveryWork } from './rows.ts';
import type { Tx } from './tx.ts';
import { message, parse } from './views.ts';

export function factsOf(row: Row): Omit<DeliveryWork, 'id' | 'token' | 'subject' | 'accession'> {
  return {
    event: String(row['event']),
    hook: String(row['hook']),
    kind: HOOK_EVENTS.find((kind) => kind === row['kind']) ?? 'stored',
    target: parse.text(row['target']),
    increment: Number(row['increment']),
    cause: message(row['cause_code'], row['cause_message']),
    created: Number(row['created']),
    attempts: Number(row['attempts']),
  };
}

/** Of each subject. Enough for a page; the log has older ones. */
const MOST = 50;
/** Subjects in one statement: SQLite takes 32,766 values. */
const AT_ONCE = 10_000;

/** Of series and sessions, in their order, each one's latest first. One look, however many there are of a day. */
export async function deliveriesOf(
  tx: Tx,
  subjects: readonly string[],
): Promise<ReadonlyMap<string, DeliveryView[]>> {
  const rows: Row[] = [];
  for (let from = 0; from < subjects.length; from += AT_ONCE) {
    const some = subjects.slice(from, from + AT_ONCE);
    const found = await tx.all(
      `SELECT * FROM (
         SELECT d.*, row_number() OVER (PARTITION BY d.subject ORDER BY d.ord DESC, d.hook) AS place
         FROM delivery d WHERE d.subject IN (${some.map(() => '?').join(', ')})
       ) AS latest WHERE place <= ? ORDER BY subject, place`,
      [...some, MOST],
    );
    rows.push(...found);
  }
  const bySubject = Map.groupBy(rows, (row) => String(row['subject']));
  return new Map(
    subjects.flatMap((subject) => {
      const own = bySubject.get(subject);
      return own === undefined ? [] : [[subject, own.map(viewOf)] as const];
    }),
  );
}

const viewOf = (row: Row): DeliveryView => ({
  ...factsOf(row),
  state: parse.leg(row['state']),
  nextTry: row['claim'] === null ? parse.integer(row['next_try']) : null,
  failure: message(row['failure_code'], row['failure_message']),
  output: String(row['output']),
  updated: Number(row['updated']),
});

/** Latest first. */
export async function deliveriesIn(
  tx: Tx,
  state: LegState | undefined,
  limit: number,
): Promise<(DeliveryView & { readonly subject: string })[]> {
  const rows =
    state === undefined
      ? await tx.all('SELECT * FROM delivery ORDER BY updated DESC LIMIT ?', [limit])
      : await tx.all('SELECT * FROM delivery WHERE state = ? ORDER BY updated DESC LIMIT ?', [state, limit]);
  return rows.map((row) => ({ ...viewOf(row), subject: String(row['subject']) }));
}
