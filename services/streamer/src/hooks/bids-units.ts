/**
 * Which parts of which BIDS sessions come of a session: usually one. After a person moved series to other labels, these join the
 * session that has the labels, and what the old labels had of this session leaves the dataset. Pure, but for the look into the ledger.
 */
import type { BidsRemoval, BidsRequest } from '@scanflow/bids/answer';
import type { Labels } from '@scanflow/booking';
import { defined } from '@scanflow/failure/defined';
import { randomUUID } from 'node:crypto';
import { BIDS } from '@scanflow/config';
import type { Row } from '@scanflow/database';
import { STORAGE } from '../model/series.ts';
import { seriesReport, type SeriesReport } from '../reports/series.ts';
import { inOrder, sessionReport } from '../reports/session.ts';
import { findSession, seriesViews } from '../ledger/views.ts';
import type { SeriesView } from '../ledger/rows.ts';
import { homeOf } from '../store/place/layout.ts';
import type { LoopDeps } from '../work/deps.ts';
import type { Millis, Tx } from '../ledger/tx.ts';

type Place = Pick<SeriesView, 'id' | 'session' | 'labels' | 'moved'>;

interface Units<T extends Place> {
  /** Series of every session that this session converts, by their labels. */
  readonly converts: readonly { readonly labels: Labels; readonly series: readonly T[] }[];
  /** Labels that its series had, and that have nothing of it any more. */
  readonly leaves: readonly Labels[];
}

/** Whether a person gave it other labels than it had at first. */
const isMoved = ({ labels, moved = [] }: Place): boolean => {
  const first = moved[0]?.from.labels;
  return moved.length > 0 && (first === undefined || labels === undefined || !isSame(first, labels));
};

const isSame = (one: Labels, other: Labels): boolean => labelsText(one) === labelsText(other);

/** The session that converts a series: its own, unless a person moved it to labels that another session has. */
function converter(series: Place, fellows: readonly Place[]): string | undefined {
  const settled = new Set(fellows.filter((one) => !isMoved(one)).flatMap(({ session }) => session ?? []));
  if (!isMoved(series) || (series.session !== undefined && settled.has(series.session)))
    return series.session;
  const candidates = settled.size > 0 ? [...settled] : fellows.flatMap(({ session }) => session ?? []);
  return candidates.toSorted()[0];
}

/**
 * @param own the session's series
 * @param labelled by the text of their labels: all series with the labels of one of them
 */
export function unitsOf<T extends Place>(
  session: string,
  own: readonly Place[],
  labelled: ReadonlyMap<string, readonly T[]>,
): Units<T> {
  const converts = [...labelled.values()].flatMap((fellows) => {
    const series = fellows.filter((one) => converter(one, fellows) === session);
    const labels = series[0]?.labels;
    return labels === undefined ? [] : [{ labels, series }];
  });
  const known = new Set(converts.map(({ labels }) => labelsText(labels)));
  const former = own.flatMap(({ moved = [] }) => moved.flatMap(({ from }) => from.labels ?? []));
  const leaves = new Map(former.map((labels) => [labelsText(labels), labels]));
  return { converts, leaves: [...leaves].filter(([text]) => !known.has(text)).map(([, labels]) => labels) };
}

type Places = Pick<LoopDeps, 'context' | 'settings'>;

interface BidsWork {
  readonly requests: readonly BidsRequest[];
  readonly removals: readonly BidsRemoval[];
  /** One of the series is on its way to other labels. */
  readonly moving: boolean;
}

/** What the bids service has to do for a session of the ledger. */
export async function bidsWork(
  id: string,
  { ledger, ...places }: Places & Pick<LoopDeps, 'ledger'>,
): Promise<BidsWork> {
  const view = await ledger.read(findSession, id);
  if (view === undefined) return { requests: [], removals: [], moving: false };
  const labelled = new Map<string, SeriesView[]>();
  for (const { labels } of view.series)
    if (labels !== undefined && !labelled.has(labelsText(labels)))
      labelled.set(labelsText(labels), await ledger.read(seriesLabelled, labels));
  const { converts, leaves } = unitsOf(id, view.series, labelled);
  const { accessionNumber } = sessionReport(view, places.context);
  return {
    requests: converts.flatMap(({ labels, series }) => {
      const reports = inOrder(series.map((one) => seriesReport(one, places.context)));
      return bidsRequest({ id, accessionNumber, labels, series: reports }, rootOf(labels, places)) ?? [];
    }),
    removals: leaves.map(({ project, subject, session }) => ({
      ...{ project, subject, session, accessionNumber, root: rootOf({ project }, places), erased: false },
      // where no number tells registrations apart, the labels may be another session's by now
      series: view.series.map((one) => one.id),
    })),
    moving: [...labelled.values()].flat().some(({ moving }) => moving !== undefined),
  };
}

/** The root where a project lives. */
export const rootOf = ({ project }: Pick<Labels, 'project'>, { context, settings }: Places): string =>
  homeOf(project, settings.homes ?? [])?.root ?? context.root;

interface Told {
  readonly id: string;
  readonly accessionNumber: string;
  readonly labels: Labels;
  readonly series: readonly Pick<SeriesReport, 'id' | 'legs' | 'images' | 'labels'>[];
}

/** What the bids service needs to convert series; undefined where nothing of them is stored. Those of other labels do not count. Pure. */
export function bidsRequest(
  { id, accessionNumber, labels, series }: Told,
  root: string,
): BidsRequest | undefined {
  const stored = series.flatMap((one) => {
    const folder = one.legs.find(({ target }) => target === STORAGE)?.path;
    const isOurs = one.labels !== undefined && isSame(one.labels, labels);
    return folder === undefined || one.images.stored === 0 || !isOurs
      ? []
      : [{ id: one.id, folder: folder.replace(/\/+$/, '') }];
  });
  const { project, subject, session } = labels;
  if (stored.length === 0) return undefined;
  return {
    ...{ id, project, subject, accessionNumber, root, series: stored },
    ...defined({ session: session === '' ? undefined : session }),
  };
}

// Sessions whose conversion to BIDS begins anew, in the ledger: on request, and after a move to other labels.

/** Opens the delivery of a session again, or makes one. Why not, where it does not. */
export async function redoSession(tx: Tx, id: string, now: Millis): Promise<string | undefined> {
  const session = await tx.get(`SELECT s.* FROM session s WHERE s.id = ? ${tx.dialect.lock}`, [id]);
  if (session === undefined) return 'there is no such session';
  if (session['due'] !== null || Number(session['increment']) === 0)
    return 'it is not complete yet; it is converted by itself once it is';
  const last = await lastDelivery(tx, id);
  if (isClaimed(last, now)) return 'it is being converted now';
  await open(tx, session, last, { due: now, now });
  return undefined;
}

/** The same for sessions that were complete before, once it is quiet: several series may move one after the other. */
async function convertAgain(tx: Tx, id: string, now: Millis): Promise<void> {
  const session = await tx.get(`SELECT s.* FROM session s WHERE s.id = ? ${tx.dialect.lock}`, [id]);
  if (session === undefined || Number(session['increment']) === 0) return;
  const last = await lastDelivery(tx, id);
  const due = now + tx.consequences.sessionQuietMs;
  // whoever converts it now began before the news
  await open(tx, session, isClaimed(last, now) ? undefined : last, { due, now });
}

/** Sessions that have, or had, series with these labels are converted anew. How many. */
export async function convertLabelled(
  tx: Tx,
  labels: readonly (Labels | undefined)[],
  {
    except,
    also,
    now,
  }: { readonly except?: string; readonly also?: string | undefined; readonly now: Millis },
): Promise<number> {
  if (!tx.consequences.hooksFor('complete', undefined).includes(BIDS)) return 0;
  const sessions = new Set(also === undefined ? [] : [also]);
  for (const one of labels)
    if (one !== undefined)
      for (const row of await tx.all(
        'SELECT DISTINCT session FROM series WHERE labels = ? AND session IS NOT NULL',
        [labelsText(one)],
      ))
        sessions.add(String(row['session']));
  if (except !== undefined) sessions.delete(except);
  // always in the same order, or two transactions might wait for each other
  for (const id of [...sessions].sort()) await convertAgain(tx, id, now);
  return sessions.size;
}

/** Series with these labels, of every session. */
export const seriesLabelled = (tx: Tx, labels: Labels): Promise<SeriesView[]> =>
  seriesViews(tx, 'WHERE labels = ? ORDER BY first_seen, id LIMIT ?', labelsText(labels), MOST_SERIES);

const MOST_SERIES = 10_000;

/** As the ledger keeps them. */
export const labelsText = ({ project, subject, session }: Labels): string =>
  JSON.stringify({ project, subject, session });

const lastDelivery = (tx: Tx, id: string): Promise<Row | undefined> =>
  tx.get('SELECT * FROM delivery WHERE subject = ? AND hook = ? ORDER BY ord DESC LIMIT 1', [id, BIDS]);

const isClaimed = (row: Row | undefined, now: Millis): boolean =>
  row?.['state'] === 'pending' && row['claim'] !== null && Number(row['next_try']) > now;

async function open(
  tx: Tx,
  session: Row,
  last: Row | undefined,
  { due, now }: { readonly due: Millis; readonly now: Millis },
): Promise<void> {
  const increment = Number(session['increment']);
  if (last !== undefined) {
    await tx.run(
      `UPDATE delivery SET state = 'pending', claim = NULL, attempts = 0, next_try = ?, failure_code = NULL,
         failure_message = NULL, increment = ?, created = ?, updated = ? WHERE id = ?`,
      // how long it waits counts from the reason of this conversion
      [due, increment, now, now, String(last['id'])],
    );
    return;
  }
  const id = String(session['id']);
  const order = await tx.get('SELECT max(ord) AS ord FROM delivery WHERE subject = ?', [id]);
  await tx.run(
    `INSERT INTO delivery (id, event, hook, kind, subject, ord, increment, created, state, next_try, updated)
     VALUES (?, ?, ?, 'complete', ?, ?, ?, ?, 'pending', ?, ?)`,
    [randomUUID(), randomUUID(), BIDS, id, Number(order?.['ord'] ?? 0) + 1, increment, now, due, now],
  );
}
