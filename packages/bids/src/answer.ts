/** What the bids service says of a session: kept by the streamer as the output of the delivery, and shown to people. Pure. */
import type { Failure } from '@scanflow/failure';

/** A session as the streamer hands it to the bids service. */
export interface BidsRequest {
  /** Scanflow's identifier of the session. */
  readonly id: string;
  readonly project: string;
  readonly subject: string;
  readonly session?: string;
  readonly accessionNumber: string;
  /** Root of storage of the project, absolute. */
  readonly root: string;
  /** Stored series; `folder` is absolute. */
  readonly series: readonly { readonly id: string; readonly folder: string }[];
}

export interface BidsIssue {
  readonly code: string;
  readonly message: string;
  /** How many files have it. */
  readonly count: number;
  readonly files: readonly string[];
}

/** `published`, `unchanged`, `kept aside` (invalid) and `empty` as the work says; `not configured`: the project has no dataset. */
export type BidsState = 'published' | 'unchanged' | 'kept aside' | 'empty' | 'not configured';

export interface BidsResult {
  readonly state: BidsState;
  /** The dataset, absolute; the session's folder is relative to it. */
  readonly dataset: string;
  readonly folder: string;
  readonly verdict?: 'valid' | 'invalid';
  /** How many kinds of errors and warnings; the lists may be cut. */
  readonly errorCount: number;
  readonly warningCount: number;
  readonly errors: readonly BidsIssue[];
  readonly warnings: readonly BidsIssue[];
  readonly counts: Readonly<Record<'series' | 'converted' | 'failed' | 'left' | 'files' | 'images', number>>;
  readonly conflicts: readonly { readonly code: string; readonly message: string }[];
  /** Series that the plan has and that could not be converted. */
  readonly failed: readonly { readonly series: string; readonly code: string; readonly message: string }[];
  /** Files of people that nobody overwrote. */
  readonly kept: readonly { readonly path: string; readonly why: string }[];
  readonly versions: Readonly<Record<string, string>>;
}

export type BidsAnswer =
  { readonly ok: true; readonly result: BidsResult } | { readonly ok: false; readonly failure: Failure };

const LISTS = ['errors', 'warnings', 'failed', 'conflicts', 'kept'] as const;
const MOST_FILES = 3;
const LONGEST = 400;

const short = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);

/** The answer as text of at most so many bytes: lists are cut, never counts. */
export function answerText(answer: BidsAnswer, bytes = 8_000): string {
  if (!answer.ok) {
    const { kind, code, message } = answer.failure;
    return JSON.stringify({ ok: false, failure: { kind, code, message: message.slice(0, bytes / 4) } });
  }
  const issue = (one: BidsIssue): BidsIssue => ({
    ...one,
    message: short(one.message),
    files: one.files.slice(0, MOST_FILES).map(short),
  });
  const { result } = answer;
  let cut: BidsResult = {
    ...result,
    errors: result.errors.map(issue),
    warnings: result.warnings.map(issue),
    failed: result.failed.map((one) => ({ ...one, series: short(one.series), message: short(one.message) })),
    conflicts: result.conflicts.map((one) => ({ ...one, message: short(one.message) })),
    kept: result.kept.map((one) => ({ ...one, path: short(one.path) })),
  };
  for (;;) {
    const text = JSON.stringify({ ok: true, result: cut });
    if (Buffer.byteLength(text) <= bytes) return text;
    // the longest list first: errors are what people need most, so they go last among equals
    const [longest] = LISTS.toReversed().toSorted((a, b) => cut[b].length - cut[a].length);
    if (longest === undefined || cut[longest].length === 0) return text;
    cut = { ...cut, [longest]: cut[longest].slice(0, Math.floor(cut[longest].length / 2)) };
  }
}

/** Undefined for a text that is no such answer. Blanks before it are a sign of life. */
export function readAnswer(text: string): BidsAnswer | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const { result, failure } = value;
  if (value['ok'] === true && isRecord(result) && isRecord(result['counts']) && isWhole(result))
    return { ok: true, result: result as unknown as BidsResult };
  if (value['ok'] !== false || !isRecord(failure)) return undefined;
  const { kind, code, message } = failure;
  return isKind(kind) && typeof code === 'string' && typeof message === 'string'
    ? { ok: false, failure: { kind, code, message } }
    : undefined;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isKind = (value: unknown): value is Failure['kind'] =>
  value === 'transient' || value === 'permanent' || value === 'ambiguous';
const isWhole = (result: Readonly<Record<string, unknown>>): boolean =>
  typeof result['state'] === 'string' &&
  typeof result['folder'] === 'string' &&
  typeof result['errorCount'] === 'number' &&
  typeof result['warningCount'] === 'number' &&
  LISTS.every((name) => Array.isArray(result[name]));

/** The verdict in a few words, for lines and columns: `valid`, `invalid (2 errors)`, `nothing to convert`. */
export function verdictText({ state, verdict, errorCount, warningCount, counts }: BidsResult): string {
  if (state === 'not configured') return 'no dataset';
  if (verdict === undefined) return 'nothing to convert';
  const number = (n: number, what: string): string[] =>
    n === 0 ? [] : [`${n} ${what}${n === 1 ? '' : 's'}`];
  const parts = [
    ...number(errorCount, 'error'),
    ...number(warningCount, 'warning'),
    ...(counts.failed === 0 ? [] : [`${counts.failed} series failed`]),
    ...(counts.left === 0 ? [] : [`${counts.left} left`]),
  ];
  return parts.length === 0 ? verdict : `${verdict} (${parts.join(', ')})`;
}
