/** What a person decided of a series. It is kept in three places, so that losing one of them loses nothing. */
import type { Labels } from '@scanflow/booking';

export interface Decision {
  readonly version: 1;
  /** `release`: labels for a series that had none, or whose folder was taken away; `move`: other labels than it had. */
  readonly kind: 'release' | 'move';
  readonly labels: Labels;
  /** UTC, to the millisecond: the latest counts. */
  readonly at: string;
  /** Who says so is not verified: the user of the command, and the address that asked. */
  readonly by: string;
  readonly from: string;
  readonly reason?: string;
}

/** The one that counts. */
export const latest = (...decisions: readonly (Decision | undefined)[]): Decision | undefined =>
  decisions.reduce(
    (best, one) => (one !== undefined && (best === undefined || one.at > best.at) ? one : best),
    undefined,
  );

export const decisionText = (decision: Decision): string => JSON.stringify(decision);

/** Undefined where it is no decision of ours. */
export function parseDecision(text: string | undefined): Decision | undefined {
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isDecision(value) ? value : undefined;
}

function isDecision(value: unknown): value is Decision {
  if (!isObject(value) || value['version'] !== 1) return false;
  const { kind, labels, reason } = value;
  return (
    (kind === 'release' || kind === 'move') &&
    hasTexts(value, ['at', 'by', 'from']) &&
    AT.test(String(value['at'])) &&
    hasTexts(labels, ['project', 'subject', 'session']) &&
    (reason === undefined || typeof reason === 'string')
  );
}

const AT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const hasTexts = (value: unknown, keys: readonly string[]): boolean =>
  isObject(value) && keys.every((key) => typeof value[key] === 'string' && value[key] !== '');
