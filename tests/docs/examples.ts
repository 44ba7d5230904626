/**
 * Examples of TSDoc comments (`@example`), and those of READMEs that claim a value, as programs.
 *
 * A line `expression; // → value` claims what comes out. A fence `ts no-run` needs a peer: it is checked by its types only.
 */
import { glob, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface Example {
  /** File and line. */
  readonly name: string;
  /** Where the program would lie: beside its file, so that it imports like its file. */
  readonly path: string;
  readonly code: string;
  /** How many lines claim a value. */
  readonly claims: number;
  readonly runs: boolean;
}

/** All examples below a root folder, by file. */
export async function examplesIn(root: string): Promise<Example[]> {
  const files = await Array.fromAsync(
    glob('{packages,services,demo}/**/{*.ts,README.md}', { cwd: root, exclude }),
  );
  const found = await Promise.all(
    files.sort().map(async (file) => examplesOf(file, await readFile(join(root, file), 'utf8'), root)),
  );
  return found.flat();
}

const exclude = (path: string): boolean => path === 'node_modules' || path.endsWith('.test.ts');

/** The examples of one file's text. */
export function examplesOf(file: string, text: string, root = '/'): Example[] {
  const blocks = file.endsWith('.md')
    ? fencesOf(text).filter(({ code }) => CLAIM.test(code))
    : commentsOf(text);
  return blocks.map(({ code, line, run }) => {
    const { program, claims } = programOf(code);
    return {
      name: `${file}:${line}`,
      path: join(root, dirname(file), `example-at-line-${line}-of-${file.replaceAll('/', '-')}.ts`),
      code: program,
      claims,
      runs: run,
    };
  });
}

interface Block {
  readonly code: string;
  readonly line: number;
  readonly run: boolean;
}

const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length;

const fencesOf = (text: string): Block[] =>
  Array.from(text.matchAll(/^```ts( no-run)?\n([\s\S]*?)^```/gm), (match) => ({
    code: match[2] ?? '',
    line: lineAt(text, match.index),
    run: match[1] === undefined,
  }));

/** What follows `@example` in a comment, up to the next tag or its end; without a fence, all of it is code. */
function commentsOf(text: string): Block[] {
  return Array.from(text.matchAll(/^ *\/\*\*[\s\S]*?\*\//gm)).flatMap((comment) => {
    const body = comment[0].replace(/ *\*\/$/, '').replaceAll(/^ *\*( |$)/gm, '');
    return Array.from(body.matchAll(/^@example.*\n([\s\S]*?)(?=^@|$(?![\s\S]))/gm)).flatMap((example) => {
      const line = lineAt(text, comment.index) + lineAt(body, example.index) - 1;
      const written = example[1] ?? '';
      const fences = fencesOf(written).map((fence) => ({ ...fence, line: line + fence.line }));
      return fences.length > 0 ? fences : [{ code: written, line, run: true }];
    });
  });
}

const CLAIM = /^( *)(.+?);? +\/\/ → (.+)$/m;

/** Each claim becomes a comparison. */
function programOf(code: string): { program: string; claims: number } {
  let claims = 0;
  const lines = code.split('\n').map((line) => {
    const [, space = '', expression = '', value = ''] = CLAIM.exec(line) ?? [];
    if (expression === '') return line;
    claims++;
    return `${space}claimed.deepEqual(${expression}, ${value});`;
  });
  const head = claims === 0 ? '' : "import claimed from 'node:assert/strict';\n";
  return { program: `${head}${lines.join('\n')}\nexport {};\n`, claims };
}
