/** Verification's requests and acknowledgements in the ledger. */
import { randomUUID } from 'node:crypto';
import type { Value } from '@scanflow/database';
import type { Tx, Millis } from '../ledger/tx.ts';
import { lockSeries, refresh, FAILING } from '../ledger/leg.ts';
import { partOf } from '../ledger/views.ts';
import type {
  Acknowledgement,
  JobResult,
  JobView,
  Outcome,
  FileTarget,
  Selection,
  VerifyWork,
} from './types.ts';

/** A condition on verification and `s` (series). */
function which({ series, project, since }: Selection): { sql: string; values: Value[] } {
  const parts: [string, Value][] = [];
  if (series !== undefined) parts.push(['verification.series = ?', series]);
  // labels are JSON text: the same on both databases, and no text of another label can look like it
  if (project !== undefined)
    parts.push([`replace(s.labels, ?, '') <> s.labels`, `"project":${JSON.stringify(project)}`]);
  if (since !== undefined) parts.push(['verification.stored >= ?', since]);
  return {
    sql: parts.map(([sql]) => ` AND ${sql}`).join(''),
    values: parts.map(([, value]) => value),
  };
}

/** Takes down what a person wants verified. Undefined where there is nothing of that. */
export async function askVerify(
  tx: Tx,
  selection: Selection,
  { repair, by }: { readonly repair: boolean; readonly by: string },
  now: Millis,
): Promise<JobView | undefined> {
  const id = randomUUID();
  const { sql, values } = which(selection);
  await tx.run('INSERT INTO verify_job (id, created, asker, repair) VALUES (?, ?, ?, ?)', [
    id,
    now,
    by,
    repair ? 1 : 0,
  ]);
  const total = await tx.run(
    `INSERT INTO verify_item (job, series, place, next_try)
     SELECT j.id, verification.series, verification.place, j.created
     FROM verification JOIN series s ON s.id = verification.series JOIN verify_job j ON j.id = ? WHERE 1 = 1${sql}`,
    [id, ...values],
  );
  if (total > 0) return jobById(tx, id);
  await tx.run('DELETE FROM verify_job WHERE id = ?', [id]);
  return undefined;
}

export async function jobById(tx: Tx, id: string): Promise<JobView | undefined> {
  const row = await tx.get('SELECT * FROM verify_job WHERE id = ?', [id]);
  if (row === undefined) return undefined;
  const counts = await tx.all(
    `SELECT state, count(*) AS n, sum(restored) AS restored FROM verify_item WHERE job = ? GROUP BY state`,
    [id],
  );
  const sum = (column: string, wanted: (state: unknown) => boolean): number =>
    counts.filter(({ state }) => wanted(state)).reduce((all, one) => all + Number(one[column] ?? 0), 0);
  return {
    id,
    created: Number(row['created']),
    by: String(row['asker']),
    repair: Number(row['repair']) === 1,
    total: sum('n', () => true),
    done: sum('n', (state) => state !== null),
    good: sum('n', (state) => state === 'good'),
    acknowledged: sum('n', (state) => state === 'acknowledged'),
    repaired: sum('restored', () => true),
  };
}

/** Those that are not good first. */
export async function jobResults(tx: Tx, id: string, limit: number): Promise<JobResult[]> {
  const rows = await tx.all(
    `SELECT series, place, state, outcome FROM verify_item WHERE job = ?
     ORDER BY CASE state WHEN 'failing' THEN 0 WHEN 'unknown' THEN 1 WHEN 'acknowledged' THEN 2 ELSE 3 END, series, place
     LIMIT ?`,
    [id, limit],
  );
  return rows.map((row) => ({
    ...partOf(row),
    done: row['state'] !== null,
    outcome: typeof row['outcome'] === 'string' ? (JSON.parse(row['outcome']) as Outcome) : undefined,
  }));
}

const STOPPED: Outcome = {
  state: 'unknown',
  code: 'VERIFY_STOPPED',
  message: 'The person who requested it stopped it before this series was looked at. Request it again.',
  files: 0,
  findings: [],
};

/** Stops what has not ended yet; its worker finds the claim gone. False where there is no such request. */
export async function stopJob(tx: Tx, id: string): Promise<boolean> {
  if ((await tx.get('SELECT id FROM verify_job WHERE id = ?', [id])) === undefined) return false;
  await tx.run(
    `UPDATE verify_item SET next_try = NULL, claim = NULL, state = ?, outcome = ? WHERE job = ? AND next_try IS NOT NULL`,
    [STOPPED.state, JSON.stringify(STOPPED), id],
  );
  return true;
}

/** The next series that a person requested. */
export async function nextAsked(tx: Tx, now: Millis): Promise<VerifyWork | undefined> {
  const row = await tx.get(
    `SELECT i.job, i.series, i.place, i.attempts FROM verify_item i WHERE i.next_try IS NOT NULL AND i.next_try <= ?
     ORDER BY i.next_try LIMIT 1 ${tx.dialect.lockFree('i')}`,
    [now],
  );
  if (row === undefined) return undefined;
  const { series, place: target } = partOf(row);
  const id = String(row['job']);
  const token = randomUUID();
  await tx.run('UPDATE verify_item SET claim = ?, next_try = ? WHERE job = ? AND series = ? AND place = ?', [
    token,
    now + tx.leaseMs,
    id,
    series,
    target,
  ]);
  const asked = await tx.get('SELECT repair FROM verify_job WHERE id = ?', [id]);
  return {
    series,
    target,
    token,
    job: id,
    repair: Number(asked?.['repair']) === 1,
    attempts: Number(row['attempts']),
  };
}

/** What is wrong with these series is known to somebody. Which series they are. */
export async function acknowledgeFindings(
  tx: Tx,
  selection: Selection,
  { by, reason }: Omit<Acknowledgement, 'at'>,
  now: Millis,
): Promise<{ series: string; place: FileTarget }[]> {
  const { sql, values } = which(selection);
  const rows = await tx.all(
    `SELECT verification.series, verification.place FROM verification JOIN series s ON s.id = verification.series
     WHERE ${FAILING}${sql} ORDER BY verification.series, verification.place`,
    values,
  );
  const parts = rows.map(partOf);
  for (const { series, place } of parts) {
    await lockSeries(tx, series);
    await tx.run(
      `UPDATE verification SET known_digest = digest, known_by = ?, known_at = ?, known_reason = ?, since = ?
       WHERE series = ? AND place = ?`,
      [by, now, reason, now, series, place],
    );
    await refresh(tx, series, now);
  }
  return parts;
}
