/** A verification that the streamer does, watched to its end: also over a restart of the streamer. */
import { sleep } from '@scanflow/runtime';
import type { Io } from '../command.ts';
import { bar, Progress, timeLeft } from '../progress.ts';
import { Refused, Unreachable, type Client } from '../series/client.ts';

export interface Job {
  readonly id: string;
  readonly total: number;
  readonly done: number;
  readonly good: number;
  readonly acknowledged: number;
  readonly repaired: number;
  /** It reads slowly, as images arrive. */
  readonly slow?: boolean;
}

export interface Result {
  readonly series: string;
  readonly place: string;
  readonly done: boolean;
  readonly outcome?: {
    readonly state: 'good' | 'acknowledged' | 'failing' | 'unknown';
    readonly code?: string;
    readonly message?: string;
    readonly files: number;
    readonly findings: readonly { readonly file: string; readonly kind: string }[];
    readonly repair?: { readonly restored: number; readonly left: number; readonly message?: string };
  };
}

export interface Watched {
  readonly job: Job;
  readonly results: readonly Result[];
}

const POLL_MS = 500;
/** Counting a million series takes the streamer a moment. */
const MOST_POLL_MS = 10_000;
const SERIES_PER_MS = 50;
/** A streamer that restarts is waited for: it goes on with the job by itself. */
const GONE_MS = 300_000;

/** Throws NotAsked, Refused, and when the person stops it. */
export async function watch(first: Job, client: Client, io: Io): Promise<Watched> {
  const progress = new Progress(io);
  let job = first;
  let answered = performance.now();
  try {
    while (job.done < job.total) {
      await sleep(Math.min(Math.max(POLL_MS, job.total / SERIES_PER_MS), MOST_POLL_MS), io.signal);
      io.signal.throwIfAborted();
      try {
        job = (await client.ask(`/api/verify/${first.id}`))['job'] as Job;
        answered = performance.now();
        show(progress, job);
      } catch (error) {
        if (
          !(error instanceof Unreachable || error instanceof Refused) ||
          performance.now() - answered > GONE_MS
        )
          throw error;
        progress.update(() => 'waiting for the streamer, which does not answer; it goes on by itself');
      }
    }
    return (await client.ask(`/api/verify/${first.id}?results=1`)) as unknown as Watched;
  } finally {
    progress.end();
  }
}

function show(progress: Progress, { done, total, good, acknowledged, slow }: Job): void {
  const bad = done - good - acknowledged;
  progress.update(
    (seconds) =>
      `${bar(done, total)}${bad > 0 ? `  ${bad} not good` : ''}${slow === true ? '  slowly: images arrive' : ''}${timeLeft(done, total, seconds)}`,
  );
}
