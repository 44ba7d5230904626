/** What a check of `scanflow doctor` is, where it looks and what it finds; runs checks side by side, and shows the results. */
import { defined } from '@scanflow/booking/defined';
import type { Config } from '@scanflow/config';
import { messageOf } from '@scanflow/failure';
import { pool } from '@scanflow/runtime/pool';
import { addressOfService } from '../installation.ts';
import { plain, wrapped } from '../terminal.ts';

type State = 'ok' | 'warning' | 'failed' | 'skipped';

export interface Finding {
  readonly state: State;
  /** What the check found. No secret, no attribute of a patient. */
  readonly message: string;
  /** What to do about it. Every failure has it. */
  readonly todo?: string;
  /** As in docs/failures.md, if there is one. */
  readonly code?: string;
}

export interface Check {
  /** What it looks at, such as `destination pacs`. */
  readonly name: string;
  /** Looks. An error that it throws is a failure. The signal aborts when its time is over. */
  readonly run: (signal: AbortSignal) => Promise<Finding | readonly Finding[]>;
}

export interface Result extends Finding {
  readonly check: string;
}

export const ok = (message: string): Finding => ({ state: 'ok', message });
export const warning = (message: string, todo: string, code?: string): Finding => ({
  state: 'warning',
  message,
  todo,
  ...defined({ code }),
});
export const failed = (message: string, todo: string, code?: string): Finding => ({
  state: 'failed',
  message,
  todo,
  ...defined({ code }),
});
export const skipped = (message: string, todo: string): Finding => ({ state: 'skipped', message, todo });

/** A failure of other code as a finding. Its sentences after the first say what to do. */
export function failure({ code, message }: { readonly code: string; readonly message: string }): Finding {
  const end = /[.!?](?=\s)/.exec(message)?.index;
  const todo = end === undefined ? '' : message.slice(end + 1).trim();
  return failed(
    end === undefined ? message : message.slice(0, end + 1),
    todo === '' ? 'Look into the log there.' : todo,
    code,
  );
}

export const SERVICES = ['cal2wl', 'worklist', 'receiver', 'streamer', 'dashboard'] as const;
export type ServiceName = (typeof SERVICES)[number];
/** An installation may do without them. */
export const OPTIONAL: ReadonlySet<ServiceName> = new Set(['receiver', 'dashboard']);

export interface Place {
  readonly config: Config;
  /** The service in whose container this runs; undefined: all services can be reached. */
  readonly service: ServiceName | undefined;
  /** Longest time of one check, in milliseconds. */
  readonly timeoutMs: number;
}

/** Whether the files and pages of this service can be reached from here. */
export const sees = ({ service }: Pick<Place, 'service'>, of: ServiceName): boolean =>
  service === undefined || service === of;

/** The address of a page of a service. */
export const pageOf = ({ config }: Place, service: ServiceName, path: string): string =>
  `${addressOfService(config, service)}${path}`;

/** A check that needs a service that does not answer. `which`: what the service does for the check. */
export const cannotAsk = (service: ServiceName, which = 'which knows them'): Finding =>
  skipped(
    `${service === 'cal2wl' ? service : `the ${service}`}, ${which}, cannot be asked`,
    `See secrets and ${service} above.`,
  );

interface RunOptions {
  /** Longest time for a check, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Checks at the same time. */
const PARALLEL = 8;

/** Runs all checks. Returns the results in the order of the checks. Rejects only when the signal aborts. */
export async function runChecks(checks: readonly Check[], options: RunOptions): Promise<Result[]> {
  const results = await pool(checks, PARALLEL, (check) => runOne(check, options));
  return results.flat();
}

async function runOne({ name, run }: Check, { timeoutMs, signal }: RunOptions): Promise<Result[]> {
  const limit = AbortSignal.timeout(timeoutMs);
  const either = AbortSignal.any([limit, signal]);
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(new Error('ended'));
  either.addEventListener('abort', onAbort);
  try {
    signal.throwIfAborted();
    // goes on without a check that ignores the signal, such as one on a network drive that hangs
    const found = await Promise.race([run(either), ended]);
    return [found].flat().map((finding: Finding) => ({ check: name, ...finding }));
  } catch (error) {
    signal.throwIfAborted();
    const finding = limit.aborted
      ? failed(
          `no answer within ${timeoutMs / 1000} s`,
          'Something hangs there: a network drive, a firewall that drops packets, or a machine under load.',
        )
      : failed(messageOf(error), 'This was not foreseen; please report it.');
    return [{ check: name, ...finding }];
  } finally {
    either.removeEventListener('abort', onAbort);
  }
}

const WORDS: Readonly<Record<State, string>> = {
  ok: 'ok',
  warning: 'warning',
  failed: 'FAILED',
  skipped: 'skipped',
};
const COLOURS: Readonly<Record<State, string>> = { ok: '32', warning: '33', failed: '31;1', skipped: '2' };

interface ShowOptions {
  readonly colours: boolean;
  /** Width of the terminal. */
  readonly columns: number;
}

/** A line for each result, below it what to do, and the total. Pure. */
export function resultsText(results: readonly Result[], { colours, columns }: ShowOptions): string {
  const width = Math.max(...results.map(({ check }) => check.length), 0);
  const word = Math.max(...Object.values(WORDS).map(({ length }) => length));
  const indent = word + width + 4;
  const room = Math.max(40, columns - indent);
  const paint = (state: State, text: string): string =>
    colours ? `\u001b[${COLOURS[state]}m${text}\u001b[0m` : text;
  const lines = results.flatMap(({ check, state, message, todo, code }) => {
    const what = `${plain(message)}${code === undefined ? '' : ` (${code})`}`;
    const said = [...wrapped(what, room), ...(todo === undefined ? [] : wrapped(`→ ${plain(todo)}`, room))];
    const head = `${paint(state, WORDS[state].padEnd(word))}  ${check.padEnd(width)}  `;
    return said.map((text, index) => `${index === 0 ? head : ' '.repeat(indent)}${text}`.trimEnd());
  });
  return `${[...lines, '', sum(results)].join('\n')}\n`;
}

function sum(results: readonly Result[]): string {
  const count = (state: State): number => results.filter((one) => one.state === state).length;
  const parts = (['failed', 'warning', 'ok', 'skipped'] as const)
    .map((state) => [state, count(state)] as const)
    .filter(([, number]) => number > 0)
    .map(([state, number]) => `${number} ${WORDS[state].toLowerCase()}`);
  return `${verdictOf(count)}: ${parts.join(', ')}`;
}

function verdictOf(count: (state: State) => number): string {
  if (count('failed') > 0) return 'Something is wrong';
  if (count('warning') > 0) return 'Nothing failed, but look at the warnings';
  return count('skipped') > 0 ? 'Nothing is wrong with what was checked' : 'Nothing is wrong';
}
