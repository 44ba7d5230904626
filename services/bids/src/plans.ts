/**
 * Plans for pages: answered at once, or with how far it is. What a session's series are is read once, and kept while their folders
 * stay as they are; rules are read anew each time. Bounded.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BidsRequest, Plan, SessionFacts } from '@scanflow/bids';
import type { PlanNow, WasSeries } from '@scanflow/bids/diff';
import { codeOf, FailureError, messageOf, transient } from '@scanflow/failure';
import { defined } from '@scanflow/failure/defined';
import { pool, sleep } from '@scanflow/runtime';
import { planning, requireDataset, type JobDeps } from './jobs.ts';
import { sessionOf } from './request.ts';
import { sessionFolder } from './work/convert.ts';
import { planOf } from './work/look.ts';
import { readProvenance, requireFree } from './work/provenance.ts';
import type { SessionRequest } from './work/types.ts';

export interface Plans {
  /** Answers within some seconds. Rejects with FailureError. */
  now(request: BidsRequest): Promise<PlanNow>;
}

export interface PlansOptions {
  /** Ends what runs. */
  readonly signal: AbortSignal;
  /** Longest wait for a plan that is not there yet. */
  readonly waitMs?: number;
}

const WAIT_MS = 1_500;
/** Of one session. Its request is gone by then. */
const LONGEST_MS = 900_000;
/** Sessions of which series are read at the same time, beside those that are converted. */
const AT_ONCE = 2;
const MOST_KEPT = 20;
const STATS_AT_ONCE = 16;

interface Kept {
  readonly stamp: string;
  readonly facts: Promise<SessionFacts>;
  done: number;
  readonly of: number;
  running: boolean;
}

export function createPlans(
  { config }: Pick<JobDeps, 'config'>,
  { signal, waitMs = WAIT_MS }: PlansOptions,
): Plans {
  const kept = new Map<string, Kept>();
  // also those that nobody keeps any more, because their folders changed
  let running = 0;
  const begin = (session: SessionRequest, stamp: string): Kept => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)]);
    running += 1;
    const onProgress = ({ done }: { readonly done: number }): void => {
      one.done = done;
    };
    const one: Kept = {
      ...{ stamp, done: 0, of: session.series.length, running: true },
      facts: factsOf(session, { config }, onProgress, limit).finally(() => {
        one.running = false;
        running -= 1;
      }),
    };
    // whoever asks while it runs, or the next one, gets to see it
    one.facts.catch(() => undefined);
    return one;
  };
  const read = (id: string, session: SessionRequest, stamp: string): Kept => {
    const known = kept.get(id);
    kept.delete(id);
    if (known?.stamp !== stamp && running >= AT_ONCE) throw new FailureError(BUSY);
    const one = known?.stamp === stamp ? known : begin(session, stamp);
    // the last one used is the last one that goes
    kept.set(id, one);
    for (const [oldest, other] of kept)
      if (kept.size > MOST_KEPT && !other.running && other !== one) kept.delete(oldest);
    return one;
  };
  return {
    now: async (request) => {
      const dataset = requireDataset(request, config);
      const session = sessionOf(request, dataset.root, config);
      // mistakes in rules need no series
      const planned = await planning(dataset.rules, undefined, config.bids);
      const one = read(request.id, session, await stampOf(session));
      const facts = await within(one.facts, waitMs).catch((error: unknown) => {
        if (kept.get(request.id) === one) kept.delete(request.id);
        throw error;
      });
      if (facts === undefined) return { state: 'under way', done: one.done, of: one.of };
      const plan = planned.plan(facts);
      return { state: 'made', plan, images: imagesOf(facts), ...(await standing(session, plan)) };
    },
  };
}

const nothing = (): undefined => undefined;

/** Undefined where it takes longer. */
async function within<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  const waited = new AbortController();
  try {
    return await Promise.race([work, sleep(ms, waited.signal).then(nothing, nothing)]);
  } finally {
    waited.abort();
  }
}

async function factsOf(
  session: SessionRequest,
  { config }: Pick<JobDeps, 'config'>,
  onProgress: (progress: { readonly done: number }) => void,
  signal: AbortSignal,
): Promise<SessionFacts> {
  const options = await planning(undefined, undefined, config.bids);
  return (await planOf(session, { ...options, onProgress }, signal)).facts;
}

const imagesOf = ({ series }: SessionFacts): Record<string, number> =>
  Object.fromEntries(series.map(({ id, images }) => [id, images]));

/** Differs once a file came into one of the folders, or left it. */
async function stampOf({ storageRoot, series }: SessionRequest): Promise<string> {
  const stamps = await pool(series, STATS_AT_ONCE, async ({ id, folder }) => {
    const path = join(storageRoot, folder);
    const found = await stat(path).catch((error: unknown) => codeOf(error) ?? messageOf(error));
    return [id, folder, typeof found === 'string' ? found : `${found.ino}-${found.mtimeMs}`];
  });
  return JSON.stringify(stamps);
}

/** What the dataset has of the session, and whether its labels are another's. */
async function standing(
  { datasetRoot, ...session }: SessionRequest,
  plan: Plan,
): Promise<Pick<Extract<PlanNow, { state: 'made' }>, 'was' | 'taken'>> {
  const folder = sessionFolder(plan);
  try {
    await requireFree(datasetRoot, folder, session);
    const provenance = await readProvenance(datasetRoot, folder);
    return defined({ was: provenance?.series.filter(({ files }) => files.length > 0).map(wasOf) });
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    return { taken: { code: error.code, message: error.message } };
  }
}

type Written = NonNullable<Awaited<ReturnType<typeof readProvenance>>>['series'][number];

const IMAGE = /\.nii(?:\.gz)?$/;

const wasOf = ({ id, folder, sopInstanceUids, files }: Written): WasSeries => ({
  ...{ id, folder, images: sopInstanceUids.length },
  paths: files.flatMap(({ path }) => (IMAGE.test(path) ? [path.replace(IMAGE, '')] : [])),
});

const BUSY = transient(
  'BIDS_BUSY',
  'Plans of other sessions are being made. Look again in a minute; sessions are converted meanwhile.',
);
