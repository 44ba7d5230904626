/** What nobody knows to have been sent, as the ledger that knew it is gone. It waits for a person. */
import { type Failure, permanent } from '@scanflow/failure';
import type { Millis, Tx } from './tx.ts';
import { addLeg, endLeg } from './leg.ts';

/** The images of these pulls: after the first number, up to the second. */
interface UnknownSpan {
  readonly after: number;
  readonly through: number;
}

/** Stands in the progress of a leg for all those images; no file has this name. */
export const UNKNOWN = '*';

const SENT_UNKNOWN = permanent(
  'SENT_UNKNOWN',
  'Nobody knows whether this was sent: the ledger that recorded it was lost. Look at the destination; scanflow series retry sends missing images.',
);

/** As the detail of a row of progress: a failure like any other, with the span. */
const unknownDetail = (span: UnknownSpan): string => JSON.stringify({ ...SENT_UNKNOWN, ...span });

/** The span of a row's detail; undefined where it is none. */
function spanIn(detail: string): UnknownSpan | undefined {
  const value = JSON.parse(detail) as Partial<UnknownSpan> & Partial<Failure>;
  const { after, through } = value;
  return typeof after === 'number' && typeof through === 'number' ? { after, through } : undefined;
}

/** Both spans and what lies between them. */
const joined = (span: UnknownSpan, before: UnknownSpan | undefined): UnknownSpan =>
  before === undefined
    ? span
    : { after: Math.min(span.after, before.after), through: Math.max(span.through, before.through) };

/** The span that a person wants sent after all. */
export function wantedSpan(
  progress: readonly { readonly instance: string; readonly outcome: string; readonly detail: string }[],
): UnknownSpan | undefined {
  const row = progress.find(({ instance, outcome }) => instance === UNKNOWN && outcome === 'again');
  return row === undefined ? undefined : spanIn(row.detail);
}

export const isWithin = (span: UnknownSpan | undefined, increment: number): boolean =>
  span !== undefined && increment > span.after && increment <= span.through;

/** What the leg does not know to be dealt with may have been sent, or not. False where it knows all. */
export async function unknown(
  tx: Tx,
  { series, target, through, total }: { series: string; target: string; through: number; total: number },
  now: Millis,
): Promise<boolean> {
  const leg = await tx.get('SELECT through FROM leg WHERE series = ? AND target = ?', [series, target]);
  const after = Number(leg?.['through'] ?? 0);
  if (after >= through) return false;
  const earlier = await tx.get(
    'SELECT detail FROM progress WHERE series = ? AND target = ? AND instance = ?',
    [series, target, UNKNOWN],
  );
  const span = joined(
    { after, through },
    earlier === undefined ? undefined : spanIn(String(earlier['detail'])),
  );
  await tx.run(
    `INSERT INTO progress (series, target, instance, outcome, detail) VALUES (?, ?, ?, 'failed', ?)
     ON CONFLICT (series, target, instance) DO UPDATE SET outcome = 'failed', detail = excluded.detail`,
    [series, target, UNKNOWN, unknownDetail(span)],
  );
  await addLeg(tx, { series, target }, now);
  await endLeg(tx, { series, target }, SENT_UNKNOWN, now, { total, through });
  return true;
}
