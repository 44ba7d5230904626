/** What notices are about: a look into the ledger, into the streamer's own condition, and at the other services. */
import { BIDS } from '@scanflow/config';
import { gigabytes, judgeRoom } from '@scanflow/runtime';
import { z } from 'zod';
import type { LoopDeps } from '../work/deps.ts';
import type { Row } from '@scanflow/database';
import type { Millis, Tx } from '../ledger/tx.ts';
import { FAILING } from '../ledger/leg.ts';
import { findSession, parse } from '../ledger/views.ts';
import { bidsKnown, sessionReport } from '../reports/session.ts';
import { MOST_SERIES } from './matters-it.ts';
import { bidsPart, SESSION } from './matters-people.ts';
import type { Asked, CalendarFact, EventFact, Facts, MachineFact, SeriesFact, SessionFact } from './types.ts';

type LedgerFacts = Pick<Facts, 'quarantined' | 'failed' | 'waiting' | 'verification' | 'hooks'>;

/** One more than is told, so that it shows that there are more. */
const LIMIT = MOST_SERIES + 1;

export async function ledgerFacts(tx: Tx, longestWait: Millis, now: Millis): Promise<LedgerFacts> {
  const legs = (where: string, ...values: Millis[]): Promise<Row[]> =>
    tx.all(
      `SELECT s.id AS series, l.target, l.failure_code, l.failure_message, s.accession, s.first_seen
       FROM leg l JOIN series s ON s.id = l.series WHERE l.failure_code IS NOT NULL AND ${where}
       ORDER BY s.first_seen DESC, l.target LIMIT ${LIMIT}`,
      values,
    );
  const quarantined = await tx.all(
    `SELECT id AS series, '' AS target, reason_code AS failure_code, reason_message AS failure_message, accession, first_seen
     FROM series WHERE state = 'quarantined' ORDER BY first_seen DESC LIMIT ${LIMIT}`,
  );
  const waiting = await legs(
    `l.state = 'pending' AND l.attempts > 0 AND coalesce(l.waiting_since, s.first_seen) < ?
     AND NOT EXISTS (SELECT 1 FROM pause p WHERE p.ended IS NULL AND p.destination = l.target)`,
    now - longestWait,
  );
  const verification = await tx.all(
    `SELECT verification.series, verification.place AS target, verification.failure_code, verification.failure_message,
       s.accession, s.first_seen
     FROM verification JOIN series s ON s.id = verification.series WHERE verification.${FAILING}
     ORDER BY s.first_seen DESC LIMIT ${LIMIT}`,
  );
  const hooks = await tx.all(
    `SELECT hook, event, failure_code, failure_message FROM delivery WHERE state = 'failed' ORDER BY updated DESC LIMIT ${LIMIT}`,
  );
  return {
    quarantined: quarantined.map(seriesFact),
    failed: (await legs(`l.state = 'failed'`)).map(seriesFact),
    waiting: waiting.map(seriesFact),
    verification: verification.map(seriesFact),
    hooks: hooks.map((row) => ({
      hook: String(row['hook']),
      event: String(row['event']),
      code: String(row['failure_code']),
      message: String(row['failure_message']),
    })),
  };
}

const seriesFact = (row: Row): SeriesFact => ({
  series: String(row['series']),
  target: String(row['target']),
  code: parse.text(row['failure_code']) ?? 'UNKNOWN',
  message: parse.text(row['failure_message']) ?? '',
  accession: parse.text(row['accession']) ?? '',
  firstSeen: Number(row['first_seen']),
});

/** A look at sessions goes back so far. */
const BACK_MS = 8 * 86_400_000;
const SESSIONS_AT_ONCE = 50;

/** What people heard of a session: its increment, and since when its verdict on BIDS stands; `0`: it had none yet. */
export const heard = ({ increment, bids }: Pick<SessionFact, 'increment' | 'bids'>): string[] => [
  String(increment),
  ...(bidsPart(bids) === undefined ? [] : [bids?.state === 'pending' ? '0' : String(millis(bids?.updated))]),
];

const millis = (at = ''): number => Temporal.Instant.from(at).epochMilliseconds;

interface Look {
  readonly quietMs: Millis;
  readonly now: Millis;
  readonly limit?: number;
  /** A session waits so long for its verdict on BIDS. Undefined: nothing is converted. */
  readonly verdictMs?: Millis | undefined;
}

/**
 * Complete sessions of which not all have heard, in their increment of now; and those with another verdict than the one that people
 * heard of.
 */
export async function untoldSessions(
  tx: Tx,
  { quietMs, now, limit = SESSIONS_AT_ONCE, verdictMs }: Look,
): Promise<{ readonly id: string; readonly increment: number }[]> {
  if (verdictMs !== undefined) return withVerdicts(tx, { quietMs, now, limit, verdictMs });
  const rows = await tx.all(
    `SELECT s.id, s.increment, n.told FROM session s LEFT JOIN notice n ON n.matter = ? || s.id AND n.channel = '' AND n.address = ''
     WHERE s.due IS NULL AND s.increment > 0 AND s.updated >= ? AND (n.told IS NULL OR n.told NOT LIKE '["' || s.increment || '"%')
     ORDER BY s.updated LIMIT ?`,
    // what people heard of may have a verdict of before, when the configuration had bids
    [SESSION, now - BACK_MS - quietMs, limit],
  );
  return rows.map((row) => ({ id: String(row['id']), increment: Number(row['increment']) }));
}

async function withVerdicts(
  tx: Tx,
  { quietMs, now, limit, verdictMs }: Required<Look> & { readonly verdictMs: Millis },
): Promise<{ readonly id: string; readonly increment: number }[]> {
  const rows = await tx.all(
    `SELECT s.id, s.increment FROM session s
     LEFT JOIN notice n ON n.matter = ? || s.id AND n.channel = '' AND n.address = ''
     LEFT JOIN delivery d ON d.subject = s.id AND d.hook = ?
       AND d.ord = (SELECT max(l.ord) FROM delivery l WHERE l.subject = s.id AND l.hook = d.hook)
     WHERE s.due IS NULL AND s.increment > 0 AND s.updated >= ?
       AND CASE WHEN n.told IS NULL OR n.told NOT LIKE '["' || s.increment || '"%'
                THEN d.id IS NULL OR d.state <> 'pending' OR d.created <= ?
                ELSE n.told LIKE '["%","%"]' AND d.state <> 'pending' AND n.told NOT LIKE '%"' || d.updated || '"]' END
     ORDER BY s.updated LIMIT ?`,
    [SESSION, BIDS, now - BACK_MS - quietMs, now - verdictMs, limit],
  );
  return rows.map((row) => ({ id: String(row['id']), increment: Number(row['increment']) }));
}

const MOST_LACKING = 20;

/** What its people hear of it. Of one that changes now, nothing: it is looked at again. */
export async function sessionFact(
  { ledger, context, bookings }: Pick<LoopDeps, 'ledger' | 'context' | 'bookings'>,
  { id, increment }: { readonly id: string; readonly increment: number },
): Promise<SessionFact | undefined> {
  const view = await ledger.read(findSession, id);
  if (view === undefined || view.due !== null || view.increment !== increment) return undefined;
  const { series, outcome, folder, labels, accessionNumber } = sessionReport(view, context);
  // a record that cannot be read now has no booker: that holds up nobody else
  const record = await bookings.byAccession(accessionNumber).catch(() => undefined);
  const { project, subject, session } = labels ?? record?.labels ?? {};
  const name = [project, subject, session].filter((one) => one !== undefined).join(' ');
  const bad = series.filter((one) => one.outcome !== 'Complete');
  return {
    id,
    increment,
    outcome,
    series: series.length,
    images: series.reduce((sum, one) => sum + one.images.stored, 0),
    folder,
    project,
    name: name === '' ? `accession number ${accessionNumber}` : name,
    lacking: bad.slice(0, MOST_LACKING).map((one) => {
      const code =
        one.legs.find(({ failure }) => failure !== undefined)?.failure?.code ?? one.reasonCode ?? '';
      return `series ${one.seriesNumber} (${one.modality}): ${one.outcome}${code === '' ? '' : ` ${code}`}`;
    }),
    bookers: record?.bookers ?? [],
    bids: await bidsKnown(id, { ledger }),
  };
}

const text = z.string();
const note = z.object({ code: text, message: text });

const calendars = z.object({
  calendars: z.array(
    z.object({
      calendar: text,
      state: text,
      ageSeconds: z.number().optional(),
      held: z.number().optional(),
      failure: note.optional(),
    }),
  ),
});

const event = z.object({
  calendar: text,
  uid: text.optional(),
  recurrenceId: text.optional(),
  code: text,
  reason: text,
  summary: text.optional(),
  start: text.optional(),
  end: text.optional(),
  scanner: text.optional(),
  project: text.optional(),
  subject: text.optional(),
  session: text.optional(),
  accessionNumber: text.optional(),
  bookers: z.array(text).optional(),
});
/** Without `at`, its first pass is not done. */
const bookings = z.object({ at: text, bookings: z.array(event), rejected: z.array(event) });

const machine = z.object({
  disks: z.array(
    z.object({
      path: text,
      free: z.number().optional(),
      total: z.number().optional(),
      least: z.number().optional(),
      failure: text.optional(),
    }),
  ),
  certificates: z.array(z.object({ key: text, ends: text.optional(), failure: text.optional() })),
});

const ANSWER_MS = 10_000;

/** Throws for whatever is no answer. */
async function ask<T>(
  { url, headers }: Asked,
  path: string,
  schema: z.ZodType<T>,
  signal: AbortSignal,
): Promise<T> {
  const response = await fetch(`${url}${path}`, {
    headers: await headers(),
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`it answers ${response.status}`);
  }
  return schema.parse(await response.json());
}

/** Undefined: it does not answer. */
export async function machineFact(asked: Asked, signal: AbortSignal): Promise<MachineFact | undefined> {
  const found = await ask(asked, '/api/machine', machine, signal).catch(() => undefined);
  if (found === undefined) return undefined;
  return {
    certificates: found.certificates,
    disks: found.disks.flatMap(({ path, failure, ...room }) => {
      const problem = failure === undefined ? roomProblem(room) : `does not answer (${failure})`;
      return problem === undefined ? [] : [{ path, problem }];
    }),
  };
}

function roomProblem({
  free,
  total,
  least,
}: {
  readonly free?: number | undefined;
  readonly total?: number | undefined;
  readonly least?: number | undefined;
}): string | undefined {
  if (free === undefined || total === undefined) return undefined;
  const verdict = judgeRoom({ free, total, ...(least === undefined ? {} : { least }) });
  const left = `${gigabytes(free)} of ${gigabytes(total)} free`;
  // the streamer itself says so of a floor
  return verdict === 'scarce' ? `is nearly full: ${left}` : undefined;
}

export interface CalendarsNow {
  readonly calendars: readonly CalendarFact[];
  readonly events:
    { readonly rejected: readonly EventFact[]; readonly bookings: readonly EventFact[] } | undefined;
}

/** Undefined: cal2wl does not answer, or has not read the calendars yet. */
export async function calendarFacts(asked: Asked, signal: AbortSignal): Promise<CalendarsNow | undefined> {
  const states = await ask(asked, '/api/calendars', calendars, signal).catch(() => undefined);
  if (states === undefined) return undefined;
  const found = await ask(asked, '/api/bookings', bookings, signal).catch(() => undefined);
  if (found === undefined) return undefined;
  return { calendars: states.calendars, events: found };
}
