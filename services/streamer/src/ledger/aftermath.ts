/** The end of work on a leg, and what follows in the same transaction: events for hooks, news for the session, commitment, verification. */
import { randomUUID } from 'node:crypto';
import type { Failure } from '@scanflow/failure';
import { type Attributes, COPY, STORAGE, type Reason } from '../model/series.ts';
import { destinationOf, commitmentLeg } from '../commitment/plan.ts';
import { sessionOf } from '../sessions/plan.ts';
import type { FirstImages, Retry } from './rows.ts';
import type { Claim, Millis, Tx } from './tx.ts';
import { parse } from './views.ts';
import type { HookEvent } from '../hooks/plan.ts';
import {
  requireClaim,
  endLeg,
  failureColumns,
  openLeg,
  sql,
  refresh,
  lockSeries,
  addLeg,
  dueUnlessClaimed,
  type LegColumns,
} from './leg.ts';
import type { FileTarget } from '../verify/types.ts';

/**
 * Ends the work on a leg, and writes in the same transaction what follows from it: deliveries to hooks where the leg came further
 * or failed in another way than before, and its session has news.
 */
export async function ending(tx: Tx, claim: Claim, now: Millis, work: () => Promise<unknown>): Promise<void> {
  const was = await before(tx, claim);
  await work();
  await afterLeg(tx, claim, was, now);
}

/** A leg before something happened to it. */
interface Before {
  readonly increment: number;
  readonly through: number;
  readonly failure: string | undefined;
}

async function before(tx: Tx, { series, target }: Claim): Promise<Before> {
  const row = await tx.get(
    `SELECT s.increment, l.through, l.failure_code FROM series s
     LEFT JOIN leg l ON l.series = s.id AND l.target = ? WHERE s.id = ?`,
    [target, series],
  );
  return {
    increment: Number(row?.['increment'] ?? 0),
    through: Number(row?.['through'] ?? 0),
    failure: parse.text(row?.['failure_code']),
  };
}

/** A promise to keep images sends none, and a copy goes to no destination. */
const sends = (target: string): boolean =>
  target !== STORAGE && target !== COPY && destinationOf(target) === undefined;

async function afterLeg(tx: Tx, { series, target }: Claim, was: Before, now: Millis): Promise<void> {
  const row = await tx.get(
    `SELECT s.increment, s.attributes, l.state, l.through, l.failure_code, l.failure_message
     FROM series s LEFT JOIN leg l ON l.series = s.id AND l.target = ? WHERE s.id = ?`,
    [target, series],
  );
  if (row === undefined) return;
  const attributes = parse.attributes(row['attributes']);
  const modality = attributes['Modality'] ?? '';
  const increment = Number(row['increment']);
  const storing = target === STORAGE;
  const further = storing ? increment > was.increment : Number(row['through']) > was.through;
  const about = { subject: series, increment: storing ? increment : Math.max(Number(row['through']), 1) };
  const failed = row['state'] === 'failed';
  if (further && storing) await tell(tx, modality, { ...about, kind: 'stored' }, now);
  if (further && !failed && sends(target))
    await tell(tx, modality, { ...about, kind: 'forwarded', target }, now);
  const code = parse.text(row['failure_code']);
  if (failed && code !== undefined && (further || was.failure !== code)) {
    const cause = { code, message: String(row['failure_message']) };
    await tell(tx, modality, { ...about, kind: 'failed', target, cause }, now);
  }
  await sessionNews(tx, series, attributes, now);
}

/** Once more, as somebody wanted. */
export async function tellStored(tx: Tx, series: string, now: Millis): Promise<void> {
  const row = await tx.get('SELECT increment, attributes FROM series WHERE id = ?', [series]);
  if (row === undefined) return;
  const modality = parse.attributes(row['attributes'])['Modality'] ?? '';
  const increment = Number(row['increment']);
  await tell(tx, modality, { kind: 'stored', subject: series, increment }, now);
}

/** By what a series is found: its columns `uid`, `accession` and `study`. */
export const keysOf = (attributes: Attributes): (string | null)[] => [
  attributes['SeriesInstanceUID'] ?? null,
  ...(['AccessionNumber', 'StudyInstanceUID'] as const).map((key) => {
    // PostgreSQL takes no NUL in a text
    const text = (attributes[key] ?? '').replaceAll('\0', '').trim();
    return text === '' ? null : text;
  }),
];

/** The session is looked at once it has been quiet. */
export async function sessionNews(
  tx: Tx,
  series: string,
  attributes: Attributes,
  now: Millis,
): Promise<void> {
  const session = sessionOf(attributes);
  const before = parse.text((await tx.get('SELECT session FROM series WHERE id = ?', [series]))?.['session']);
  await tx.run('UPDATE series SET session = ?, uid = ?, accession = ?, study = ? WHERE id = ?', [
    session ?? null,
    ...keysOf(attributes),
    series,
  ]);
  if (before !== undefined && before !== session) await dropEmpty(tx, before);
  if (session !== undefined) await isBusy(tx, session, now);
}

/** A session that was only guessed, and never reported. */
const dropEmpty = (tx: Tx, session: string): Promise<number> =>
  tx.run(
    `DELETE FROM session WHERE id = ? AND increment = 0
       AND NOT EXISTS (SELECT 1 FROM series m WHERE m.session = session.id)`,
    [session],
  );

/** A series belongs to its session from its first image on: until it is settled, the session is not complete. */
export async function sessionsGrow(
  tx: Tx,
  series: readonly string[],
  first: FirstImages,
  now: Millis,
): Promise<void> {
  for (const [id, attributes] of first)
    await tx.run(
      `UPDATE series SET session = ?, uid = ?, accession = ?, study = ?
       WHERE id = ? AND session IS NULL AND uid IS NULL`,
      [sessionOf(attributes) ?? null, ...keysOf(attributes), id],
    );
  const sessions = new Set<string>();
  for (const id of series) {
    const row = await tx.get('SELECT session FROM series WHERE id = ?', [id]);
    const session = parse.text(row?.['session']);
    if (session !== undefined) sessions.add(session);
  }
  // always in the same order, or two transactions might wait for each other
  for (const session of [...sessions].sort()) await isBusy(tx, session, now);
}

async function isBusy(tx: Tx, session: string, now: Millis): Promise<void> {
  await tx.run(
    `INSERT INTO session (id, due, first_seen, updated) VALUES (?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET due = excluded.due, updated = excluded.updated`,
    [session, now + tx.consequences.sessionQuietMs, now, now],
  );
}

interface Told {
  readonly kind: HookEvent;
  readonly subject: string;
  readonly target?: string | undefined;
  readonly increment: number;
  readonly cause?: Reason | undefined;
}

/**
 * Writes an event for every hook that wants it, in the transaction of the fact itself and with the subject's row locked. A
 * session has no modality.
 */
export async function tell(tx: Tx, modality: string | undefined, told: Told, now: Millis): Promise<void> {
  const hooks = tx.consequences.hooksFor(told.kind, modality);
  if (hooks.length === 0) return;
  const last = await tx.get('SELECT max(ord) AS ord FROM delivery WHERE subject = ?', [told.subject]);
  const event = randomUUID();
  for (const hook of hooks)
    await tx.run(
      `INSERT INTO delivery (id, event, hook, kind, subject, ord, target, increment, cause_code, cause_message,
         created, state, next_try, updated)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?)`,
      [
        randomUUID(),
        event,
        hook,
        told.kind,
        told.subject,
        Number(last?.['ord'] ?? 0) + 1,
        told.target ?? null,
        told.increment,
        told.cause?.code ?? null,
        told.cause?.message ?? null,
        now,
        now,
        now,
      ],
    );
}

/** Ends the claim: the leg is tried again at `retry.nextTry`. */
export async function legLater(
  tx: Tx,
  claim: Claim,
  { attempts, nextTry, failure }: Retry,
  now: Millis,
): Promise<void> {
  await requireClaim(tx, claim);
  await openLeg(tx, claim, now, {
    claim: null,
    attempts,
    next_try: nextTry,
    ...failureColumns(failure),
    waiting_since: sql('coalesce(waiting_since, CAST(? AS BIGINT))', now),
  });
  await refresh(tx, claim.series, now);
}

/** Ends the claim: the leg is given up until somebody puts something right. What was done of it stays known. */
export const legFailed = (tx: Tx, claim: Claim, failure: Failure, now: Millis): Promise<void> =>
  ending(tx, claim, now, async () => {
    await requireClaim(tx, claim);
    await endLeg(tx, claim, failure, now, { attempts: sql('attempts') });
    await refresh(tx, claim.series, now);
  });

/** Schedules the verification of a series that was stored or copied. Where files failed before, it comes soon. */
export async function verifyStored(tx: Tx, series: string, place: FileTarget, now: Millis): Promise<void> {
  const every = tx.consequences.verifyEveryMs;
  await tx.run(
    `INSERT INTO verification (series, place, stored, due) VALUES (?, ?, ?, ?)
     ON CONFLICT (series, place) DO UPDATE SET stored = excluded.stored, claim = NULL, attempts = 0,
       trouble_code = NULL, trouble_message = NULL,
       due = CASE WHEN verification.failure_code IS NULL THEN excluded.due ELSE excluded.stored END`,
    [series, place, now, every === undefined ? null : now + every],
  );
}

/** After a loss nobody knows what is there: it is looked at as soon as may be. */
export const verifySoon = (tx: Tx, series: string, place: FileTarget, now: Millis): Promise<unknown> =>
  tx.run(
    `INSERT INTO verification (series, place, stored, due) VALUES (?, ?, ?, ?)
     ON CONFLICT (series, place) DO UPDATE SET claim = NULL, due = excluded.due`,
    [series, place, now, now],
  );

/**
 * Opens the leg, or tells it that there is news, in the transaction in which sending ends: before the series' state is
 * derived, so that it is never complete in between.
 */
export async function openCommitment(
  tx: Tx,
  { series, target }: Pick<Claim, 'series' | 'target'>,
  now: Millis,
): Promise<void> {
  await lockSeries(tx, series);
  const sending = await tx.get('SELECT total FROM leg WHERE series = ? AND target = ?', [series, target]);
  const leg = { series, target: commitmentLeg(target) };
  await addLeg(tx, leg, now);
  await openLeg(tx, leg, now, { ...news(now), total: Number(sending?.['total'] ?? 0) });
}

/** Something is new for the leg; whoever works on it sees that at its end. */
export const news = (now: Millis): LegColumns => ({
  attempts: sql('attempts'),
  news: sql('news + 1'),
  next_try: dueUnlessClaimed(now),
});
