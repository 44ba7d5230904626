/** Results as text for a person. Pure. */
import { plain } from '../terminal.ts';
import type { Result, State } from './finding.ts';

const WORDS: Readonly<Record<State, string>> = {
  ok: 'ok',
  warning: 'warning',
  failed: 'FAILED',
  skipped: 'skipped',
};
const COLOURS: Readonly<Record<State, string>> = { ok: '32', warning: '33', failed: '31;1', skipped: '2' };

export interface ShowOptions {
  readonly colours: boolean;
  /** Of the terminal. */
  readonly columns: number;
}

/** A line for each, what to do below it, and the sum. */
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

function wrapped(text: string, room: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line];
}
