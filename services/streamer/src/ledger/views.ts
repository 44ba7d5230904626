/** The ledger's rows as what people and metrics ask for. */
import type { Labels } from '@scanflow/booking';
import type { EarlierStudy } from '../store/place/earlier.ts';
import type { Attributes } from '../store/place/route.ts';
import { STORAGE, type SeriesState } from '../model/series.ts';
import type { LegView, SeriesQuery, SeriesView, Summary } from '../ports.ts';
import { verificationView } from '../verify/view.ts';
import type { Row, Value } from './database.ts';
import type { Tx } from './tx.ts';
import { COPIES } from './progress.ts';
import { message, parse } from './values.ts';

export { message, parse };

/** Newest activity first. `warned`: only those with a warning or a doubt. */
export async function listSeries(
  tx: Tx,
  { limit, state, warned = false }: SeriesQuery,
): Promise<SeriesView[]> {
  const which = [
    ...(warned ? ['(warnings IS NOT NULL OR doubts IS NOT NULL)'] : []),
    ...(state === undefined ? [] : ['state = ?']),
  ].join(' AND ');
  const order = state === undefined ? 'updated' : 'first_seen';
  return seriesViews(
    tx,
    `${which === '' ? '' : `WHERE ${which}`} ORDER BY ${order} DESC LIMIT ?`,
    ...(state === undefined ? [] : [state]),
    limit,
  );
}

/** As many as tell that there are some. */
const MOST_EARLIER = 50;

/** Other series with these labels, of other sessions than this one; the latest first. */
export async function labelled(tx: Tx, labels: Labels, session: string | undefined): Promise<EarlierStudy[]> {
  const rows = await tx.all(
    `SELECT attributes, first_seen FROM series WHERE labels = ? AND coalesce(session, '') <> ?
     ORDER BY first_seen DESC LIMIT ?`,
    JSON.stringify(labels),
    session ?? '',
    MOST_EARLIER,
  );
  return rows.map((row) => ({
    attributes: parse.attributes(row['attributes']),
    firstSeen: Number(row['first_seen']),
  }));
}

/** Series, their legs and their verification in three looks, however many there are; `which` is what follows FROM series. */
export async function seriesViews(tx: Tx, which: string, ...values: Value[]): Promise<SeriesView[]> {
  const rows = await tx.all(`SELECT * FROM series ${which}`, ...values);
  const legs = Map.groupBy(
    await tx.all(
      `SELECT leg.*, CASE leg.state WHEN 'pending' THEN
         (SELECT count(*) FROM progress p
          WHERE p.series = leg.series AND p.target = leg.target AND p.outcome = 'done') ELSE 0 END AS underway,
         (SELECT count(*) FROM progress t
          WHERE t.series = leg.series AND t.target = '${COPIES}' || leg.target) AS transcoded
       FROM leg WHERE series IN (SELECT id FROM series ${which})
       ORDER BY series, target = 'storage' DESC, target`,
      ...values,
    ),
    (row) => String(row['series']),
  );
  const looks = Map.groupBy(
    await tx.all(
      `SELECT * FROM verification WHERE series IN (SELECT id FROM series ${which}) ORDER BY series, place DESC`,
      ...values,
    ),
    (row) => String(row['series']),
  );
  return rows.map((row) => {
    const id = String(row['id']);
    return seriesView(row, legs.get(id) ?? [], looks.get(id) ?? []);
  });
}

function seriesView(row: Row, legs: readonly Row[], looks: readonly Row[]): SeriesView {
  return {
    id: String(row['id']),
    state: parse.state(row['state']),
    due: parse.integer(row['due']),
    firstSeen: Number(row['first_seen']),
    updated: Number(row['updated']),
    attributes: parse.attributes(row['attributes']),
    labels: parse.labels(row['labels']),
    decision: parse.decision(row['decision']),
    doubts: parse.doubts(row['doubts']),
    warnings: parse.warnings(row['warnings']),
    moving: parse.order(row['moving']),
    moved: parse.moved(row['moved']),
    reason: message(row['reason_code'], row['reason_message']),
    path: parse.text(row['path']),
    copyPath: parse.text(row['copy_path']),
    inOrthanc: Number(row['in_orthanc']),
    stored: Number(row['stored']),
    untagged: Number(row['untagged']),
    differing: Number(row['differing']),
    expected: parse.integer(row['expected']) ?? undefined,
    increment: Number(row['increment']),
    session: parse.text(row['session']),
    cleaned: Number(row['cleaned'] ?? 0) > 0 ? Number(row['cleaned']) : null,
    legs: legs.map(legView),
    verification: looks.map(verificationView),
  };
}

/** More than all is never done; a ledger of 0.1.0 may say so of what was sent again. */
function doneOf(row: Row): number {
  const done = Number(row['done']) + Number(row['underway']);
  const total = Number(row['total']);
  return row['target'] === STORAGE || total === 0 ? done : Math.min(done, total);
}

const legView = (row: Row): LegView => ({
  target: String(row['target']),
  state: parse.leg(row['state']),
  attempts: Number(row['attempts']),
  // while somebody works on it, that is the end of the lease
  nextTry: row['claim'] === null ? parse.integer(row['next_try']) : null,
  failure: message(row['failure_code'], row['failure_message']),
  done: doneOf(row),
  total: Number(row['total']),
  transcoded: Number(row['transcoded'] ?? 0),
  through: Number(row['through']),
});

/** Those that another booking or configuration may release. */
export async function quarantinedSeries(tx: Tx): Promise<{ id: string; attributes: Attributes }[]> {
  const rows = await tx.all(
    `SELECT id, attributes FROM series WHERE state = 'quarantined' AND reason_code NOT IN ('ERASED', 'ROUTE_CORRECTED_IN_PART')`,
  );
  return rows.map((row) => ({ id: String(row['id']), attributes: parse.attributes(row['attributes']) }));
}

export async function summarise(tx: Tx): Promise<Summary> {
  const states = await tx.all('SELECT state, count(*) AS n FROM series GROUP BY state');
  const counts = new Map(states.map((row) => [row['state'], Number(row['n'])]));
  const legs = await tx.all('SELECT target, state, count(*) AS n FROM leg GROUP BY target, state');
  const oldest = await tx.get(
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
    legs: legs.map((row) => ({
      target: String(row['target']),
      state: parse.leg(row['state']),
      count: Number(row['n']),
    })),
    oldestPending: parse.integer(oldest?.['time'] ?? null) ?? undefined,
  };
}
