/** Verification on request: POST /api/verify, its progress, and POST /api/verify/acknowledge. */
import { defined, given } from '@scanflow/failure/defined';
import { takes, type FastifyInstance, type Log } from '@scanflow/runtime';
import { Answer, byWhom, find, textIn, fieldIn } from '../http/request.ts';
import type { JobView, Selection, FileTarget } from './types.ts';
import { isStoring, verifySummary } from './sql.ts';
import { acknowledgeFindings, askVerify, jobById, jobResults, stopJob } from './sql-jobs.ts';
import type { Ledger } from '../ledger/tx.ts';
import type { Store } from '../store/types.ts';
import type { Clock } from '../model/settings.ts';
import { failureOf } from '../model/failure.ts';
import { stillThere } from './look.ts';
import { noteKnown } from './step.ts';
import { iso } from '../model/series.ts';

export interface VerifyApiDeps extends AcknowledgeDeps {
  /** Wakes the verification's worker. */
  readonly wakeVerify: () => void;
}

interface OfJob {
  readonly Params: { readonly id: string };
  readonly Querystring: { readonly results?: string };
}

const MOST_RESULTS = 10_000;
const LONGEST_REASON = 500;
const LONGEST_SINCE_MS = 3650 * 86_400_000;

export function verifyRoutes(app: FastifyInstance, deps: VerifyApiDeps): void {
  const { ledger, clock, log, wakeVerify } = deps;
  app.get('/api/verify', async () => ({ verify: await ledger.read(verifySummary) }));
  app.post('/api/verify', async ({ body, ip }) => {
    const { by, from } = byWhom(body, ip);
    const selection = await selectionOf(body, deps);
    const repair = fieldIn(body, 'repair') === true;
    const job = await ledger.write(askVerify, selection, { repair, by }, clock.now());
    if (job === undefined) throw new Answer(404, 'nothing is stored of what you ask for');
    log.info('verification requested by hand', { job: job.id, series: job.total, repair, by, from });
    wakeVerify();
    return { job: jobReport(job) };
  });
  app.get<OfJob>('/api/verify/:id', takes('results'), async ({ params, query }) => {
    const job = await ledger.read(jobById, params.id);
    if (job === undefined) throw new Answer(404, `there is no verification ${params.id}`);
    const wanted = query.results === '1' ? await ledger.read(jobResults, params.id, MOST_RESULTS) : undefined;
    return {
      job: { ...jobReport(job), slow: await ledger.read(isStoring) },
      ...defined({ results: wanted }),
    };
  });
  app.post<OfJob>('/api/verify/:id/stop', async ({ params, body, ip }) => {
    if (!(await ledger.write(stopJob, params.id)))
      throw new Answer(404, `there is no verification ${params.id}`);
    log.info('verification stopped by hand', { job: params.id, ...byWhom(body, ip) });
    return {};
  });
  app.post('/api/verify/acknowledge', async ({ body, ip }) => ({
    acknowledged: await acknowledge(body, ip, deps),
  }));
}

async function acknowledge(body: unknown, ip: string, deps: VerifyApiDeps): Promise<unknown> {
  const { ledger, clock, log, wakeVerify } = deps;
  const { by, from } = byWhom(body, ip);
  const reason = textIn(body, 'reason')?.trim() ?? '';
  if (reason === '' || reason.length > LONGEST_REASON || /\p{Cc}/u.test(reason))
    throw new Answer(400, `expected a reason of 1 to ${LONGEST_REASON} characters`);
  const selection = await selectionOf(body, deps);
  if (selection.series === undefined && selection.project === undefined)
    throw new Answer(400, 'expected a series or a project');
  const parts = await ledger.write(acknowledgeFindings, selection, { by, reason }, clock.now());
  if (parts.length === 0)
    throw new Answer(409, 'nothing of that is known to be missing or changed; verify it first');
  // the reason may name people: it stays in the ledger and in series.json
  log.warn('missing or changed files acknowledged by hand', {
    series: parts.map(({ series }) => series),
    by,
    from,
  });
  wakeVerify();
  void noteAcknowledged(parts, deps);
  return parts;
}

const jobReport = (job: JobView) => ({
  ...job,
  created: iso(job.created),
});

async function selectionOf(body: unknown, { ledger, clock }: VerifyApiDeps): Promise<Selection> {
  const id = textIn(body, 'series');
  const project = textIn(body, 'project');
  const since = fieldIn(body, 'sinceMs');
  if (since !== undefined && !(typeof since === 'number' && since > 0 && since <= LONGEST_SINCE_MS))
    throw new Answer(400, 'expected sinceMs: how long ago, in milliseconds');
  return {
    ...defined({ series: await given(id, async (id) => (await find(id, ledger)).id), project }),
    ...(typeof since === 'number' ? { since: clock.now() - since } : {}),
  };
}

interface AcknowledgeDeps {
  readonly ledger: Ledger;
  readonly stores: Readonly<Partial<Record<FileTarget, Store | undefined>>>;
  readonly clock: Clock;
  readonly log: Log;
}

/** One after the other, in the background. The next verification writes what this misses. */
async function noteAcknowledged(
  parts: readonly { readonly series: string; readonly place: FileTarget }[],
  deps: AcknowledgeDeps,
): Promise<void> {
  const never = new AbortController().signal;
  for (const { series, place } of parts)
    try {
      const view = await stillThere({ id: series }, deps.ledger);
      const known = view?.verification.find((one) => one.place === place);
      const store = deps.stores[place];
      if (view === undefined || known === undefined || store === undefined) continue;
      await noteKnown(view, known, { ...deps, store }, never);
    } catch (error) {
      deps.log.warn('series.json does not have what was acknowledged yet', { series, ...failureOf(error) });
    }
}
