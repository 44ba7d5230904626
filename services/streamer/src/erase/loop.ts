/** One round of erasing: all that people asked for, by the streamer that reads what Orthanc reports. */
import type { Condition } from '../work/condition.ts';
import type { Wake } from '../work/wake.ts';
import { eraseStep, type EraseDeps } from './step.ts';
import { intents } from './intent.ts';

export interface EraseLoopDeps extends Omit<EraseDeps, 'exams'> {
  readonly follow: { readonly performed: EraseDeps['exams'] };
  readonly condition: Condition;
  readonly wakes: { readonly erase: Wake };
}

/** Others may have to do their part first: bookings and exams are theirs. */
const LOOK_MS = 5_000;

export async function eraseNext(deps: EraseLoopDeps, signal: AbortSignal): Promise<void> {
  const { condition, wakes, data, follow } = deps;
  const open = condition.leads ? await intents(data) : [];
  for (const intent of open)
    if (!signal.aborted) await eraseStep(intent, { ...deps, exams: follow.performed }, signal);
  await wakes.erase.wait(LOOK_MS, signal);
}
