/** What a person decided of a series: read wherever it is kept, and kept wherever it is not yet. */
import type { Notes, Orthanc } from '@scanflow/orthanc';
import { decisionText, latest, parseDecision, type Decision } from '../model/decision.ts';
import { failureOf } from '../model/failure.ts';
import type { Store } from './types.ts';
import { reached } from '../work/trace.ts';

export interface DecisionDeps {
  readonly orthanc: Pick<Orthanc, 'notes' | 'noteDecision'>;
  readonly store: Pick<Store, 'decision' | 'keepDecision'>;
}

/**
 * The latest of what the ledger, Orthanc and project storage know. Each of the three may be older than the others, after a
 * restore, or empty. `notes`: of the series, as Orthanc has them.
 */
export async function recall(
  series: string,
  inLedger: Decision | undefined,
  notes: Notes,
  { store }: Pick<DecisionDeps, 'store'>,
): Promise<Decision | undefined> {
  return latest(inLedger, parseDecision(notes.decision), await store.decision(series));
}

/** Before anything of the series is written: Orthanc first, then project storage. Whatever has it is left alone. */
export async function remember(
  series: string,
  decision: Decision,
  { orthanc, store }: DecisionDeps,
  signal: AbortSignal,
): Promise<void> {
  const text = decisionText(decision);
  const notes = await notesOf(series, { orthanc }, signal);
  if (notes !== undefined && notes.decision !== text) {
    await orthanc.noteDecision(series, text, signal);
    reached('decision-noted', { series });
  }
  const kept = await store.decision(series);
  if (kept === undefined || decisionText(kept) !== text) {
    await store.keepDecision(series, decision);
    reached('decision-kept', { series });
  }
}

/** Undefined where Orthanc no longer has the series. */
export async function notesOf(
  series: string,
  { orthanc }: { readonly orthanc: Pick<Orthanc, 'notes'> },
  signal: AbortSignal,
): Promise<Notes | undefined> {
  try {
    return await orthanc.notes(series, signal);
  } catch (error) {
    if (failureOf(error).code === 'ORTHANC_GONE') return undefined;
    throw error;
  }
}
