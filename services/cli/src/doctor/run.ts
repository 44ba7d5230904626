/** Runs checks side by side, none longer than its time, and shows what they found. */
import { messageOf } from '@scanflow/failure';
import { pool } from '@scanflow/runtime/pool';
import { plain, wrapped } from '../terminal.ts';
import { failed, type Check, type Finding, type Result, type State } from './check.ts';

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
  const verdict = count('failed') > 0 ? 'Something is wrong' : 'Nothing is wrong';
  return `${verdict}: ${parts.join(', ')}`;
}
