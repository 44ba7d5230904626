/** Records of moves of a series that now belongs to another subject: removes the subject's name, keeps the move. Pure. */
import type { Labels } from '@scanflow/booking';
import type { Moved } from '../move/plan.ts';
import type { Intent } from './intent.ts';

type Subject = Pick<Intent, 'project' | 'subject' | 'session'>;

export const isOf = (wanted: Subject, labels: Labels | undefined): boolean =>
  labels?.project === wanted.project &&
  labels.subject === wanted.subject &&
  (wanted.session === undefined || labels.session === wanted.session);

export const names = (wanted: Subject, { from, to }: Moved): boolean =>
  isOf(wanted, from.labels) || isOf(wanted, to.labels);

/** Replaces a path or a reason. */
const ERASED = '(erased)';

export const withoutNames = (wanted: Subject, moved: readonly Moved[]): readonly Moved[] =>
  moved.map((one) =>
    names(wanted, one)
      ? {
          at: one.at,
          by: one.by,
          reason: ERASED,
          from: isOf(wanted, one.from.labels) ? { path: ERASED } : one.from,
          to: isOf(wanted, one.to.labels) ? { path: ERASED } : one.to,
        }
      : one,
  );
