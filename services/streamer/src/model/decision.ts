/** What a person decided of a series, and the moves that follow. A decision is kept in three places, so that losing one loses nothing. */
import type { Labels } from '@scanflow/booking';
import { STORAGE, type LegState, type Reason } from './series.ts';

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

/** A person's order. It is in the ledger before anything happens, until all is done. */
export interface MoveOrder {
  readonly decision: Decision & { readonly kind: 'move' };
  /** The old folder stays. */
  readonly keep: boolean;
  /** Destinations and hooks get the series once more. */
  readonly send: boolean;
  readonly was: Place;
  /** Why storing it had failed; kept over the move. */
  readonly failure?: Reason;
  /** Stored anew; only the old place is left to clear. */
  readonly stored?: {
    /** Folder of the session's report before the move. */
    readonly reports?: string;
  };
}

interface Place {
  readonly path: string;
  readonly labels?: Labels;
}

/** One move, in `series.json`, the ledger, the API and the report of the session. */
export interface Moved {
  readonly at: string;
  readonly by: string;
  readonly reason: string;
  readonly from: Place & { readonly routedBy?: string; readonly accessionNumber?: string };
  readonly to: Place;
  /** The old folder was kept. */
  readonly kept?: true;
  /** Files that stayed in the old folder: foreign ones, or changed ones. */
  readonly left?: readonly string[];
}

interface Movable {
  readonly due: number | null;
  readonly state: string;
  readonly labels: Labels | undefined;
  readonly path: string | undefined;
  readonly stored: number;
  readonly moving: boolean;
  readonly legs: readonly { readonly target: string; readonly state: LegState }[];
  /** A hook is running for it or its session. */
  readonly hook: string | undefined;
}

/** Why it cannot be moved now, in a sentence; undefined if it can. */
export function moveRefusal(series: Movable, labels: Labels): string | undefined {
  const { due, state, path, stored, moving, legs, hook } = series;
  if (moving) return 'this series is being moved already; scanflow series show tells how far it is';
  if (state === 'quarantined')
    return 'this series is quarantined: it is stored nowhere yet. Release it with the right labels';
  if (due !== null)
    return 'images of this series still arrive; move it once scanflow series show says complete';
  if (legs.some((leg) => leg.target === STORAGE && leg.state === 'pending'))
    return 'this series is being stored; move it once scanflow series show says so';
  if (path === undefined || stored === 0) return 'nothing of this series is stored; retry it, or release it';
  if (sameLabels(series.labels, labels)) return 'this series is stored under these labels already';
  if (hook !== undefined) return `hook:${hook} works on this series now; move it once that has ended`;
  return undefined;
}

export const sameLabels = (one: Labels | undefined, other: Labels | undefined): boolean =>
  one?.project === other?.project && one?.subject === other?.subject && one?.session === other?.session;
