/** Checks in the command: pages of services, and the results as text. */
import {
  skipped,
  type Finding,
  type Place,
  type Result,
  type ServiceName,
  type State,
} from '@scanflow/transfer/doctor/check';
import { addressOfService } from '../installation.ts';
import { plain, wrapped } from '../terminal.ts';

/** The address of a page of a service. */
export const pageOf = ({ config }: Place, service: ServiceName, path: string): string =>
  `${addressOfService(config, service)}${path}`;

/** A check that needs a service that does not answer. `which`: what the service does for the check. */
export const cannotAsk = (service: ServiceName, which = 'which knows them'): Finding =>
  skipped(
    `${service === 'cal2wl' ? service : `the ${service}`}, ${which}, cannot be asked`,
    `See secrets and ${service} above.`,
  );

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
    // the verdict has them already
    .filter(([state, number]) => number > 0 && (state !== 'warning' || count('failed') > 0))
    .map(
      ([state, number]) =>
        `${number} ${WORDS[state].toLowerCase()}${state === 'warning' && number > 1 ? 's' : ''}`,
    );
  return [verdictOf(count), parts.join(', ')].filter((text) => text !== '').join(': ');
}

function verdictOf(count: (state: State) => number): string {
  if (count('failed') > 0) return 'Something is wrong';
  const warnings = count('warning');
  if (warnings > 0) return `Works, with ${warnings === 1 ? '1 warning' : `${warnings} warnings`}`;
  return count('skipped') > 0 ? 'Nothing is wrong with what was checked' : 'Nothing is wrong';
}
