/** Notices in the ledger: what each recipient knows, and messages, handed out in order and kept until they are delivered. */
import { randomUUID } from 'node:crypto';
import { type Failure, FailureError, transient } from '@scanflow/failure';
import type { Row } from '@scanflow/database';
import type { Notice } from '@scanflow/notify';
import type { Millis, Tx } from '../ledger/tx.ts';
import { message as reasonOf, parse } from '../ledger/views.ts';
import type { NoticeState, Recipient, Role, Thread } from './types.ts';

const STATES: readonly NoticeState[] = ['new', 'changed', 'resolved', 'said'];
const ROLES: readonly Role[] = ['it', 'booker', 'project'];

const recipientOf = (row: Row): Recipient => ({
  channel: String(row['channel']),
  address: String(row['address']),
});
const stateOf = (value: unknown): NoticeState => STATES.find((one) => one === value) ?? 'said';
const roleOf = (value: unknown): Role => ROLES.find((one) => one === value) ?? 'it';

export const threadKey = (matter: string, { channel, address }: Recipient): string =>
  JSON.stringify([matter, channel, address]);

/** Topics of what happens once, and is not over at some time. */
const EVENTS = ['stored', 'taken'] as const;
const AT_ONCE = 500;

/** By threadKey, each with its message that is not delivered yet: all that may be over, and those of these events. */
export async function threads(
  tx: Tx,
  topics: readonly string[],
  events: readonly string[],
): Promise<Map<string, Thread>> {
  const rows = await tx.all(
    `SELECT * FROM notice WHERE topic IN (${topics.map(() => '?').join(', ')})`,
    topics,
  );
  for (let from = 0; from < events.length; from += AT_ONCE) {
    const some = events.slice(from, from + AT_ONCE);
    rows.push(
      ...(await tx.all(`SELECT * FROM notice WHERE matter IN (${some.map(() => '?').join(', ')})`, some)),
    );
  }
  // a message that something is over belongs to no thread any more
  const open = await tx.all(
    `SELECT id, matter, channel, address, kind, claim, unsure FROM notice_message WHERE state = 'pending' AND kind <> 'resolved'`,
  );
  const pending = new Map(
    open.map((row) => [
      threadKey(String(row['matter']), recipientOf(row)),
      {
        id: String(row['id']),
        kind: stateOf(row['kind']),
        fixed: row['claim'] !== null || Number(row['unsure']) > 0,
      },
    ]),
  );
  return new Map(
    rows.map((row) => {
      const key = threadKey(String(row['matter']), recipientOf(row));
      return [key, { ...threadOf(row), pending: pending.get(key) }];
    }),
  );
}

const threadOf = (row: Row): Thread => ({
  matter: String(row['matter']),
  recipient: recipientOf(row),
  topic: String(row['topic']),
  role: roleOf(row['role']),
  heading: String(row['heading']),
  told: JSON.parse(String(row['told'])) as string[],
  since: Number(row['since']),
  gone: parse.integer(row['gone']) ?? undefined,
  toldAt: parse.integer(row['told_at']) ?? undefined,
});

export async function keepThread(tx: Tx, thread: Thread, now: Millis): Promise<void> {
  const { matter, recipient, topic, role, heading, told, since, gone, toldAt } = thread;
  await tx.run(
    `INSERT INTO notice (matter, channel, address, topic, role, heading, told, since, gone, told_at, updated)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (matter, channel, address) DO UPDATE SET topic = excluded.topic, role = excluded.role,
       heading = excluded.heading, told = excluded.told, since = excluded.since, gone = excluded.gone,
       told_at = excluded.told_at, updated = excluded.updated`,
    [
      ...[matter, recipient.channel, recipient.address, topic, role, heading, JSON.stringify(told)],
      ...[since, gone ?? null, toldAt ?? null, now],
    ],
  );
}

export const forgetThread = (tx: Tx, matter: string, { channel, address }: Recipient): Promise<number> =>
  tx.run('DELETE FROM notice WHERE matter = ? AND channel = ? AND address = ?', [matter, channel, address]);

/** A message that nobody sends and nobody got. */
export const withdraw = (tx: Tx, id: string): Promise<number> =>
  tx.run(`DELETE FROM notice_message WHERE id = ? AND state = 'pending' AND claim IS NULL AND unsure = 0`, [
    id,
  ]);

export async function enqueue(
  tx: Tx,
  notice: Notice,
  { matter, recipient }: Pick<Thread, 'matter' | 'recipient'>,
  now: Millis,
): Promise<void> {
  await tx.run(
    `INSERT INTO notice_message (id, matter, channel, address, topic, role, kind, body, created, state, next_try, updated)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?)`,
    [
      ...[notice.id, matter, recipient.channel, recipient.address, notice.topic, notice.role, notice.state],
      ...[JSON.stringify(notice), now, now, now],
    ],
  );
}

const HOUR_MS = 3_600_000;
/** A booking may be known for a year before it is over. */
const EVENT_KEPT_MS = 400 * 24 * HOUR_MS;

/** How many messages each recipient got, or is to get, within the last hour; by JSON of channel and address. */
export async function lastHour(tx: Tx, now: Millis): Promise<ReadonlyMap<string, number>> {
  const rows = await tx.all(
    `SELECT channel, address, count(*) AS n FROM notice_message WHERE updated > ? AND created > ? GROUP BY channel, address`,
    [now - HOUR_MS, now - HOUR_MS],
  );
  return new Map(rows.map((row) => [threadKey('', recipientOf(row)), Number(row['n'])]));
}

export interface MessageWork {
  readonly id: string;
  readonly token: string;
  readonly recipient: Recipient;
  readonly notice: Notice;
  readonly created: Millis;
  /** Failures so far. */
  readonly attempts: number;
}

/** The next message of this channel whose time has come. */
export async function nextMessage(tx: Tx, channel: string, now: Millis): Promise<MessageWork | undefined> {
  const row = await tx.get(
    `SELECT m.* FROM notice_message m WHERE m.channel = ? AND m.state = 'pending' AND m.next_try <= ?
     ORDER BY m.next_try, m.created, m.id LIMIT 1 ${tx.dialect.lockFree('m')}`,
    [channel, now],
  );
  if (row === undefined) return undefined;
  const token = randomUUID();
  const id = String(row['id']);
  const taken = await tx.run(
    `UPDATE notice_message SET claim = ?, next_try = ?, updated = ? WHERE id = ? AND state = 'pending' AND next_try <= ?`,
    [token, now + tx.leaseMs, now, id, now],
  );
  if (taken !== 1) return undefined;
  return {
    id,
    token,
    recipient: recipientOf(row),
    notice: JSON.parse(String(row['body'])) as Notice,
    created: Number(row['created']),
    attempts: Number(row['attempts']),
  };
}

export async function nextMessageTime(tx: Tx, channel: string): Promise<Millis | undefined> {
  const row = await tx.get(
    `SELECT min(next_try) AS time FROM notice_message WHERE channel = ? AND state = 'pending'`,
    [channel],
  );
  return parse.integer(row?.['time'] ?? null) ?? undefined;
}

const LOST = transient(
  'LEDGER_LEASE_LOST',
  'This notice took so long without a sign of life that another streamer took it over. It goes on there; nothing needs doing.',
);

/** The lease begins anew. Throws LEDGER_LEASE_LOST. */
export async function renewMessage(tx: Tx, { id, token }: MessageWork, now: Millis): Promise<void> {
  const renewed = await tx.run('UPDATE notice_message SET next_try = ? WHERE id = ? AND claim = ?', [
    now + tx.leaseMs,
    id,
    token,
  ]);
  if (renewed !== 1) throw new FailureError(LOST);
}

/** Laid down as if it had not begun, but it may have got there. Nothing where it has ended. */
export const layDown = (tx: Tx, { id, token }: MessageWork, now: Millis): Promise<number> =>
  tx.run('UPDATE notice_message SET claim = NULL, unsure = 1, next_try = ? WHERE id = ? AND claim = ?', [
    now,
    id,
    token,
  ]);

/** The text goes: what was said to whom about whom is not kept. */
export async function sent(tx: Tx, { id, token }: MessageWork, now: Millis): Promise<void> {
  const ended = await tx.run(
    `UPDATE notice_message SET state = 'done', body = '', claim = NULL, next_try = NULL, attempts = attempts + 1,
       failure_code = NULL, failure_message = NULL, updated = ? WHERE id = ? AND claim = ?`,
    [now, id, token],
  );
  if (ended !== 1) throw new FailureError(LOST);
}

export interface NotSent {
  readonly failure: Failure;
  /** Undefined: it is given up. */
  readonly nextTry: Millis | undefined;
  /** The channel does not work: its other messages wait as long. */
  readonly down: boolean;
}

export async function notSent(
  tx: Tx,
  { id, token, recipient }: MessageWork,
  { failure, nextTry, down }: NotSent,
  now: Millis,
): Promise<void> {
  const ended = await tx.run(
    `UPDATE notice_message SET state = ?, body = CASE WHEN ? = 1 THEN '' ELSE body END, claim = NULL, next_try = ?,
       attempts = attempts + 1, unsure = CASE WHEN ? = 1 THEN 1 ELSE unsure END, failure_code = ?, failure_message = ?, updated = ?
     WHERE id = ? AND claim = ?`,
    [
      ...[nextTry === undefined ? 'failed' : 'pending', nextTry === undefined ? 1 : 0, nextTry ?? null],
      ...[failure.kind === 'ambiguous' ? 1 : 0, failure.code, failure.message, now, id, token],
    ],
  );
  if (ended !== 1) throw new FailureError(LOST);
  if (down && nextTry !== undefined)
    await tx.run(
      `UPDATE notice_message SET next_try = ? WHERE channel = ? AND state = 'pending' AND claim IS NULL AND next_try < ?`,
      [nextTry, recipient.channel, nextTry],
    );
}

/** Topics and services that are on record, and since when. */
export async function topicsSince(tx: Tx): Promise<ReadonlyMap<string, Millis>> {
  const rows = await tx.all('SELECT name, since FROM notice_topic');
  return new Map(rows.map((row) => [String(row['name']), Number(row['since'])]));
}

export const addTopic = (tx: Tx, name: string, now: Millis): Promise<number> =>
  tx.run('INSERT INTO notice_topic (name, since) VALUES (?, ?) ON CONFLICT (name) DO NOTHING', [name, now]);

export const dropTopic = (tx: Tx, name: string): Promise<number> =>
  tx.run('DELETE FROM notice_topic WHERE name = ?', [name]);

/** Where nothing is configured, nothing is kept: whoever turns notices on again is not told of what was before. */
export async function forgetNotices(tx: Tx): Promise<void> {
  for (const table of ['notice', 'notice_message', 'notice_topic']) await tx.run(`DELETE FROM ${table}`);
}

/** Gives up messages of channels that left the configuration, and deletes what is over since long. */
export async function pruneNotices(
  tx: Tx,
  channels: readonly string[],
  keptMs: Millis,
  now: Millis,
): Promise<void> {
  const others = channels.length === 0 ? '' : `AND channel NOT IN (${channels.map(() => '?').join(', ')})`;
  await tx.run(
    `UPDATE notice_message SET state = 'failed', body = '', claim = NULL, next_try = NULL, failure_code = ?, failure_message = ?, updated = ?
     WHERE state = 'pending' ${others}`,
    ['NOTICE_NO_CHANNEL', 'The channel of this notice is no longer in the configuration.', now, ...channels],
  );
  await tx.run(`DELETE FROM notice_message WHERE state <> 'pending' AND updated < ?`, [now - keptMs]);
  await tx.run(`DELETE FROM notice WHERE topic IN ('${EVENTS.join("', '")}') AND updated < ?`, [
    now - EVENT_KEPT_MS,
  ]);
}

/** A message as people see it: without its text and without addresses of people. */
export interface MessageView {
  readonly id: string;
  readonly topic: string;
  readonly role: Role;
  readonly kind: NoticeState;
  readonly channel: string;
  readonly state: string;
  readonly attempts: number;
  readonly created: Millis;
  readonly updated: Millis;
  readonly nextTry: Millis | null;
  readonly failure: { readonly code: string; readonly message: string } | undefined;
}

/** Latest first. */
export async function messages(tx: Tx, limit: number): Promise<MessageView[]> {
  const rows = await tx.all('SELECT * FROM notice_message ORDER BY updated DESC, id LIMIT ?', [limit]);
  return rows.map((row) => ({
    id: String(row['id']),
    topic: String(row['topic']),
    role: roleOf(row['role']),
    kind: stateOf(row['kind']),
    channel: String(row['channel']),
    state: String(row['state']),
    attempts: Number(row['attempts']),
    created: Number(row['created']),
    updated: Number(row['updated']),
    nextTry: parse.integer(row['next_try']),
    failure: reasonOf(row['failure_code'], row['failure_message']),
  }));
}
