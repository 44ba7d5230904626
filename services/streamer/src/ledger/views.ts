/** Rows of the ledger as values: for people, for metrics, and for the features. */
import type { Labels } from '@scanflow/booking';
import type { Gaps } from '../intake/gaps.ts';
import type { EarlierStudy } from '../store/place/reading.ts';
import {
  type Attributes,
  STORAGE,
  type SeriesState,
  TRANSCODED,
  type Warning,
  type Doubt,
  SERIES_STATES,
  type LegState,
  type Reason,
} from '../model/series.ts';
import type { LegView, SeriesView, Summary, Progress, SenderView, SessionView } from './rows.ts';
import type { Row, Value } from '@scanflow/database';
import type { Tx, Millis } from './tx.ts';
import { JOIN_PAUSE, PAUSE_COLUMNS, pauseOfLeg } from './pauses.ts';
import type { Decision, Moved, MoveOrder } from '../model/decision.ts';
import type { Finding, FileTarget, VerificationView } from '../verify/types.ts';

/** Newest activity first. */
export const listSeries = (tx: Tx, { limit }: { readonly limit: number }): Promise<SeriesView[]> =>
  seriesViews(tx, 'ORDER BY updated DESC LIMIT ?', limit);

/** As many as tell that there are some. */
const MOST_EARLIER = 50;

/** Other series with these labels, of other sessions than this one; the latest first. */
export async function labelled(tx: Tx, labels: Labels, session: string | undefined): Promise<EarlierStudy[]> {
  const rows = await tx.all(
    `SELECT attributes, first_seen FROM series WHERE labels = ? AND coalesce(session, '') <> ?
     ORDER BY first_seen DESC LIMIT ?`,
    [JSON.stringify(labels), session ?? '', MOST_EARLIER],
  );
  return rows.map((row) => ({
    attributes: parse.attributes(row['attributes']),
    firstSeen: Number(row['first_seen']),
  }));
}

/** Series, their legs and their verification in three looks, however many there are; `which` is what follows FROM series. */
export async function seriesViews(tx: Tx, which: string, ...values: Value[]): Promise<SeriesView[]> {
  const rows = await tx.all(`SELECT * FROM series ${which}`, values);
  const legs = Map.groupBy(
    await tx.all(
      `SELECT leg.*, ${PAUSE_COLUMNS}, CASE leg.state WHEN 'pending' THEN
         (SELECT count(*) FROM progress p
          WHERE p.series = leg.series AND p.target = leg.target AND p.outcome = 'done') ELSE 0 END AS underway,
         (SELECT count(*) FROM progress t
          WHERE t.series = leg.series AND t.target = '${TRANSCODED}' || leg.target) AS transcoded
       FROM leg ${JOIN_PAUSE} WHERE series IN (SELECT id FROM series ${which})
       ORDER BY series, target = 'storage' DESC, target`,
      values,
    ),
    (row) => String(row['series']),
  );
  const looks = Map.groupBy(
    await tx.all(
      `SELECT * FROM verification WHERE series IN (SELECT id FROM series ${which}) ORDER BY series, place DESC`,
      values,
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
    sender: parse.text(row['sender']),
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
  paused: pauseOfLeg(row),
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
  return {
    series: Object.fromEntries(
      SERIES_STATES.map((state) => [state, counts.get(state) ?? 0]),
    ) as Summary['series'],
    legs: legs.map((row) => ({
      target: String(row['target']),
      state: parse.leg(row['state']),
      count: Number(row['n']),
    })),
    oldestPending: parse.integer(oldest?.['time'] ?? null) ?? undefined,
  };
}

/** A column of JSON; undefined where it is empty. Only the ledger itself writes it, so its form is not doubted. */
const json = (value: unknown): unknown => (typeof value === 'string' ? JSON.parse(value) : undefined);

/** Columns as values. */
export const parse = {
  text: (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined),
  integer: (value: unknown): number | null => (typeof value === 'number' ? value : null),
  labels: (value: unknown) => json(value) as Labels | undefined,
  decision: (value: unknown) => json(value) as Decision | undefined,
  gaps: (value: unknown) => json(value) as Gaps | undefined,
  doubts: (value: unknown) => (json(value) ?? []) as readonly Doubt[],
  warnings: (value: unknown) => (json(value) ?? []) as readonly Warning[],
  order: (value: unknown) => json(value) as MoveOrder | undefined,
  moved: (value: unknown) => (json(value) ?? []) as Moved[],
  attributes: (value: unknown) => (json(value) ?? {}) as Attributes,
  leg: (value: unknown): LegState => (value === 'done' || value === 'failed' ? value : 'pending'),
  outcome: (value: unknown): Progress['outcome'] =>
    value === 'done' || value === 'again' ? value : 'failed',
  state: (value: unknown): SeriesState => SERIES_STATES.find((state) => state === value) ?? 'working',
};

/** Code and message as one, where there are. */
export function message(code: unknown, text: unknown): Reason | undefined {
  return typeof code === 'string' ? { code, message: String(text) } : undefined;
}

/** At most two series whose id begins so. Ids consist of digits, small letters and `-`, which all sort before `~`. */
export const matching = (tx: Tx, prefix: string): Promise<SeriesView[]> =>
  seriesViews(tx, 'WHERE id >= ? AND id < ? ORDER BY id LIMIT 2', prefix, `${prefix}~`);

const MOST_OF_ONE_UID = 20;

/** Series of this Series Instance UID: several where its patient or study was corrected, and it was sent again. */
export const ofUid = (tx: Tx, uid: string): Promise<SeriesView[]> =>
  seriesViews(tx, 'WHERE uid = ? ORDER BY first_seen, id LIMIT ?', uid, MOST_OF_ONE_UID);

/** A stranger may call itself anything: only the latest are kept. */
const MOST_SENDERS = 200;

export async function noteSender(
  tx: Tx,
  { aet, called, address }: Pick<SenderView, 'aet' | 'called' | 'address'>,
  now: Millis,
): Promise<void> {
  await tx.run(
    `INSERT INTO sender (aet, called, address, first_seen, last_seen) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (aet, called, address) DO UPDATE SET last_seen = excluded.last_seen`,
    [aet, called, address, now, now],
  );
  await tx.run(
    `DELETE FROM sender WHERE last_seen <
       (SELECT min(last_seen) FROM (SELECT last_seen FROM sender ORDER BY last_seen DESC LIMIT ?) AS latest)`,
    [MOST_SENDERS],
  );
}

/** Who sent the first image of a series. */
export async function noteSenderOf(tx: Tx, series: string, aet: string): Promise<void> {
  await tx.run('UPDATE series SET sender = ? WHERE id = ?', [aet, series]);
}

/** The latest first. */
export async function knownSenders(tx: Tx): Promise<SenderView[]> {
  const rows = await tx.all('SELECT * FROM sender ORDER BY last_seen DESC LIMIT ?', [MOST_SENDERS]);
  return rows.map((row) => ({
    aet: String(row['aet']),
    called: String(row['called']),
    address: String(row['address']),
    firstSeen: Number(row['first_seen']),
    lastSeen: Number(row['last_seen']),
  }));
}

export const partOf = (row: Row): { series: string; place: FileTarget } => ({
  series: String(row['series']),
  place: row['place'] === 'copy' ? 'copy' : 'storage',
});

export function verificationView(row: Row): VerificationView {
  const known = row['digest'] !== null && row['known_digest'] === row['digest'];
  return {
    place: partOf(row).place,
    stored: Number(row['stored']),
    // while a worker has it, this is the end of the lease
    due: row['claim'] === null ? parse.integer(row['due']) : null,
    looked: parse.integer(row['looked']),
    good: parse.integer(row['good']),
    files: Number(row['files']),
    bytes: Number(row['bytes']),
    failure: message(row['failure_code'], row['failure_message']),
    since: parse.integer(row['since']),
    findings: (json(row['findings']) ?? []) as Finding[],
    digest: parse.text(row['digest']),
    acknowledged: known
      ? {
          by: String(row['known_by']),
          at: Number(row['known_at']),
          reason: String(row['known_reason']),
        }
      : undefined,
    trouble: message(row['trouble_code'], row['trouble_message']),
  };
}

export async function viewOf(tx: Tx, row: Row): Promise<SessionView> {
  const which = 'WHERE session = ? ORDER BY first_seen, id LIMIT ?';
  return sessionOf(row, await seriesViews(tx, which, String(row['id']), MOST_SERIES));
}

/** A session's row with its series. */
export const sessionOf = (row: Row, series: readonly SeriesView[]): SessionView => ({
  id: String(row['id']),
  firstSeen: Number(row['first_seen']),
  updated: Number(row['updated']),
  due: parse.integer(row['due']),
  increment: Number(row['increment']),
  digest: parse.text(row['digest']),
  folder: parse.text(row['folder']),
  failure: message(row['failure_code'], row['failure_message']),
  series,
});

/** An accession number that is typed in anew each day may have any number of them. */
const MOST_SERIES = 10_000;

export async function findSession(tx: Tx, id: string): Promise<SessionView | undefined> {
  const row = await tx.get('SELECT * FROM session WHERE id = ?', [id]);
  return row === undefined ? undefined : viewOf(tx, row);
}
