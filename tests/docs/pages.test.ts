/** The pages for people: links that lead somewhere, an opening that says who reads on, and the words of the glossary. */
import assert from 'node:assert/strict';
import { glob, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { configurationPage } from '../../scripts/configuration-page.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Made from the code, whose own texts they repeat. */
const GENERATED = ['configuration.md', 'conformance.md', 'states.md', 'failures.md'];
const docs = (await readdir(join(ROOT, 'docs'))).filter((name) => name.endsWith('.md'));
const written = docs.filter((name) => !GENERATED.includes(name)).map((name) => `docs/${name}`);
const decisions = (await readdir(join(ROOT, 'docs/decisions'))).map((name) => `docs/decisions/${name}`);
const FRONT = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'];

/** Each package and service has one: what it is for, where to begin. */
const READMES = (await Array.fromAsync(glob('{packages,services}/*/package.json', { cwd: ROOT }))).map(
  (file) => `${dirname(file)}/README.md`,
);

const read = (page: string): Promise<string> => readFile(join(ROOT, page), 'utf8');
const withoutBlocks = (text: string): string => text.replaceAll(/^```[\s\S]*?^```|^ {4}.*$/gm, '');
const withoutCode = (text: string): string => withoutBlocks(text).replaceAll(/`[^`\n]*`/g, '');

/** Anchors as GitHub makes them of headings. */
const anchorsOf = (text: string): string[] =>
  Array.from(withoutBlocks(text).matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
    heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)|[`*]/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

/** Links of a page that lead to no file, or to no heading of it. */
const brokenLinks = async (page: string): Promise<string[]> => {
  const broken: string[] = [];
  const text = await read(page);
  for (const [, link = ''] of withoutCode(text).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)) {
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? page : join(dirname(page), file);
    const there = await stat(join(ROOT, target)).then(Boolean, () => false);
    const heading = anchor === undefined || (there && anchorsOf(await read(target)).includes(anchor));
    if (!there || !heading) broken.push(`${page}: ${link}`);
  }
  return broken;
};

test('docs: every link between pages leads to a page and a heading', async () => {
  const pages = [...FRONT, ...docs.map((name) => `docs/${name}`), ...decisions, ...READMES];
  assert.deepEqual((await Promise.all(pages.map(brokenLinks))).flat(), []);
});

test('docs: pages and headings that code, configuration and alerts name are there', async () => {
  const wrong: string[] = [];
  let found = 0;
  for await (const file of glob('{packages,services,scripts,config,deploy}/**/*.{ts,tsx,yaml,yml,json}', {
    cwd: ROOT,
    exclude: ['**/node_modules/**'],
  }))
    for (const [, page = '', anchor] of (await read(file)).matchAll(
      /\b(docs\/[\w-]+\.md)(?:#([\p{L}\p{N}_-]+))?/gu,
    )) {
      found += 1;
      const text = await read(page).catch(() => undefined);
      const isThere = text !== undefined && (anchor === undefined || anchorsOf(text).includes(anchor));
      if (!isThere) wrong.push(`${file}: ${page}#${anchor ?? ''}`);
    }
  assert.ok(found > 50, 'no links were found');
  assert.deepEqual(wrong, []);
});

test('docs: each page opens with who it is for', async () => {
  const silent: string[] = [];
  for (const page of written) if (!/^# .+\n\n(?:.+\n)*?For /.test(await read(page))) silent.push(page);
  assert.deepEqual(silent, []);
});

test('docs: the README fits two screens, and every page can be found from it', async () => {
  const text = await read('README.md');
  const prose = text.split('\n').filter((line) => !line.startsWith('|') && !line.startsWith('!['));
  assert.ok(text.split('\n').length <= 100, 'README.md has more than 100 lines');
  assert.deepEqual(
    prose.filter((line) => line.length > 100),
    [],
    'wider than 100 columns',
  );
  const linked = new Set<string>();
  const open = ['README.md'];
  for (let page = open.pop(); page !== undefined; page = open.pop()) {
    if (linked.has(page)) continue;
    linked.add(page);
    for (const [, link = ''] of (await read(page)).matchAll(/\]\((?!https?:)([^)#\s]+\.md)/g))
      open.push(join(dirname(page), link));
  }
  assert.deepEqual(
    docs.map((name) => `docs/${name}`).filter((page) => !linked.has(page)),
    [],
    'no link leads there from README.md',
  );
});

test('docs: docs/configuration.md is what the schema says (npm run generate)', async () => {
  assert.equal(await read('docs/configuration.md'), configurationPage(await read('config/scanflow.yaml')));
});

test('docs: no page uses a word that docs/glossary.md replaces', async () => {
  const glossary = await read('docs/glossary.md');
  const [, table = ''] = glossary.split('## Words that we do not use');
  const words = Array.from(table.matchAll(/^\| ([a-z][a-z ]+?) +\|/gm), ([, word = '']) => word);
  assert.ok(words.length > 5, 'docs/glossary.md lists no words');
  const found: string[] = [];
  // docs/tried.md repeats names of tests
  const plain = written.filter((page) => !['docs/glossary.md', 'docs/tried.md'].includes(page));
  const generated = GENERATED.map((name) => `docs/${name}`);
  for (const page of [...plain, ...generated, ...decisions, 'README.md']) {
    const text = (await read(page)).replaceAll(/\s+/g, ' ');
    for (const word of words)
      if (new RegExp(`\\b${word}\\b`, 'i').test(text)) found.push(`${page}: “${word}”`);
  }
  assert.deepEqual(found, []);
});

test('docs: files and functions that the pages for developers name are there', async () => {
  const wrong: string[] = [];
  for (const page of ['docs/architecture.md', 'docs/how-to-add.md', 'CONTRIBUTING.md', ...decisions]) {
    for (const line of (await read(page)).split('\n')) {
      const files = Array.from(
        line.matchAll(/\b((?:packages|services|tests|scripts)\/[\w./-]+\.ts)\b/g),
        ([, file = '']) => file,
      );
      const texts = await Promise.all(files.map((file) => read(file).catch(() => undefined)));
      wrong.push(...files.filter((_, index) => texts[index] === undefined).map((file) => `${page}: ${file}`));
      // a row of a life: which function stands in which file
      const [, cell = ''] = /^\| \d+ +\|([^|]*)\|/.exec(line) ?? [];
      for (const [, name = ''] of cell.matchAll(/`(\w+)`/g))
        if (!texts.some((text) => new RegExp(`\\b${name}\\b`).test(text ?? '')))
          wrong.push(`${page}: ${name}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('docs: files and folders that the README of a package or service lists are there', async () => {
  const wrong: string[] = [];
  for (const page of READMES)
    for (const line of (await read(page)).split('\n')) {
      const [, cell = ''] = /^\|([^|]*)\|/.exec(line) ?? [];
      for (const [, name = ''] of cell.matchAll(/`((?:[\w-]+\/)*(?:[\w-]+\/|[\w.-]+\.ts))`/g)) {
        const folders = ['', 'src'].map((folder) => join(ROOT, dirname(page), folder, name));
        const there = await Promise.all(folders.map((path) => stat(path).then(Boolean, () => false)));
        if (!there.includes(true)) wrong.push(`${page}: ${name}`);
      }
    }
  assert.deepEqual(wrong, []);
});
