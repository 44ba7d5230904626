/** Verification in the ledger: what is due, in whose hands it is, and what was found. */
import { defined } from '@scanflow/failure/defined';
import { randomUUID } from 'node:crypto';
import { type Failure, FailureError } from '@scanflow/failure';
import { requireClaim, lockSeries, LOST, refresh, FAILING } from '../ledger/leg.ts';
import type { Row } from '@scanflow/database';
import type { Tx, Claim, Millis } from '../ledger/tx.ts';
import { tell, sessionNews } from '../ledger/aftermath.ts';
import { parse, partOf, verificationView } from '../ledger/views.ts';
import type { Look, Outcome, FileTarget, VerifySummary, VerifyTimes, VerifyWork } from './types.ts';

/** Brings what is due in line with the configuration, and with a clock that was set back. */
export async function adjustVerify(tx: Tx, { every, until }: VerifyTimes, now: Millis): Promise<void> {
  if (every === undefined) {
    await tx.run(
      'UPDATE verification SET due = NULL WHERE due IS NOT NULL AND claim IS NULL AND failure_code IS NULL',
    );
    return;
  }
  await tx.run('UPDATE verification SET due = ? WHERE due > ?', [now + every, now + every]);
  await tx.run('UPDATE verification SET due = ? WHERE due IS NULL AND stored > ?', [
    now,
    until === undefined ? -1 : now - until,
  ]);
}

/** Claims the next series whose time has come. While it is claimed, `due` is the end of the lease. */
export async function nextVerify(tx: Tx, now: Millis): Promise<VerifyWork | undefined> {
  const row = await tx.get(
    `SELECT v.series, v.place, v.attempts FROM verification v WHERE v.due IS NOT NULL AND v.due <= ?
     ORDER BY v.due LIMIT 1 ${tx.dialect.lockFree('v')}`,
    [now],
  );
  if (row === undefined) return undefined;
  const { series, place } = partOf(row);
  const token = randomUUID();
  await tx.run('UPDATE verification SET claim = ?, due = ? WHERE series = ? AND place = ?', [
    token,
    now + tx.leaseMs,
    series,
    place,
  ]);
  return { series, target: place, token, job: undefined, repair: false, attempts: Number(row['attempts']) };
}

/** Both tables of work have a claim; a request has it in `next_try`, what is due in `due`. */
const TABLES = [
  ['verification', 'due'],
  ['verify_item', 'next_try'],
] as const;

/** The lease begins anew. Throws LEDGER_LEASE_LOST. */
export async function renewVerify(tx: Tx, claim: Claim, now: Millis): Promise<void> {
  for (const [table, time] of TABLES)
    if ((await move(tx, table, `${time} = ?`, claim, now + tx.leaseMs)) === 1) return;
  throw new FailureError(LOST);
}

/** Somebody may go on with it at once. Nothing where it has ended, or another has it. */
export async function giveBackVerify(tx: Tx, claim: Claim, now: Millis): Promise<void> {
  for (const [table, time] of TABLES) await move(tx, table, `claim = NULL, ${time} = ?`, claim, now);
}

const move = (
  tx: Tx,
  table: string,
  set: string,
  { series, target, token }: Claim,
  ...values: (string | number | null)[]
): Promise<number> =>
  tx.run(`UPDATE ${table} SET ${set} WHERE series = ? AND place = ? AND claim = ?`, [
    ...values,
    series,
    target,
    token,
  ]);

/** Ends a claim of what is due: nothing where a person's request was worked on. Throws where another has it. */
async function release(tx: Tx, work: VerifyWork): Promise<void> {
  await lockSeries(tx, work.series);
  const table = work.job === undefined ? 'verification' : 'verify_item';
  const held = await tx.get(`SELECT claim FROM ${table} WHERE series = ? AND place = ? AND claim = ?`, [
    work.series,
    work.target,
    work.token,
  ]);
  if (held === undefined) throw new FailureError(LOST);
}

/** Every file was looked at. `due`: when it is next. Throws LEDGER_LEASE_LOST. */
export async function recordLook(
  tx: Tx,
  work: VerifyWork,
  look: Look,
  { due, repair }: { readonly due: Millis | null; readonly repair?: Outcome['repair'] },
  now: Millis,
): Promise<void> {
  await release(tx, work);
  const before = await rowOf(tx, work);
  if (before === undefined) throw new FailureError(LOST);
  const { failure } = look;
  const same = (parse.text(before['digest']) ?? undefined) === look.digest;
  await tx.run(
    `UPDATE verification SET looked = ?, files = ?, bytes = ?, attempts = 0, failure_code = ?, failure_message = ?,
       findings = ?, digest = ?, trouble_code = NULL, trouble_message = NULL, claim = NULL, due = ?
     WHERE series = ? AND place = ?`,
    [
      now,
      look.files,
      look.bytes,
      failure?.code ?? null,
      failure?.message ?? null,
      JSON.stringify(look.findings),
      look.digest ?? null,
      due,
      work.series,
      work.target,
    ],
  );
  if (failure === undefined)
    await set(
      tx,
      work,
      'good = ?, known_digest = NULL, known_by = NULL, known_at = NULL, known_reason = NULL',
      now,
    );
  if (!same || before['since'] === null) await set(tx, work, 'since = ?', now);
  await endItem(tx, work, outcomeOf(await rowOf(tx, work), repair));
  await refresh(tx, work.series, now);
  if (!same) await tellOf(tx, work, failure, now);
}

const set = (tx: Tx, { series, target }: Claim, what: string, value: number): Promise<number> =>
  tx.run(`UPDATE verification SET ${what} WHERE series = ? AND place = ?`, [value, series, target]);

const rowOf = (tx: Tx, { series, target }: Claim): Promise<Row | undefined> =>
  tx.get('SELECT * FROM verification WHERE series = ? AND place = ?', [series, target]);

/** Hooks get one event about what is wrong; the report of the session is written anew. */
async function tellOf(
  tx: Tx,
  { series, target }: Claim,
  failure: Look['failure'],
  now: Millis,
): Promise<void> {
  const row = await tx.get('SELECT attributes, increment FROM series WHERE id = ?', [series]);
  const attributes = parse.attributes(row?.['attributes'] ?? '{}');
  if (failure !== undefined)
    await tell(
      tx,
      attributes['Modality'] ?? '',
      {
        kind: 'failed',
        subject: series,
        target,
        increment: Number(row?.['increment'] ?? 1),
        cause: { code: failure.code, message: failure.message },
      },
      now,
    );
  await sessionNews(tx, series, attributes, now);
}

/** Records that a series could not be read. Without a next try, its request ends with the failure. Throws LEDGER_LEASE_LOST. */
export async function notLooked(
  tx: Tx,
  work: VerifyWork,
  failure: Failure,
  nextTry: Millis | undefined,
): Promise<void> {
  await release(tx, work);
  if (work.job !== undefined) {
    const { code, message: text } = failure;
    if (nextTry === undefined)
      return endItem(tx, work, { state: 'unknown', code, message: text, files: 0, findings: [] });
    await move(tx, 'verify_item', 'claim = NULL, attempts = attempts + 1, next_try = ?', work, nextTry);
    return;
  }
  await move(
    tx,
    'verification',
    'claim = NULL, attempts = attempts + 1, trouble_code = ?, trouble_message = ?, due = ?',
    work,
    failure.code,
    failure.message,
    nextTry ?? null,
  );
}

/** It is not verified by schedule any more. */
export async function endVerify(tx: Tx, work: VerifyWork): Promise<void> {
  await release(tx, work);
  await move(tx, 'verification', 'claim = NULL, due = NULL', work);
}

async function endItem(tx: Tx, work: VerifyWork, outcome: Outcome): Promise<void> {
  if (work.job === undefined) return;
  await move(
    tx,
    'verify_item',
    'claim = NULL, next_try = NULL, state = ?, restored = ?, outcome = ?',
    work,
    outcome.state,
    outcome.repair?.restored ?? 0,
    JSON.stringify(outcome),
  );
}

function outcomeOf(row: Row | undefined, repair: Outcome['repair']): Outcome {
  const view = verificationView(row ?? {});
  return {
    state: view.failure === undefined ? 'good' : view.acknowledged === undefined ? 'failing' : 'acknowledged',
    ...view.failure,
    files: view.files,
    findings: view.findings,
    ...defined({ repair }),
  };
}

export async function verifySummary(tx: Tx): Promise<VerifySummary> {
  const count = async (sql: string): Promise<Record<string, number>> =>
    Object.fromEntries((await tx.all(sql)).map((row) => [String(row['code']), Number(row['n'])]));
  const known = await tx.get(
    `SELECT count(*) AS n FROM verification WHERE failure_code IS NOT NULL AND known_digest = digest`,
  );
  const due = await tx.get('SELECT min(due) AS time FROM verification WHERE due IS NOT NULL');
  const oldest = await tx.get(
    'SELECT min(coalesce(looked, stored)) AS time FROM verification WHERE due IS NOT NULL',
  );
  return {
    failing: await count(
      `SELECT failure_code AS code, count(*) AS n FROM verification WHERE ${FAILING} GROUP BY failure_code`,
    ),
    acknowledged: Number(known?.['n'] ?? 0),
    trouble: await count(
      `SELECT trouble_code AS code, count(*) AS n FROM verification WHERE trouble_code IS NOT NULL GROUP BY trouble_code`,
    ),
    due: parse.integer(due?.['time'] ?? null) ?? undefined,
    oldest: parse.integer(oldest?.['time'] ?? null) ?? undefined,
  };
}

/** Whether images arrive or are stored: the disks are busy, or will soon be. */
export async function isStoring(tx: Tx): Promise<boolean> {
  const arriving = await tx.get('SELECT s.id FROM series s WHERE s.due IS NOT NULL LIMIT 1');
  if (arriving !== undefined) return true;
  const stored = await tx.get(
    `SELECT l.series FROM leg l WHERE l.target = 'storage' AND l.state = 'pending' AND l.next_try IS NOT NULL
       AND l.claim IS NOT NULL LIMIT 1`,
  );
  return stored !== undefined;
}

/** Claims a leg that has ended, so that nothing is stored in its folder meanwhile. Undefined if something has to be stored. */
export async function claimLegOf(
  tx: Tx,
  series: string,
  place: FileTarget,
  now: Millis,
): Promise<Claim | undefined> {
  await lockSeries(tx, series);
  const token = randomUUID();
  const taken = await tx.run(
    `UPDATE leg SET claim = ?, next_try = ? WHERE series = ? AND target = ? AND state <> 'pending'
       AND (claim IS NULL OR next_try <= ?)
       AND NOT EXISTS (SELECT 1 FROM series s WHERE s.id = leg.series AND s.due IS NOT NULL)`,
    [token, now + tx.leaseMs, series, place, now],
  );
  const claim = { series, target: place, token };
  if (taken === 1) await requireClaim(tx, claim);
  return taken === 1 ? claim : undefined;
}
