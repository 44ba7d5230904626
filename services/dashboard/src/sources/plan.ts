/** What a session becomes in BIDS, as the bids service says it through the streamer. Pages wait for it a little, and never long. */
import { z } from 'zod';
import type { PlanNow } from '@scanflow/bids/diff';
import { t } from '../texts/pages.ts';
import type { Service } from './service.ts';

const count = z.number().int().nonnegative();
const text = z.string();
const planned = z.object({
  id: text,
  folder: text,
  seriesNumber: z.number().optional(),
  seriesDescription: text.default(''),
  decision: z.enum(['convert', 'ignore', 'derivative', 'repeat', 'aborted', 'unknown', 'unreadable']),
  reason: text.default(''),
  rule: text.optional(),
  outputs: z.array(z.object({ path: text })).default([]),
  suggestion: text.optional(),
});
const note = z.object({ code: text, message: text });

const nowAnswer = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('made'),
    plan: z.object({
      series: z.array(planned),
      conflicts: z.array(note.extend({ series: z.array(text).default([]) })).default([]),
    }),
    images: z.record(text, count),
    was: z.array(z.object({ id: text, folder: text, images: count, paths: z.array(text) })).optional(),
    taken: note.optional(),
  }),
  z.object({ state: z.literal('under way'), done: count, of: count }),
]);

/** `/api/bids/plan` of the streamer. */
const planAnswer = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), now: nowAnswer }),
  z.object({ ok: z.literal(false), failure: note }),
]);

export type MadePlan = Extract<z.infer<typeof nowAnswer>, { state: 'made' }>;
export type PlannedRow = MadePlan['plan']['series'][number];
export type PlanAnswer =
  | MadePlan
  | Extract<PlanNow, { state: 'under way' }>
  /** Why there is none: what a person can do. */
  | { readonly state: 'none'; readonly code: string; readonly message: string };

/** Of a session, by its id. Never rejects. */
export type Plans = (session: string) => Promise<PlanAnswer>;

const PAUSE_MS = 10_000;

/** After a silence nobody waits again for a while, so that one that hangs slows no page down. `now`: epoch milliseconds. */
export function createPlans(streamer: Service, now: () => number): Plans {
  let silent: { readonly until: number; readonly answer: PlanAnswer } | undefined;
  return async (session) => {
    if (silent !== undefined && now() < silent.until) return silent.answer;
    const answer = await askedOf(streamer, session);
    const isSilent = answer.state === 'none' && SILENT.has(answer.code);
    silent = isSilent ? { until: now() + PAUSE_MS, answer } : undefined;
    return answer;
  };
}

/** Of the streamer about the bids service, and of the board about the streamer. */
const SILENT = new Set(['HOOK_UNREACHABLE', 'SERVICE_AWAY']);

async function askedOf(streamer: Service, session: string): Promise<PlanAnswer> {
  const none = (code: string, message: string): PlanAnswer => ({ state: 'none', code, message });
  try {
    const { status, body } = await streamer.look(`/api/bids/plan?session=${encodeURIComponent(session)}`);
    if (status === 404) return none('', t.bids.notStored);
    const answer = planAnswer.parse(body);
    return answer.ok ? answer.now : none(answer.failure.code, answer.failure.message);
  } catch {
    return none('SERVICE_AWAY', t.bids.away);
  }
}
