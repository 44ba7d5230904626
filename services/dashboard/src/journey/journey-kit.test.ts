/** A booking, its exam and its session, for tests of journeys. */
import type { BookingFacts, ExamFacts, LegFacts, SeriesFacts, SessionFacts } from './facts.ts';

export const MINUTE = 60_000;
/** A slot from 9:00 to 10:00 of some day. */
export const NINE = Temporal.Instant.from('2026-11-28T08:00:00Z').epochMilliseconds;
export const TEN = NINE + 60 * MINUTE;

export const booking: BookingFacts = { outcome: 'booking', start: NINE, end: TEN };
export const leg = (target: string, state: LegFacts['state'], more: Partial<LegFacts> = {}): LegFacts => ({
  target,
  state,
  attempts: 0,
  done: state === 'done' ? 20 : 0,
  total: 20,
  ...more,
});
export const series = (more: Partial<SeriesFacts> = {}): SeriesFacts => ({
  id: 'a',
  seriesInstanceUid: '1.2.3',
  state: 'complete',
  firstSeen: NINE + 10 * MINUTE,
  arrived: 20,
  stored: 20,
  legs: [leg('storage', 'done'), leg('pacs', 'done')],
  ...more,
});
export const session = (more: Partial<SessionFacts> = {}): SessionFacts => ({
  complete: true,
  updated: TEN + 12 * MINUTE,
  series: [series()],
  deliveries: [],
  ...more,
});
export const exam = (more: Partial<ExamFacts> = {}): ExamFacts => ({
  state: 'COMPLETED',
  created: NINE + 5 * MINUTE,
  updated: TEN - 5 * MINUTE,
  started: NINE + 5 * MINUTE,
  ended: TEN - 5 * MINUTE,
  stale: false,
  wrongItem: false,
  series: [{ seriesInstanceUid: '1.2.3', made: 20 }],
  ...more,
});
export const away = { since: NINE + MINUTE };
export const failure = { code: 'FORWARD_GIVEN_UP', message: 'pacs refused it. Ask who runs it.' };
