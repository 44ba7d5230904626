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

/** Sessions that leave a dataset: a person moved them to other labels, or consent was withdrawn. */
export interface BidsRemoval {
  readonly project: string;
  readonly subject: string;
  /** Undefined: all sessions of the subject. */
  readonly session?: string | undefined;
  /** Only what came of this registration; undefined: of any. */
  readonly accessionNumber?: string | undefined;
  /** Only sessions that have one of these series: several registrations may have no number. Undefined: any. */
  readonly series?: readonly string[];
  /** Root of storage of the project, absolute. */
  readonly root: string;
  /** Every trace of ours goes, and the row in `participants.tsv` even where people wrote into it. */
  readonly erased: boolean;
}

/** What left, or would leave. */
export interface BidsRemoved {
  /** The dataset, absolute; empty where the project has none. */
  readonly dataset: string;
  /** Sessions, relative to the dataset. */
  readonly folders: readonly string[];
  /** Files and rows of ours. */
  readonly files: number;
  /** Files of people, relative to the dataset. They stay. */
  readonly kept: readonly string[];
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
  /** Where series of the session have other labels: what became of these. The worst of all is the result itself. */
  readonly also?: readonly Pick<BidsResult, 'folder' | 'state' | 'verdict' | 'errorCount'>[];
  /** Sessions that left the dataset since its series have other labels, and files of people there, which stay. */
  readonly removed?: readonly Pick<BidsRemoved, 'folders' | 'kept'>[];
}

export type BidsAnswer =
  | { readonly ok: true; readonly result: BidsResult }
  | {
      readonly ok: false;
      readonly failure: Failure;
      /** The project of the part that failed: others of the session may be of another one. */
      readonly project?: string;
      /** What became of the parts that went through. */
      readonly result?: BidsResult;
    };

const LISTS = ['errors', 'warnings', 'failed', 'conflicts', 'kept'] as const;
const MOST_FILES = 3;
const LONGEST = 400;

const short = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);

/** The answer as text of at most so many bytes: lists are cut, never counts. */
export function answerText(answer: BidsAnswer, bytes = 8_000): string {
  if (answer.ok) return cutToFit(answer.result, (result) => JSON.stringify({ ok: true, result }), bytes);
  const { failure: of, project, result } = answer;
  const failure = { kind: of.kind, code: of.code, message: of.message.slice(0, bytes / 4) };
  const told = { ok: false, failure, ...(project === undefined ? {} : { project }) };
  if (result === undefined) return JSON.stringify(told);
  const text = cutToFit(result, (cut) => JSON.stringify({ ...told, result: cut }), bytes);
  return Buffer.byteLength(text) <= bytes ? text : JSON.stringify(told);
}

function cutToFit(result: BidsResult, textOf: (cut: BidsResult) => string, bytes: number): string {
  const issue = (one: BidsIssue): BidsIssue => ({
    ...one,
    message: short(one.message),
    files: one.files.slice(0, MOST_FILES).map(short),
  });
  let cut: BidsResult = {
    ...result,
    errors: result.errors.map(issue),
    warnings: result.warnings.map(issue),
    failed: result.failed.map((one) => ({ ...one, series: short(one.series), message: short(one.message) })),
    conflicts: result.conflicts.map((one) => ({ ...one, message: short(one.message) })),
    kept: result.kept.map((one) => ({ ...one, path: short(one.path) })),
  };
  for (;;) {
    const text = textOf(cut);
    if (Buffer.byteLength(text) <= bytes) return text;
    // the longest list first: errors are what people need most, so they go last among equals
    const [longest] = LISTS.toReversed().toSorted((a, b) => cut[b].length - cut[a].length);
    if (longest === undefined || cut[longest].length === 0) return text;
    cut = { ...cut, [longest]: cut[longest].slice(0, Math.floor(cut[longest].length / 2)) };
  }
}

/** What a list of files of people takes of an answer at most: the streamer reads no more than 1 MiB of one. */
const MOST_KEPT_BYTES = 256 * 1024;

/** As many as an answer has room for, and how many more there are. */
export function fewKept(kept: readonly string[]): string[] {
  let bytes = 0;
  const from = kept.findIndex(
    (path) => (bytes += Buffer.byteLength(JSON.stringify(path)) + 1) > MOST_KEPT_BYTES,
  );
  return from < 0 ? [...kept] : [...kept.slice(0, from), `… and ${kept.length - from} more`];
}

const MOST_PARTS = 10;

/** Results of the parts of one session as one: the worst, with a word on the others. Undefined where there are none. */
export function joinResults(
  results: readonly BidsResult[],
  removed: readonly BidsRemoved[],
): BidsResult | undefined {
  const [worst, ...others] = results.toSorted((a, b) => badness(b) - badness(a));
  if (worst === undefined) return removed.length === 0 ? undefined : { ...NOTHING, ...leftIn(removed) };
  const also = others.slice(0, MOST_PARTS).map(({ folder, state, verdict, errorCount }) => ({
    ...{ folder, state, errorCount },
    ...(verdict === undefined ? {} : { verdict }),
  }));
  return { ...worst, ...(also.length === 0 ? {} : { also }), ...leftIn(removed) };
}

const badness = ({ verdict, errorCount, counts }: BidsResult): number =>
  (verdict === undefined ? -1 : verdict === 'invalid' ? 1_000_000 : 0) + errorCount * 1_000 + counts.failed;

const leftIn = (removed: readonly BidsRemoved[]): Pick<BidsResult, 'removed'> =>
  removed.length === 0
    ? {}
    : {
        removed: removed.slice(0, MOST_PARTS).map(({ folders, kept }) => ({
          folders: folders.slice(0, MOST_PARTS),
          kept: kept.slice(0, MOST_PARTS).map(short),
        })),
      };

const NOTHING: BidsResult = {
  ...{ state: 'empty', dataset: '', folder: '', errorCount: 0, warningCount: 0, errors: [], warnings: [] },
  counts: { series: 0, converted: 0, failed: 0, left: 0, files: 0, images: 0 },
  ...{ conflicts: [], failed: [], kept: [], versions: {} },
};

/** Undefined for a text that is no such answer. */
export function readRemoved(text: string): BidsRemoved | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const removed = isRecord(value) && value['ok'] === true ? value['removed'] : undefined;
  const isIt =
    isRecord(removed) &&
    typeof removed['dataset'] === 'string' &&
    typeof removed['files'] === 'number' &&
    [removed['folders'], removed['kept']].every(Array.isArray);
  return isIt ? (removed as unknown as BidsRemoved) : undefined;
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
  const { result: told, failure, project } = value;
  const isResult = isRecord(told) && isRecord(told['counts']) && isWhole(told);
  const result = isResult ? (told as unknown as BidsResult) : undefined;
  if (value['ok'] === true && result !== undefined) return { ok: true, result };
  if (value['ok'] !== false || !isRecord(failure)) return undefined;
  const { kind, code, message } = failure;
  if (!isKind(kind) || typeof code !== 'string' || typeof message !== 'string') return undefined;
  return {
    ...{ ok: false, failure: { kind, code, message } },
    ...(typeof project === 'string' && { project }),
    ...(result !== undefined && { result }),
  };
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
