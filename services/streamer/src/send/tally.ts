/** What became of the images of one sending: counts, the first failure, and which are sent first the next time. */
import { defined } from '@scanflow/failure/defined';
import type { Failure } from '@scanflow/failure';
import type { SendOutcome } from './types.ts';
import type { Progress } from '../ledger/rows.ts';

/** What became of the instances of one attempt. */
export class Tally {
  sent = 0;
  warnings = 0;
  /** Why the first of those that were not sent, and may be, was not. */
  left: Failure | undefined;
  /** How long the destination wants to be left alone, in milliseconds. */
  askedMs = 0;
  /** Why the first of those that were given up was. */
  refused: Failure | undefined;
  /** Some were not sent because it is not the time for it. */
  paused = false;
}

/** The row to record; undefined if the instance has to be tried again. */
export function judge(outcome: SendOutcome, tally: Tally): Progress | undefined {
  switch (outcome.result) {
    case 'sent':
      tally.sent += 1;
      return {
        instance: outcome.id,
        outcome: 'done',
        detail: '',
        ...defined({ transcoded: outcome.transcoded }),
      };
    case 'warning':
      tally.sent += 1;
      tally.warnings += 1;
      return {
        instance: outcome.id,
        outcome: 'done',
        detail: outcome.meaning,
        ...defined({ transcoded: outcome.transcoded }),
      };
    case 'failed': {
      const { failure } = outcome;
      if (failure.code === 'SEND_HELD') {
        tally.paused = true;
        return undefined;
      }
      if (failure.kind !== 'permanent') {
        tally.left ??= failure;
        return undefined;
      }
      tally.refused ??= failure;
      return { instance: outcome.id, outcome: 'failed', detail: JSON.stringify(failure) };
    }
  }
}

export function failureIn(progress: readonly Progress[]): Failure | undefined {
  const refused = progress.find(({ outcome }) => outcome === 'failed');
  return refused === undefined ? undefined : (JSON.parse(refused.detail) as Failure);
}

/**
 * What stood in the way last time is at the front: it goes behind the others, one place more with each attempt that
 * got nowhere. So an image at which a destination always breaks off keeps no other from being sent.
 */
export function inTurn<T>(items: readonly T[], attempts: number): readonly T[] {
  const from = items.length === 0 ? 0 : attempts % items.length;
  return [...items.slice(from), ...items.slice(0, from)];
}
