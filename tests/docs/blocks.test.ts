/** The code blocks of the pages that tests/docker follows: each has a mark, and each piece of configuration is good. */
import assert from 'node:assert/strict';
import { glob, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatIssue, loadConfig } from '@scanflow/config';
import { attributeVrs } from '@scanflow/dicom';
import { parse } from 'yaml';
import { blocksIn, blocksOf, PAGES } from './blocks.ts';
import { mergeYaml } from './merge.ts';

const ROOT = join(import.meta.dirname, '../..');
const fence = (mark: string, code = 'true', language = 'sh'): string =>
  `${mark}\n\n\`\`\`${language}\n${code}\n\`\`\`\n`;

for (const page of PAGES) {
  test(`docs: every block of ${page} has a mark`, async () => {
    assert.ok((await blocksIn(page)).length > 0);
  });

  test(`docs: scanflow check finds each piece of configuration in ${page} good`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'scanflow-docs-'));
    t.after(() => rm(folder, { recursive: true }));
    const sample = await readFile(join(ROOT, 'config/scanflow.yaml'), 'utf8');
    const pieces = (await blocksIn(page)).filter(
      ({ mark }) =>
        mark.does === 'config' || (mark.does === 'merge' && /scanflow(?:\.\w+)?\.yaml$/.test(mark.path)),
    );
    for (const { line, code } of pieces) {
      const file = join(folder, `${page}-${line}.yaml`);
      await writeFile(file, mergeYaml(sample, code));
      const loaded = await loadConfig(file, attributeVrs());
      assert.deepEqual(loaded.ok ? [] : loaded.issues.map(formatIssue), [], `docs/${page}:${line}`);
    }
  });
}

test('docs: a test of the compose stack follows each page', async () => {
  const files = await Array.fromAsync(glob('tests/docker/**/docs-*.test.ts', { cwd: ROOT }));
  const texts = (await Promise.all(files.map((file) => readFile(join(ROOT, file), 'utf8')))).join('\n');
  assert.deepEqual(
    PAGES.filter((page) => !texts.includes(`'${page}'`)),
    [],
  );
});

test('docs: the image below an own one has the version of this Scanflow', async () => {
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const text = await readFile(join(ROOT, 'docs/hooks.md'), 'utf8');
  assert.deepEqual(text.match(/^FROM .*$/gm), [`FROM scanflow-streamer:${version}`]);
});

test('blocks: a block has the mark above it, also in a list', () => {
  const text = `# A page\n\n${fence('<!-- test: run exit=1 name=first -->', 'false')}\n1. A list\n\n   <!-- test: append .env -->\n   \`\`\`yaml\n   a:\n     b: 1\n   \`\`\`\n`;
  const [first, second] = blocksOf('x.md', text);
  assert.deepEqual(first, {
    page: 'x.md',
    line: 5,
    code: 'false\n',
    mark: { does: 'run', exit: 1, asRoot: false, name: 'first' },
  });
  assert.deepEqual(second!.mark, { does: 'append', path: '.env' });
  assert.equal(second!.code, 'a:\n  b: 1\n');
});

test('blocks: no mark, an unknown one, one of another block and an empty reason are mistakes with their lines', () => {
  const refuses = (text: string, words: RegExp): void => {
    assert.throws(() => blocksOf('x.md', text), words);
  };
  refuses(fence(''), /docs\/x\.md:3: a mark is missing/);
  refuses(fence('<!-- a remark -->'), /a mark is missing/);
  refuses(fence('<!-- test: run -->\n\nSome words.'), /a mark is missing/);
  refuses(fence('<!-- test: jump -->'), /“jump” is no mark/);
  refuses(fence('<!-- test: run exit=x -->'), /no mark/);
  refuses(fence('<!-- test: run sudo=yes -->'), /no mark/);
  refuses(fence('<!-- test: file -->'), /no mark/);
  refuses(fence('<!-- test: not here -->'), /a reason is missing/);
  refuses(fence('<!-- test: not here: -->'), /a reason is missing/);
  refuses(fence('<!-- test: output -->', 'x', 'text'), /follows a block that runs/);
  refuses('# Page\n\n    docker compose up\n', /docs\/x\.md:3: indented code/);
  refuses(`${fence('')}\n${fence('<!-- test: jump -->')}`, /x\.md:3: [^]*x\.md:9: /);
});

test('blocks: a reason may take several lines', () => {
  const [block] = blocksOf('x.md', fence('<!-- test: not here: needs\n  a second machine -->'));
  assert.deepEqual(block!.mark, { does: 'not here', reason: 'needs a second machine' });
});

test('merge: a piece of configuration goes into the file around it, key by key', () => {
  const merged = mergeYaml('a: { b: 1, c: [1, 2] }\nd: x\n', 'a: { c: [3] }\ne: { f: 2 }\n');
  assert.deepEqual(parse(merged), {
    a: { b: 1, c: [3] },
    d: 'x',
    e: { f: 2 },
  });
});
