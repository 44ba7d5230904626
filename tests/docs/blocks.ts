/**
 * The code blocks of pages for people, each with the mark that says what a test does with it. The mark is an HTML comment above the block:
 *
 * | `test: …`                               | The block                                                                             |
 * | --------------------------------------- | ------------------------------------------------------------------------------------- |
 * | `run [exit=N] [as=root] [name=N]`       | is run by sh; `name` lets a test prepare something before it                            |
 * | `output [within=60s]`                   | shows lines of the previous command, in order; `…` stands for anything. With `within`, |
 * |                                         | the command runs again until they are there                                             |
 * | `file PATH`, `append PATH`              | becomes this file, or goes to its end                                                   |
 * | `config`                                | is a piece of scanflow.yaml; with the sample around it, `scanflow check` finds it good  |
 * | `merge PATH`                            | likewise; and it is put into this configuration file (or this Compose file, unchecked)  |
 * | `not here: REASON`                      | cannot run in the test                                                                  |
 *
 * `tests/docs/blocks.test.ts` checks marks and configuration, without Docker. `tests/docker/docs.ts` follows the pages.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Pages whose every block has a mark. */
export const PAGES = [
  'install.md',
  'operations.md',
  'hooks.md',
  'storage.md',
  'scale.md',
  'tls.md',
  'commitment.md',
  'swarm.md',
] as const;

export type Page = (typeof PAGES)[number];

export type Mark =
  | {
      readonly does: 'run';
      readonly exit: number;
      readonly asRoot: boolean;
      readonly name: string | undefined;
    }
  | { readonly does: 'output'; readonly withinSeconds: number }
  | { readonly does: 'file' | 'append' | 'merge'; readonly path: string }
  | { readonly does: 'config' }
  | { readonly does: 'not here'; readonly reason: string };

export interface Block {
  readonly page: string;
  readonly line: number;
  readonly code: string;
  readonly mark: Mark;
}

const ROOT = join(import.meta.dirname, '../..');

/** All blocks of a page in order. Throws with every block that has no good mark. */
export async function blocksIn(page: Page): Promise<Block[]> {
  return blocksOf(page, await readFile(join(ROOT, 'docs', page), 'utf8'));
}

/** Likewise, of a page's text. */
export function blocksOf(page: string, text: string): Block[] {
  const blocks: Block[] = [];
  const mistakes: string[] = [];
  let previous: Mark['does'] | undefined;
  for (const { line, code, above } of fencesOf(text)) {
    const mark = markOf(above, previous);
    if (typeof mark === 'string') mistakes.push(`docs/${page}:${line}: ${mark}`);
    else {
      blocks.push({ page, line, code, mark });
      previous = mark.does;
    }
  }
  for (const line of indentedCode(text))
    mistakes.push(`docs/${page}:${line}: indented code takes no mark; use a fence`);
  if (mistakes.length > 0) throw new Error(mistakes.join('\n'));
  return blocks;
}

interface Fence {
  readonly line: number;
  readonly code: string;
  readonly above: string;
}

function fencesOf(text: string): Fence[] {
  return Array.from(
    text.matchAll(/^( *)```(?!.*```).*\n((?:.*\n)*?) *```[ ]*$/gm),
    ({ index, 1: indent = '', 2: body = '' }) => ({
      line: text.slice(0, index).split('\n').length,
      code: body.replaceAll(new RegExp(`^ {1,${Math.max(indent.length, 1)}}`, 'gm'), (space) =>
        indent === '' ? space : '',
      ),
      above: /<!--((?:(?!-->)[^])*)-->\s*$/.exec(text.slice(0, index))?.[1] ?? '',
    }),
  );
}

/** Lines of code that is marked by four spaces only, outside fences, lists and comments. */
function indentedCode(text: string): number[] {
  const plain = text.replaceAll(/^ *```(?!.*```)[^]*?^ *``` *$|<!--[^]*?-->/gm, (block) =>
    block.replaceAll(/[^\n]/g, ''),
  );
  let list = false;
  return plain.split('\n').flatMap((line, index, lines) => {
    if (/^\S/.test(line)) list = /^([-*]|\d+\.) /.test(line);
    return !list && /^ {4}\S/.test(line) && (lines[index - 1] ?? '').trim() === '' ? [index + 1] : [];
  });
}

const FORMS: Readonly<Record<Mark['does'], string>> = {
  run: 'run [exit=N] [as=root] [name=NAME]',
  output: 'output [within=60s]',
  file: 'file PATH',
  append: 'append PATH',
  merge: 'merge PATH',
  config: 'config',
  'not here': 'not here: REASON',
};

/** What a comment says; a text says what is wrong with it. */
function markOf(comment: string, previous: Mark['does'] | undefined): Mark | string {
  const [, said] = /^\s*test:\s*([^]*?)\s*$/.exec(comment) ?? [];
  if (said === undefined) return 'a mark is missing: <!-- test: run -->, or another of tests/docs/blocks.ts';
  const reason = /^not here:?\s*([^]*)$/.exec(said)?.[1];
  if (reason !== undefined)
    return reason.length > 5
      ? { does: 'not here', reason: reason.replaceAll(/\s+/g, ' ') }
      : `a reason is missing: ${FORMS['not here']}`;
  const [word = '', ...rest] = said.split(/\s+/);
  const read = READERS[word]?.(rest);
  if (read === undefined) return `“${said}” is no mark. There are: ${Object.values(FORMS).join('; ')}`;
  return read.does === 'output' && previous !== 'run' && previous !== 'output'
    ? '“output” follows a block that runs'
    : read;
}

const READERS: Readonly<Record<string, (rest: readonly string[]) => Mark | undefined>> = {
  run: (rest) => {
    const found = optionsOf(rest, { exit: /^\d+$/, as: /^root$/, name: /^[\w-]+$/ });
    return (
      found && {
        does: 'run',
        exit: Number(found['exit'] ?? 0),
        asRoot: found['as'] === 'root',
        name: found['name'],
      }
    );
  },
  output: (rest) => {
    const found = optionsOf(rest, { within: /^\d+s$/ });
    return found && { does: 'output', withinSeconds: Number.parseInt(found['within'] ?? '0') };
  },
  config: (rest) => (rest.length === 0 ? { does: 'config' } : undefined),
  file: (rest) => pathOf('file', rest),
  append: (rest) => pathOf('append', rest),
  merge: (rest) => pathOf('merge', rest),
};

const pathOf = (does: 'file' | 'append' | 'merge', [path, ...more]: readonly string[]): Mark | undefined =>
  path === undefined || more.length > 0 ? undefined : { does, path };

/** `key=value` words; undefined where one is unknown. */
function optionsOf(
  words: readonly string[],
  known: Readonly<Record<string, RegExp>>,
): Record<string, string> | undefined {
  const found: Record<string, string> = {};
  for (const word of words) {
    const [key = '', value = ''] = word.split('=');
    if (known[key]?.test(value) !== true) return undefined;
    found[key] = value;
  }
  return found;
}
