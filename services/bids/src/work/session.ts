/** A stored session becomes part of a BIDS dataset: facts, plan, conversion aside, checks, validation, publishing. */
import type { Plan, SessionFacts } from '@scanflow/bids';
import type {
  Outcome,
  PlanOptions,
  SessionOptions,
  SessionRequest,
  ValidatorProgram,
  Verdict,
} from './types.ts';

/** Facts and plan; writes nothing into dataset or storage. Rejects with FailureError. */
export function planOf(
  _request: SessionRequest,
  _options: PlanOptions,
  _signal: AbortSignal,
): Promise<{ readonly facts: SessionFacts; readonly plan: Plan }> {
  return Promise.reject(new Error('not built yet'));
}

/**
 * Converts a session and puts it into the dataset. Rejects with FailureError (`BIDS_…`) where nothing could be done; a series
 * that fails stands in the outcome. Repeatable after a kill at any point.
 */
export function bidsSession(
  _request: SessionRequest,
  _options: SessionOptions,
  _signal: AbortSignal,
): Promise<Outcome> {
  return Promise.reject(new Error('not built yet'));
}

/** The validator's verdict on a dataset as it lies. Rejects with FailureError where the validator gives none. */
export function validateDataset(
  _datasetRoot: string,
  _validator: ValidatorProgram,
  _signal: AbortSignal,
): Promise<Verdict> {
  return Promise.reject(new Error('not built yet'));
}
