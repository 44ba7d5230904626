/** Hooks by HTTP: what ran and what waits, also for a hook that left the configuration; and giving that up. */
import type { FastifyInstance } from '@scanflow/runtime';
import { Answer, byWhom, rowsOf, textIn } from '../http/request.ts';
import { iso } from '../model/series.ts';
import { hookLeft, hookReport } from '../reports/series.ts';
import type { LoopDeps } from '../work/deps.ts';
import { deliveriesIn, openRuns, skipHook } from './sql.ts';

interface HookDeps extends Pick<LoopDeps, 'ledger' | 'context' | 'clock' | 'log'> {
  /** Wakes every worker. */
  readonly wake: () => void;
}

interface Query {
  readonly state?: string;
  readonly limit?: string;
}

const DEFAULT_ROWS = 100;

/**
 * GET /api/hooks?state=failed&limit=50: runs, the latest first; and for each hook how many are not done. POST /api/hooks/skip:
 * gives up all runs of a hook that left the configuration.
 */
export function hookRoutes(app: FastifyInstance, deps: HookDeps): void {
  const { ledger, context } = deps;
  app.get<{ Querystring: Query }>('/api/hooks', async ({ query }) => {
    const state = (['pending', 'done', 'failed'] as const).find((one) => one === query.state);
    const told = await ledger.read(deliveriesIn, state, rowsOf(query, DEFAULT_ROWS));
    const open = await ledger.read(openRuns);
    return {
      hooks: told.map((view) => ({ subject: view.subject, ...hookReport(view, context) })),
      open: open.map(({ hook, pending, failed, oldest }) => ({
        target: `hook:${hook}`,
        configured: context.hooks?.has(hook) !== false,
        pending,
        failed,
        oldest: iso(oldest),
      })),
    };
  });
  app.post('/api/hooks/skip', async ({ body, ip }) => ({ skipped: await skipAll(body, ip, deps) }));
}

async function skipAll(
  body: unknown,
  ip: string,
  { ledger, context, clock, log, wake }: HookDeps,
): Promise<number> {
  const target = textIn(body, 'target') ?? '';
  const hook = /^hook:(.+)$/.exec(target)?.[1];
  if (hook === undefined) throw new Answer(400, 'only a hook can be skipped: expected hook:NAME as target');
  if (context.hooks?.has(hook) !== false)
    throw new Answer(
      409,
      `${target} is in the configuration. Give it up for one series: scanflow series skip ID --target ${target}`,
    );
  const skipped = await ledger.write(skipHook, hook, clock.now());
  if (skipped === 0) throw new Answer(409, `nothing waits for ${target}`);
  log.warn('all runs of a hook skipped by hand', { target, runs: skipped, ...byWhom(body, ip) });
  wake();
  return skipped;
}

/** Warns of runs that wait for a hook that nobody runs. */
export async function reportLeft({
  ledger,
  context: { hooks },
  log,
}: Pick<LoopDeps, 'ledger' | 'context' | 'log'>): Promise<void> {
  for (const { hook, pending, failed } of await ledger.read(openRuns))
    if (hooks?.has(hook) === false)
      log.warn('runs of a hook wait', { runs: pending + failed, ...hookLeft(hook) });
}
