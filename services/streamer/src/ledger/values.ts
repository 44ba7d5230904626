/** Columns of the ledger as values. */
import type { Labels } from '@scanflow/booking';
import type { Warning } from '../completeness/warnings.ts';
import type { Decision } from '../model/decision.ts';
import type { Doubt } from '../store/place/evidence.ts';
import type { Moved, MoveOrder } from '../move/plan.ts';
import type { Attributes } from '../store/place/route.ts';
import { SERIES_STATES, type LegState, type SeriesState } from '../model/series.ts';
import type { Progress } from '../ports.ts';

/** Columns as values. Only the ledger itself writes them, so their form is not doubted. */
export const parse = {
  text: (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined),
  integer: (value: unknown): number | null => (typeof value === 'number' ? value : null),
  labels: (value: unknown): Labels | undefined =>
    typeof value === 'string' ? (JSON.parse(value) as Labels) : undefined,
  decision: (value: unknown): Decision | undefined =>
    typeof value === 'string' ? (JSON.parse(value) as Decision) : undefined,
  doubts: (value: unknown): readonly Doubt[] =>
    typeof value === 'string' ? (JSON.parse(value) as readonly Doubt[]) : [],
  warnings: (value: unknown): readonly Warning[] =>
    typeof value === 'string' ? (JSON.parse(value) as readonly Warning[]) : [],
  order: (value: unknown): MoveOrder | undefined =>
    typeof value === 'string' ? (JSON.parse(value) as MoveOrder) : undefined,
  moved: (value: unknown): Moved[] => (typeof value === 'string' ? (JSON.parse(value) as Moved[]) : []),
  attributes: (value: unknown): Attributes => JSON.parse(String(value)) as Attributes,
  leg: (value: unknown): LegState => (value === 'done' || value === 'failed' ? value : 'pending'),
  outcome: (value: unknown): Progress['outcome'] =>
    value === 'done' || value === 'again' ? value : 'failed',
  state: (value: unknown): SeriesState => SERIES_STATES.find((state) => state === value) ?? 'working',
};

/** Code and message as one, where there are. */
export function message(code: unknown, text: unknown): { code: string; message: string } | undefined {
  return typeof code === 'string' ? { code, message: String(text) } : undefined;
}
