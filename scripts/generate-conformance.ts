/**
 * Writes docs/conformance.md: the template with the tables of the code in it.
 * `--check` writes nothing and exits 1 where the file is not what it would be.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { parts } from './conformance/tables.ts';

const at = (path: string): URL => new URL(path, import.meta.url);
const PAGE = at('../docs/conformance.md');
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });

const template = await readFile(at('conformance/template.md'), 'utf8');
const unused = new Set(Object.keys(parts));
const page = template.replaceAll(/\{\{(\w+)\}\}/g, (marker, name: string) => {
  const part = parts[name];
  if (part === undefined) throw new Error(`the template names ${marker}, which nobody makes`);
  unused.delete(name);
  return part();
});
if (unused.size > 0) throw new Error(`the template leaves out: ${[...unused].join(', ')}`);

if (!values.check) await writeFile(PAGE, page);
else if ((await readFile(PAGE, 'utf8').catch(() => undefined)) !== page) {
  console.error('docs/conformance.md is not what the code says: node scripts/generate-conformance.ts');
  process.exitCode = 1;
}
