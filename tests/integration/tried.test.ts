/** docs/tried.md: every test that it names is there, under that name. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');
const FIXTURE = /^fixture: (.+)$/;

interface Row {
  readonly report: string;
  readonly file: string;
  readonly name: string;
}

async function rowsOfPage(): Promise<Row[]> {
  const page = await readFile(join(ROOT, 'docs/tried.md'), 'utf8');
  return page
    .split('\n')
    .filter((line) => line.startsWith('| ['))
    .map((line) => {
      const [, report = '', file = '', name = ''] =
        /^\| \[.*?\]\((https:\/\/[^)]+)\) +\|.*\| `([^`]+)`: (.+?) +\|$/.exec(line) ?? [];
      assert.notEqual(name, '', `this row names no report or no test: ${line}`);
      return { report, file, name };
    });
}

/** Tests of fixtures have the name of their file, in a loop over a folder. */
async function isThere({ file, name }: Row): Promise<boolean> {
  const fixture = FIXTURE.exec(name)?.[1];
  if (fixture !== undefined) return existsSync(join(ROOT, 'tests/fixtures/calendar', `${fixture}.ics`));
  const source = await readFile(join(ROOT, file), 'utf8').catch(() => '');
  return ["'", '`', '"'].some((quote) => source.includes(`${quote}${name}${quote}`));
}

test('tried: each row of docs/tried.md names a report, and a test that exists', async () => {
  const rows = await rowsOfPage();
  assert.ok(rows.length >= 60, `${rows.length} rows`);
  const absent: string[] = [];
  for (const row of rows) if (!(await isThere(row))) absent.push(`${row.file}: ${row.name}`);
  assert.deepEqual(absent, []);
});

test('tried: no report stands there twice for the same test', async () => {
  const rows = await rowsOfPage();
  const keys = rows.map(({ report, file, name }) => `${report} ${file} ${name}`);
  assert.deepEqual([...new Set(keys)], keys);
});
