/** The ledger's rows as what people and metrics ask for. */
import type { Labels } from '@scanflow/booking';
import type { Attributes } from '../../domain/route.ts';
import { SERIES_STATES, type LegState, type SeriesState } from '../../domain/series.ts';
import type { LegView, SeriesView, Summary } from '../../ports.ts';
import type { Database, Row } from './database.ts';

/** Columns as values. Only the ledger itself writes them, so their form is not doubted. */
export const parse = {
  text: (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined),
  integer: (value: unknown): number | null => (typeof value === 'number' ? value : null),
  labels: (value: unknown): Labels | undefined =>
    typeof value === 'string' ? (JSON.parse(value) as Labels) : undefined,
  attributes: (value: unknown): Attributes => JSON.parse(String(value)) as Attributes,
  leg: (value: unknown): LegState => (value === 'done' || value === 'failed' ? value : 'pending'),
  state: (value: unknown): SeriesState => SERIES_STATES.find((state) => state === value) ?? 'working',
};

/** Newest activity first. */
export function listSeries(
  db: Database,
  { limit, state }: { readonly limit: number; readonly state?: SeriesState },
): SeriesView[] {
  const rows =
    state === undefined
      ? db.all('SELECT * FROM series ORDER BY updated DESC LIMIT ?', limit)
      : db.all('SELECT * FROM series WHERE state = ? ORDER BY first_seen DESC LIMIT ?', state, limit);
  return rows.map((row) => seriesView(db, row));
}

function seriesView(db: Database, row: Row): SeriesView {
  const id = String(row['id']);
  return {
    id,
    state: parse.state(row['state']),
    due: parse.integer(row['due']),
    firstSeen: Number(row['first_seen']),
    updated: Number(row['updated']),
    attributes: parse.attributes(row['attributes']),
    labels: parse.labels(row['labels']),
    reason: message(row['reason_code'], row['reason_message']),
    path: parse.text(row['path']),
    inOrthanc: Number(row['in_orthanc']),
    stored: Number(row['stored']),
    untagged: Number(row['untagged']),
    legs: legsOf(db, id),
  };
}

function legsOf(db: Database, series: string): LegView[] {
  return db
    .all(
      `SELECT *, CASE state WHEN 'pending' THEN
         (SELECT count(*) FROM progress p
          WHERE p.series = leg.series AND p.target = leg.target AND p.outcome = 'done') ELSE 0 END AS underway
       FROM leg WHERE series = ? ORDER BY target = 'storage' DESC, target`,
      series,
    )
    .map((row) => ({
      target: String(row['target']),
      state: parse.leg(row['state']),
      attempts: Number(row['attempts']),
      nextTry: parse.integer(row['next_try']),
      failure: message(row['failure_code'], row['failure_message']),
      done: Number(row['done']) + Number(row['underway']),
      total: Number(row['total']),
      through: Number(row['through']),
    }));
}

function message(code: unknown, text: unknown): { code: string; message: string } | undefined {
  return typeof code === 'string' ? { code, message: String(text) } : undefined;
}

export function quarantinedSeries(db: Database): { id: string; attributes: Attributes }[] {
  return db
    .all(`SELECT id, attributes FROM series WHERE state = 'quarantined'`)
    .map((row) => ({ id: String(row['id']), attributes: parse.attributes(row['attributes']) }));
}

export function summarise(db: Database): Summary {
  const counts = new Map(
    db
      .all('SELECT state, count(*) AS n FROM series GROUP BY state')
      .map((row) => [row['state'], Number(row['n'])]),
  );
  const legs = db.all('SELECT target, state, count(*) AS n FROM leg GROUP BY target, state').map((row) => ({
    target: String(row['target']),
    state: parse.leg(row['state']),
    count: Number(row['n']),
  }));
  const oldest = db.get(
    `SELECT min(first_seen) AS time FROM series WHERE state IN ('collecting', 'working')`,
  );
  const count = (state: SeriesState): number => counts.get(state) ?? 0;
  return {
    series: {
      collecting: count('collecting'),
      working: count('working'),
      complete: count('complete'),
      failed: count('failed'),
      quarantined: count('quarantined'),
    },
    legs,
    oldestPending: parse.integer(oldest?.['time'] ?? null) ?? undefined,
  };
}
