/** A retrieval that an Orthanc carries out as a job. */
import type { MoveOutcome } from '@scanflow/dimse';
import type { OrthancClient } from '@scanflow/orthanc';
import { rest } from './pauses.ts';

interface Retrieval {
  readonly client: OrthancClient;
  readonly id: string;
  readonly source: string;
  readonly quietMs: number;
  readonly signal: AbortSignal;
}

const FIRST_LOOK_MS = 100;
const LONGEST_LOOK_MS = 2_000;
const CANCEL_MS = 5_000;
const NOTHING = { counts: {}, failedUids: [] } as const;

/**
 * Waits for its end. Success says little: Orthanc calls it so whatever its sub-operations came to. Throws FailureError
 * where Orthanc does not answer.
 */
export async function awaitJob({ client, id, source, quietMs, signal }: Retrieval): Promise<MoveOutcome> {
  const path = `/jobs/${id}`;
  const cancel = (): Promise<unknown> =>
    client.json(`${path}/cancel`, AbortSignal.timeout(CANCEL_MS), '{}').catch(() => undefined);
  let progress = '';
  let since = performance.now();
  for (let wait = FIRST_LOOK_MS; !signal.aborted; wait = Math.min(2 * wait, LONGEST_LOOK_MS)) {
    const job = (await client.json(path, signal)) as Readonly<Record<string, unknown>>;
    const state = String(job['State']);
    if (state === 'Success') return { ...NOTHING, result: 'complete' };
    if (state === 'Failure') return failed(source, job['ErrorDescription']);
    const now = `${state} ${String(job['Progress'])}`;
    if (now !== progress) [progress, since] = [now, performance.now()];
    if (performance.now() - since > quietMs) {
      await cancel();
      const message = `Orthanc's retrieval from ${source} got no further for ${quietMs / 1000} s. It may go on sending.`;
      return { ...NOTHING, result: 'failed', failure: { kind: 'ambiguous', code: 'MOVE_LOST', message } };
    }
    await rest(wait, signal);
  }
  await cancel();
  const message = 'It was cancelled before it was done; it can be tried again.';
  return { ...NOTHING, result: 'cancelled', failure: { kind: 'transient', code: 'CANCELLED', message } };
}

function failed(source: string, said: unknown): MoveOutcome {
  const why = typeof said === 'string' ? said : 'it does not say why';
  const message = `Orthanc's retrieval from ${source} failed: ${why}. Look into the log of both.`;
  return { ...NOTHING, result: 'failed', failure: { kind: 'transient', code: 'MOVE_FAILED', message } };
}
