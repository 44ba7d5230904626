/** The commands of docs/backup.md, as a person would copy them: tests run them, so that page and product do not drift apart. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const PAGE = join(import.meta.dirname, '../../docs/backup.md');

/** The block of commands that has this text in it. */
export async function commandsWith(text: string): Promise<string> {
  const page = await readFile(PAGE, 'utf8');
  const blocks = [...page.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block = '']) => block);
  const found = blocks.filter((block) => block.includes(text));
  assert.equal(found.length, 1, `docs/backup.md has not one block of commands with ${text}`);
  return found[0] ?? '';
}

/** The one command that has this text in it. */
export async function commandWith(text: string): Promise<string> {
  const lines = (await commandsWith(text)).split('\n').filter((line) => line.includes(text));
  assert.equal(lines.length, 1, `docs/backup.md has not one command with ${text}`);
  return lines[0] ?? '';
}
