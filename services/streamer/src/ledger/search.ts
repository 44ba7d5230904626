/** Series and sessions for the day board: search by what people know of them, counts, and a mark that changes with the ledger. */
import { commitmentLeg } from '../commitment/plan.ts';
import type { LegState, SeriesState } from '../model/series.ts';
import type { SeriesView, SessionView } from './rows.ts';
import type { Dialect, Value } from '@scanflow/database';
import type { Millis, Tx } from './tx.ts';
import { JOIN_PAUSE } from './pauses.ts';
import { parse, seriesViews, sessionOf } from './views.ts';

/** `stuck`: failed, or pending after an attempt in vain, of a destination that is not paused. `open`: not done, with its commitment. */
export type LegFilter = LegState | 'paused' | 'stuck' | 'open';

/** What a series has to be; absent keys ask nothing. */
export interface SeriesFilter {
  readonly state?: SeriesState;
  /** Of this target: a leg in `leg`, or in any state. `hook:NAME`: a run for it or its session. */
  readonly target?: string;
  readonly leg?: LegFilter;
  /** With a warning or a doubt. */
  readonly warned?: boolean;
  /** Pending, and tried in vain before. */
  readonly waits?: boolean;
  /** Code of a failure, of the series or of one of its legs. */
  readonly code?: string;
  readonly project?: string;
  readonly subject?: string;
  readonly session?: string;
  readonly accession?: string;
  readonly modality?: string;
  /** AE titles: one of them sent its first image. */
  readonly senders?: readonly string[];
  readonly from?: Millis;
  readonly to?: Millis;
  /** The projects that the person sees; absent: all. */
  readonly projects?: readonly string[];
}

export interface Found {
  readonly total: number;
  readonly series: readonly SeriesView[];
}

interface Condition {
  readonly sql: string;
  readonly values: readonly Value[];
}

export const SORTS = ['came', 'session', 'series', 'state', 'images', 'activity'] as const;

export interface Page {
  readonly offset: number;
  readonly limit: number;
  /** Default: `came`, the newest first. */
  readonly sort?: (typeof SORTS)[number];
  readonly up?: boolean;
}

/** One page of those that the filter finds, and how many there are. */
export async function searchSeries(tx: Tx, filter: SeriesFilter, page: Page): Promise<Found> {
  const conditions = conditionsOf(filter, tx.dialect);
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}`;
  const values = conditions.flatMap((one) => one.values);
  const row = await tx.get(`SELECT count(*) AS n FROM series ${where}`, values);
  const rows = await tx.all(
    `SELECT id FROM series ${where} ORDER BY ${orderOf(page, tx.dialect)} LIMIT ? OFFSET ?`,
    [...values, page.limit, page.offset],
  );
  // only the rows of the page are read whole
  const ids = rows.map(({ id }) => String(id));
  const views =
    ids.length === 0 ? [] : await seriesViews(tx, `WHERE id IN (${ids.map(() => '?').join(', ')})`, ...ids);
  const byId = new Map(views.map((view) => [view.id, view]));
  return { total: Number(row?.['n'] ?? 0), series: ids.flatMap((id) => byId.get(id) ?? []) };
}

function orderOf({ sort = 'came', up = false }: Page, { jsonText }: Dialect): string {
  const direction = up ? 'ASC' : 'DESC';
  const keys = {
    came: ['first_seen'],
    session: ['labels'],
    series: [jsonText('attributes', 'SeriesDescription')],
    state: ['state', 'first_seen'],
    images: ['stored'],
    activity: ['updated'],
  }[sort];
  return [...keys, 'id'].map((key) => `${key} ${direction}`).join(', ');
}

function conditionsOf(filter: SeriesFilter, dialect: Dialect): Condition[] {
  const { state, code, from, to, projects, senders } = filter;
  const member = (column: 'labels' | 'attributes', key: string, value: string | undefined): Condition[] =>
    value === undefined ? [] : [memberIs(column, key, [value], dialect)];
  return [
    ...(state === undefined ? [] : [{ sql: 'series.state = ?', values: [state] }]),
    ...(filter.target?.startsWith(HOOK) === true ? hookConditions(filter) : legConditions(filter)),
    ...(filter.warned === true ? [{ sql: '(warnings IS NOT NULL OR doubts IS NOT NULL)', values: [] }] : []),
    ...(code === undefined
      ? []
      : [
          {
            sql: `series.id IN (SELECT id FROM series WHERE reason_code = ? UNION SELECT series FROM leg WHERE failure_code = ?)`,
            values: [code, code],
          },
        ]),
    ...(['project', 'subject', 'session'] as const).flatMap((key) => member('labels', key, filter[key])),
    ...(filter.accession === undefined ? [] : [{ sql: 'series.accession = ?', values: [filter.accession] }]),
    ...member('attributes', 'Modality', filter.modality),
    ...(senders === undefined ? [] : [among('series.sender', senders)]),
    ...(from === undefined ? [] : [{ sql: 'series.first_seen >= ?', values: [from] }]),
    ...(to === undefined ? [] : [{ sql: 'series.first_seen < ?', values: [to] }]),
    ...(projects === undefined ? [] : [memberIs('labels', 'project', projects, dialect)]),
  ];
}

const among = (sql: string, values: readonly string[]): Condition =>
  values.length === 0
    ? { sql: '1 = 0', values: [] }
    : { sql: `${sql} IN (${values.map(() => '?').join(', ')})`, values };

/** A column of JSON has one of these texts there: exactly, since members see projects by it. */
const memberIs = (
  column: 'labels' | 'attributes',
  key: string,
  texts: readonly string[],
  { jsonText, jsonValue }: Dialect,
): Condition => among(jsonText(`series.${column}`, key), texts.map(jsonValue));

function legConditions({ target, leg, waits }: SeriesFilter): Condition[] {
  if (target === undefined && leg === undefined && waits !== true) return [];
  const own: Condition[] = [
    ...(target === undefined
      ? []
      : [among('l.target', leg === 'open' ? [target, commitmentLeg(target)] : [target])]),
    ...(leg === undefined
      ? []
      : leg in LEGS
        ? [{ sql: LEGS[leg as keyof typeof LEGS], values: [] }]
        : [{ sql: 'l.state = ?', values: [leg] }]),
    ...(waits === true
      ? [
          {
            sql: IN_VAIN,
            values: [],
          },
        ]
      : []),
  ];
  return [
    {
      sql: `series.id IN (SELECT l.series FROM leg l WHERE ${own.map(({ sql }) => sql).join(' AND ')})`,
      values: own.flatMap(({ values }) => values),
    },
  ];
}

const IS_PAUSED = 'EXISTS (SELECT 1 FROM pause WHERE pause.ended IS NULL AND pause.destination = l.target)';

const IN_VAIN = `l.state = 'pending' AND l.attempts > 0 AND l.failure_code IS NOT NULL AND NOT ${IS_PAUSED}`;
const LEGS = {
  paused: `l.state = 'pending' AND ${IS_PAUSED}`,
  stuck: `(l.state = 'failed' OR (${IN_VAIN}))`,
  open: `l.state <> 'done'`,
} as const;

const HOOK = 'hook:';

/** Runs of a hook stand as legs here. Nobody pauses a hook. */
function hookConditions({ target = '', leg, waits }: SeriesFilter): Condition[] {
  const inVain = `d.state = 'pending' AND d.attempts > 0`;
  const states: Readonly<Record<LegFilter, string>> = {
    pending: `d.state = 'pending'`,
    done: `d.state = 'done'`,
    failed: `d.state = 'failed'`,
    paused: '1 = 0',
    stuck: `(d.state = 'failed' OR (${inVain}))`,
    open: `d.state <> 'done'`,
  };
  const which = [
    'd.hook = ?',
    ...(leg === undefined ? [] : [states[leg]]),
    ...(waits === true ? [inVain] : []),
  ].join(' AND ');
  const subjects = `SELECT d.subject FROM delivery d WHERE ${which}`;
  const hook = target.slice(HOOK.length);
  return [{ sql: `(series.id IN (${subjects}) OR series.session IN (${subjects}))`, values: [hook, hook] }];
}

/** Legs of one target that wait for their next try after the same failure. */
export interface TriedLegs {
  readonly target: string;
  readonly code: string;
  readonly count: number;
  /** Since when the attempts on the oldest one have failed. */
  readonly since: Millis;
}

/** Legs that wait although they were tried, the oldest first. Those of a paused destination do not. */
export async function waitingLegs(tx: Tx): Promise<TriedLegs[]> {
  const rows = await tx.all(
    `SELECT target, failure_code, count(*) AS n, min(coalesce(waiting_since, updated)) AS since FROM leg l
     WHERE state = 'pending' AND attempts > 0 AND failure_code IS NOT NULL AND NOT ${IS_PAUSED}
     GROUP BY target, failure_code ORDER BY since, target, failure_code`,
  );
  return rows.map((row) => ({
    target: String(row['target']),
    code: String(row['failure_code']),
    count: Number(row['n']),
    since: Number(row['since']),
  }));
}

/** Legs of one target that wait for the same. */
export interface Waiting {
  readonly target: string;
  /** A failure's code; `paused`; `storage`: the series is not stored yet; undefined: its turn, or its hours. */
  readonly reason: string | undefined;
  readonly count: number;
  /** Since when the oldest of them waits. */
  readonly since: Millis;
}

/** All that is pending, but for series in quarantine, which wait for a person. */
export async function allWaiting(tx: Tx): Promise<Waiting[]> {
  const rows = await tx.all(
    `SELECT leg.target, CASE WHEN p.destination IS NOT NULL THEN 'paused' WHEN leg.failure_code IS NOT NULL
         THEN leg.failure_code WHEN leg.next_try IS NULL THEN 'storage' END AS reason,
       count(*) AS n, min(coalesce(leg.since, leg.updated)) AS since
     FROM leg JOIN series s ON s.id = leg.series ${JOIN_PAUSE}
     WHERE leg.state = 'pending' AND s.state <> 'quarantined' GROUP BY 1, 2 ORDER BY 1, 2 NULLS FIRST`,
  );
  return rows.map((row) => ({
    target: String(row['target']),
    reason: parse.text(row['reason']),
    count: Number(row['n']),
    since: Number(row['since']),
  }));
}

const MOST_SESSIONS = 5000;

/** What a day's bookings and exams say of their images. */
export interface SessionKeys {
  readonly accessions: readonly string[];
  readonly studies: readonly string[];
  /** Series Instance UIDs. */
  readonly series: readonly string[];
}

/** Statements are kept by their text, so lists have few lengths: the last key stands for those that are not there. */
function padded(keys: readonly string[]): readonly string[] {
  let length = 16;
  while (length < keys.length) length *= 4;
  return Array.from({ length }, (_, index) => keys[Math.min(index, keys.length - 1)] ?? '');
}

const COLUMNS = { accessions: 'accession', studies: 'study', series: 'uid' } as const;

/** Sessions whose first image came in this span, and those of these bookings and exams, whenever they came. */
export function sessionsOfDay(tx: Tx, from: Millis, to: Millis, keys: SessionKeys): Promise<SessionView[]> {
  const known = (['accessions', 'studies', 'series'] as const).filter((key) => keys[key].length > 0);
  const lists = known.map((key) => padded(keys[key]));
  const named = known.map(
    (key, index) =>
      ` UNION SELECT session FROM series WHERE ${COLUMNS[key]} IN (${(lists[index] ?? []).map(() => '?').join(', ')})`,
  );
  return sessionViews(
    tx,
    `WHERE id IN (SELECT id FROM session WHERE first_seen >= ? AND first_seen < ?${named.join('')})
     ORDER BY first_seen, id LIMIT ?`,
    [from, to, ...lists.flat(), MOST_SESSIONS],
  );
}

const MOST_FOUND = 50;

/** Sessions by their ID, the ID of a series, an accession number, a Study or Series Instance UID, or a folder below the root. */
export async function findSessions(tx: Tx, text: string): Promise<SessionView[]> {
  if (text === '' || text.includes('\0')) return [];
  // as the indexes have it
  const start = Array.from(text).slice(0, 500).join('');
  // one by one, so that each has its index
  const ofSeries = [
    ...['session', 'id', 'accession', 'study', 'uid'].map((column) => `${column} = ?`),
    'substr(path, 1, 500) = ? AND path = ?',
  ]
    .map((condition) => `SELECT session FROM series WHERE ${condition}`)
    .join(' UNION ');
  return sessionViews(
    tx,
    `WHERE id = ? OR (substr(folder, 1, 500) = ? AND folder = ?) OR id IN (${ofSeries}) ORDER BY first_seen, id LIMIT ?`,
    [text, start, text, ...Array.from({ length: 5 }, () => text), start, text, MOST_FOUND],
  );
}

/** Sessions with a series of this project or subject, the latest. */
export async function labelledSessions(tx: Tx, label: string): Promise<SessionView[]> {
  if (label === '' || label.includes('\0')) return [];
  const { jsonText, jsonValue } = tx.dialect;
  const texts = [...new Set([label, label.toLowerCase(), label.toUpperCase()])].map(jsonValue);
  const known = (['project', 'subject'] as const).map((key) => among(jsonText('labels', key), texts));
  return sessionViews(
    tx,
    `WHERE id IN (${known.map(({ sql }) => `SELECT session FROM series WHERE ${sql}`).join(' UNION ')})
     ORDER BY first_seen DESC, id LIMIT ?`,
    [...known.flatMap(({ values }) => values), MOST_FOUND],
  );
}

/** Sessions with their series in four looks, however many there are; `which` is what follows FROM session. */
async function sessionViews(tx: Tx, which: string, values: readonly Value[]): Promise<SessionView[]> {
  const rows = await tx.all(`SELECT * FROM session ${which}`, values);
  // unsorted: the index of the times would lead through all series
  const inside = `WHERE session IN (SELECT id FROM (SELECT id FROM session ${which}) AS wanted)`;
  const views = (await seriesViews(tx, inside, ...values)).toSorted(
    (a, b) => a.firstSeen - b.firstSeen || (a.id < b.id ? -1 : 1),
  );
  const series = Map.groupBy(views, (one) => one.session ?? '');
  return rows.map((row) => sessionOf(row, series.get(String(row['id'])) ?? []));
}

const MARKS = {
  series: 'SELECT count(*) AS a, max(updated) AS b, sum(in_orthanc) AS c, sum(stored) AS d FROM series',
  legs: 'SELECT count(*) AS a, max(updated) AS b, sum(done) AS c, sum(attempts) AS d FROM leg',
  sessions: 'SELECT count(*) AS a, max(updated) AS b, sum(increment) AS c, sum(due) AS d FROM session',
  hooks: 'SELECT count(*) AS a, max(updated) AS b, sum(attempts) AS c, max(ord) AS d FROM delivery',
  pauses: 'SELECT count(*) AS a, max(since) AS b, max(ended) AS c, 0 AS d FROM pause',
  progress: 'SELECT count(*) AS a, 0 AS b, 0 AS c, 0 AS d FROM progress',
} as const;

/** For each kind of thing a text that differs after each change that pages show. */
export async function ledgerMarks(tx: Tx): Promise<Record<keyof typeof MARKS, string>> {
  const marks: [string, string][] = [];
  for (const [kind, sql] of Object.entries(MARKS)) {
    const row = await tx.get(sql);
    marks.push([kind, ['a', 'b', 'c', 'd'].map((key) => JSON.stringify(row?.[key] ?? 0)).join(',')]);
  }
  return Object.fromEntries(marks) as Record<keyof typeof MARKS, string>;
}
