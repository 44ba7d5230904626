/** Deliveries to hooks, in the ledger: written with the fact itself, handed out in order, kept until pruned. */
import { randomUUID } from 'node:crypto';
import { type Failure, FailureError, transient } from '@scanflow/failure';
import { BIDS } from '@scanflow/config';
import type { Value } from '@scanflow/database';
import type { Millis, Tx } from '../ledger/tx.ts';
import { factsOf } from '../ledger/deliveries.ts';
import type { DeliveryWork } from '../ledger/rows.ts';
import { parse } from '../ledger/views.ts';

/** Deliver a subject's events in order, per hook. */
const FIRST = `NOT EXISTS (SELECT 1 FROM delivery e WHERE e.subject = s.subject AND e.hook = s.hook
                           AND e.state = 'pending' AND e.ord < s.ord)`;

/** The next delivery of this hook whose time has come, none of the same subject before it waiting. */
export async function nextDelivery(tx: Tx, hook: string, now: Millis): Promise<DeliveryWork | undefined> {
  const row = await tx.get(
    `SELECT s.* FROM delivery s WHERE s.hook = ? AND s.state = 'pending' AND s.next_try <= ? AND ${FIRST}
     ORDER BY s.next_try, s.created, s.ord LIMIT 1 ${tx.dialect.lockFree('s')}`,
    [hook, now],
  );
  if (row === undefined) return undefined;
  const token = randomUUID();
  const id = String(row['id']);
  const taken = await tx.run(
    `UPDATE delivery SET claim = ?, next_try = ?, updated = ? WHERE id = ? AND state = 'pending' AND next_try <= ?`,
    [token, now + tx.leaseMs, now, id, now],
  );
  if (taken !== 1) return undefined;
  const subject = String(row['subject']);
  const about = await tx.get('SELECT accession FROM series WHERE id = ? OR session = ? LIMIT 1', [
    subject,
    subject,
  ]);
  return { ...factsOf(row), id, token, subject, accession: parse.text(about?.['accession']) };
}

export async function nextDeliveryTime(tx: Tx, hook: string): Promise<Millis | undefined> {
  const row = await tx.get(
    `SELECT min(s.next_try) AS time FROM delivery s WHERE s.hook = ? AND s.state = 'pending' AND ${FIRST}`,
    [hook],
  );
  return parse.integer(row?.['time'] ?? null) ?? undefined;
}

/** The lease begins anew; false where another has it by now. */
export async function renewDelivery(tx: Tx, { id, token }: DeliveryWork, now: Millis): Promise<boolean> {
  const renewed = await tx.run('UPDATE delivery SET next_try = ? WHERE id = ? AND claim = ?', [
    now + tx.leaseMs,
    id,
    token,
  ]);
  return renewed === 1;
}

export async function delivered(
  tx: Tx,
  { id, token }: DeliveryWork,
  output: string,
  now: Millis,
): Promise<void> {
  const ended = await tx.run(
    `UPDATE delivery SET state = 'done', claim = NULL, next_try = NULL, attempts = attempts + 1, failure_code = NULL,
       failure_message = NULL, output = ?, updated = ?
     WHERE id = ? AND claim = ?`,
    [output, now, id, token],
  );
  if (ended !== 1) throw new FailureError(LOST);
}

/** Without a next try it is given up; without a failure it is laid down as if it had not begun. */
export async function notDelivered(
  tx: Tx,
  { id, token }: DeliveryWork,
  end: {
    readonly failure: Failure | undefined;
    readonly output: string;
    readonly nextTry: Millis | undefined;
  },
  now: Millis,
): Promise<void> {
  const { failure, output, nextTry } = end;
  const ended =
    failure === undefined
      ? await tx.run('UPDATE delivery SET claim = NULL, next_try = ? WHERE id = ? AND claim = ?', [
          now,
          id,
          token,
        ])
      : await tx.run(
          `UPDATE delivery SET state = ?, claim = NULL, next_try = ?, attempts = attempts + 1, failure_code = ?,
             failure_message = ?, output = ?, updated = ?
           WHERE id = ? AND claim = ?`,
          [
            nextTry === undefined ? 'failed' : 'pending',
            nextTry ?? null,
            failure.code,
            failure.message,
            output,
            now,
            id,
            token,
          ],
        );
  if (ended !== 1) throw new FailureError(LOST);
}

export const LOST = transient(
  'LEDGER_LEASE_LOST',
  'This hook took so long without a sign of life that another streamer took it over. It goes on there; nothing needs doing.',
);

/** How many runs of a hook are not done. */
export interface OpenRuns {
  readonly hook: string;
  readonly pending: number;
  readonly failed: number;
  /** When the event of the oldest of them happened. */
  readonly oldest: Millis;
  /** The same of those that are pending. */
  readonly waiting?: Millis;
}

/** Every hook with runs that are not done, also one that left the configuration. */
export async function openRuns(tx: Tx): Promise<OpenRuns[]> {
  const rows = await tx.all(
    `SELECT hook, sum(CASE WHEN state = 'pending' THEN 1 ELSE 0 END) AS pending, count(*) AS n, min(created) AS oldest,
            min(CASE WHEN state = 'pending' THEN created END) AS waiting
     FROM delivery WHERE state IN ('pending', 'failed') GROUP BY hook ORDER BY hook`,
  );
  return rows.map((row) => {
    const pending = Number(row['pending']);
    return {
      hook: String(row['hook']),
      pending,
      failed: Number(row['n']) - pending,
      oldest: Number(row['oldest']),
      ...(pending === 0 ? {} : { waiting: Number(row['waiting']) }),
    };
  });
}

const HOOK = 'hook:';

/** Failed, or waiting. Of a run whose lease is over nobody will come back: its hook may have left the configuration. */
const OPEN = `state <> 'done' AND (claim IS NULL OR next_try <= ?)`;

/** Sets what failed, or waits for its next try: all of a subject, or `hook:NAME`. Gives those targets. */
async function setOpen(
  tx: Tx,
  { subject, now, wanted }: { readonly subject: string; readonly now: Millis; readonly wanted: Wanted },
  set: string,
  values: readonly Value[],
): Promise<string[]> {
  const open = `subject = ? AND ${OPEN}`;
  const rows = await tx.all(`SELECT DISTINCT hook FROM delivery WHERE ${open} ORDER BY hook`, [subject, now]);
  const hooks = rows.map((row) => String(row['hook'])).filter(wanted);
  for (const hook of hooks)
    await tx.run(`UPDATE delivery SET ${set} WHERE ${open} AND hook = ?`, [...values, subject, now, hook]);
  return hooks.map((hook) => `${HOOK}${hook}`);
}

type Wanted = (hook: string) => boolean;

/**
 * Runs at once what failed or waits for its next try: all of a subject, or `hook:NAME`. Gives those targets.
 * @param known hooks that somebody runs; default: every hook
 */
export const retryDeliveries = (
  tx: Tx,
  subject: string,
  target: string | undefined,
  now: Millis,
  known?: ReadonlySet<string>,
): Promise<string[]> => {
  const wanted: Wanted = (hook) =>
    (target === undefined || `${HOOK}${hook}` === target) && known?.has(hook) !== false;
  const set = `state = 'pending', claim = NULL, attempts = 0, next_try = ?, updated = ?`;
  return setOpen(tx, { subject, now, wanted }, set, [now, now]);
};

/** Gives up what failed or waits for its next try of `hook:NAME`, so that nothing waits for it. Gives those targets. */
export const skipDeliveries = (tx: Tx, subject: string, target: string, now: Millis): Promise<string[]> =>
  setOpen(tx, { subject, now, wanted: (hook) => `${HOOK}${hook}` === target }, SKIP, skipped(now));

/** The same for every series and session. How many runs. */
export const skipHook = (tx: Tx, hook: string, now: Millis): Promise<number> =>
  tx.run(`UPDATE delivery SET ${SKIP} WHERE hook = ? AND ${OPEN}`, [...skipped(now), hook, now]);

const SKIP = `state = 'done', claim = NULL, next_try = NULL, failure_code = ?, failure_message = ?, updated = ?`;
const skipped = (now: Millis): Value[] => [SKIPPED.code, SKIPPED.message, now];

const SKIPPED = {
  code: 'HOOK_SKIPPED',
  message: 'Somebody gave this run up by hand, so nothing waits for it. Its work was not done here.',
};

/** Deletes what ended before this moment. How many deliveries. */
export async function prune(tx: Tx, before: Millis): Promise<number> {
  await tx.run(`DELETE FROM commitment WHERE state IN ('answered', 'closed') AND updated < ?`, [before]);
  await tx.run('DELETE FROM verify_job WHERE created < ?', [before]);
  // a session's verdict is shown as long as the session is
  return tx.run(
    `DELETE FROM delivery WHERE state = 'done' AND updated < ?
       AND NOT (hook = ? AND NOT EXISTS (SELECT 1 FROM delivery later WHERE later.subject = delivery.subject
                                         AND later.hook = delivery.hook AND later.ord > delivery.ord))`,
    [before, BIDS],
  );
}
