/** The examples of comments and READMEs: they compile, and what they claim is what comes out. */
import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { examplesIn, examplesOf, type Example } from './examples.ts';

const ROOT = join(import.meta.dirname, '../..');
const examples = await examplesIn(ROOT);
const wrong = (text: string): Example => {
  const [only] = examplesOf('packages/booking/src/made-up.ts', text, ROOT);
  assert.ok(only);
  return only;
};

const programs = new Map<string, string>();
const put = ({ path, code }: Example): string => {
  const url = pathToFileURL(path).href;
  programs.set(url, code);
  return url;
};
const run = async (example: Example): Promise<unknown> => import(put(example));

before(() => {
  registerHooks({
    resolve: (name, context, next) =>
      programs.has(name) ? { url: name, shortCircuit: true } : next(name, context),
    load: (url, context, next) => {
      const source = programs.get(url);
      return source === undefined
        ? next(url, context)
        : { format: 'module-typescript', source, shortCircuit: true };
    },
  });
});

/** Mistakes of types, each with its example and line. */
function mistakesIn(programsToCheck: readonly Example[]): string[] {
  const read = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(
    { ...(read.config as object), include: [] },
    ts.sys,
    ROOT,
  );
  const host = ts.createCompilerHost(options);
  const own = new Map(programsToCheck.map((example) => [example.path, example]));
  host.fileExists = (path) => own.has(path) || ts.sys.fileExists(path);
  host.readFile = (path) => own.get(path)?.code ?? ts.sys.readFile(path);
  const program = ts.createProgram([...own.keys()], options, host);
  return programsToCheck.flatMap(({ name, path }) => {
    const source = program.getSourceFile(path);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.map(({ messageText }) => `${name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
  });
}

test('examples: they compile as they stand, with their own imports', () => {
  assert.ok(examples.length > 0, 'no example was found');
  assert.deepEqual(mistakesIn(examples), []);
});

test('examples: each of a comment claims a value, or says no-run', () => {
  const silent = examples.filter(({ runs, claims }) => runs && claims === 0);
  assert.deepEqual(
    silent.map(({ name }) => name),
    [],
    'write expression; // → value',
  );
});

for (const example of examples.filter(({ runs }) => runs))
  test(`examples: ${example.name}`, async () => {
    await run(example);
  });

test('examples: one that claims the wrong value fails', async () => {
  await assert.rejects(run(wrong('/**\n * @example\n * ```ts\n * 1 + 1; // → 3\n * ```\n */')), /Expected/);
  await run(wrong('/**\n * @example\n * [1 + 1]; // → [2]\n * @returns x\n */'));
});

test('examples: one whose types are wrong, or that imports nothing, is named with its line', () => {
  const text =
    '/** A sum.\n *\n * @example\n * ```ts no-run\n * const a: string = 1;\n * missing();\n * ```\n */';
  const found = mistakesIn([wrong(text)]);
  assert.equal(found.length, 2);
  assert.match(String(found[0]), /^packages\/booking\/src\/made-up\.ts:4: Type 'number'/);
});
