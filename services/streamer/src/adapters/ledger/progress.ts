/** Instances' outcomes while the work on a leg lasts, and the state that follows from the legs. */
import { stateOf } from '../../domain/series.ts';
import type { Millis, Progress, Retry } from '../../ports.ts';
import type { Database } from './database.ts';
import { parse } from './views.ts';

export function record(db: Database, series: string, target: string, rows: readonly Progress[]): void {
  for (const { instance, outcome, detail } of rows)
    db.run(
      `INSERT INTO progress (series, target, instance, outcome, detail) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (series, target, instance) DO UPDATE SET outcome = excluded.outcome, detail = excluded.detail`,
      series,
      target,
      instance,
      outcome,
      detail,
    );
}

export function progress(db: Database, series: string, target: string): Progress[] {
  return db
    .all('SELECT instance, outcome, detail FROM progress WHERE series = ? AND target = ?', series, target)
    .map((row) => ({
      instance: String(row['instance']),
      outcome: row['outcome'] === 'done' ? 'done' : 'failed',
      detail: String(row['detail']),
    }));
}

/** The series' state follows from the rest of it: to be called at the end of whatever changes that. */
export function refresh(db: Database, series: string, now: Millis): void {
  const row = db.get('SELECT due, reason_code FROM series WHERE id = ?', series);
  if (row === undefined) return;
  const legs = db.all('SELECT state FROM leg WHERE series = ?', series).map((leg) => parse.leg(leg['state']));
  const state = stateOf({ due: parse.integer(row['due']), quarantined: row['reason_code'] !== null, legs });
  db.run('UPDATE series SET state = ?, updated = ? WHERE id = ?', state, now, series);
}

export function tryLater(db: Database, series: string, target: string, retry: Retry, now: Millis): void {
  db.run(
    `UPDATE leg SET state = 'pending', attempts = ?, next_try = ?, failure_code = ?, failure_message = ?, updated = ?
     WHERE series = ? AND target = ?`,
    retry.attempts,
    retry.nextTry,
    retry.failure.code,
    retry.failure.message,
    now,
    series,
    target,
  );
  refresh(db, series, now);
}
