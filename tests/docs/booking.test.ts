/** The titles of the pages about booking: Scanflow reads the good ones as the page says, and answers the bad ones word for word. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { interpret, type BookableEvent, type Outcome } from '@scanflow/booking';
import { bookingRules, formatIssue, loadConfig } from '@scanflow/config';
import { event } from '@scanflow/testkit/events';
import { mergeYaml } from './merge.ts';

const ROOT = join(import.meta.dirname, '../..');
const loaded = await loadConfig(join(ROOT, 'config/scanflow.yaml'));
assert.ok(loaded.ok);
const rules = bookingRules(loaded.config, 'prisma');
const judge = (more: Partial<BookableEvent>): Outcome => interpret(event(more), rules);
const read = (page: string): Promise<string> => readFile(join(ROOT, 'docs', page), 'utf8');

/** Rows of all tables that have a column Title, by the heads of their columns; code without its quotes. */
function titlesIn(text: string): Map<string, string>[] {
  const cells = (line: string): string[] =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim().replace(/^`(.*)`$/, '$1'));
  const tables = text.match(/(?:^\|.*\|\n)+/gm) ?? [];
  return tables.flatMap((table) => {
    const [head = [], , ...rows] = table.trimEnd().split('\n').map(cells);
    if (head[0] !== 'Title') return [];
    return rows.map((row) => new Map(head.map((name, column) => [name, row[column] ?? ''])));
  });
}

const isGood = (row: Map<string, string>): boolean => row.has('Session');
const labelsOf = (outcome: Outcome): unknown =>
  outcome.outcome === 'booking' ? outcome.booking.labels : outcome;

for (const page of ['booking.md', 'booking-reference.md']) {
  const text = await read(page);
  const titles = titlesIn(text);

  test(`docs/${page}: Scanflow reads each good title as the page says`, () => {
    const good = titles.filter(isGood);
    assert.ok(good.length >= 5, 'the page has no table of good titles');
    for (const row of good) {
      const [summary = '', project = '', subject = '', session = ''] = row.values();
      const outcome = judge({ summary });
      assert.deepEqual(labelsOf(outcome), { project, subject, session }, summary);
      assert.equal(outcome.code, 'BOOKING', summary);
    }
  });

  test(`docs/${page}: Scanflow answers each bad title as the page says, and takes the correction`, () => {
    const bad = titles.filter((row) => !isGood(row));
    assert.ok(bad.length >= 5, 'the page has no table of bad titles');
    for (const row of bad) {
      const summary = row.get('Title') ?? '';
      const { outcome, code, reason } = judge({ summary });
      assert.equal(outcome, 'rejected', summary);
      assert.equal(reason, row.get('Scanflow answers'), summary);
      assert.equal(code, row.get('Code') ?? code, summary);
      const instead = row.get('Write instead');
      if (instead !== undefined) assert.equal(judge({ summary: instead }).code, 'BOOKING', instead);
    }
  });

  test(`docs/${page}: Scanflow takes each example outside the tables`, () => {
    const blocks = Array.from(text.matchAll(/(?:^ {4}.*\n)+/gm), ([block]) =>
      block.replaceAll(/^ {4}/gm, ''),
    );
    const examples = blocks.filter((block) => /^(?:Project:|\d{7}\.\d{2} )/.test(block));
    assert.equal(examples.length, 2, 'a title and three lines');
    for (const block of examples) {
      const isTitle = !block.startsWith('Project:');
      const { code } = judge(isTitle ? { summary: block.trim() } : { summary: 'x', description: block });
      assert.equal(code, 'BOOKING', block);
    }
    for (const [, summary = ''] of text.matchAll(/like `(\d{7}\.\d{2} [^`]+)`/g))
      assert.equal(judge({ summary }).code, 'BOOKING', summary);
  });
}

test('docs/booking-reference.md: each piece of configuration is good', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-docs-'));
  t.after(() => rm(folder, { recursive: true }));
  const pieces = (await read('booking-reference.md')).matchAll(/^```yaml\n([\s\S]*?)^```/gm);
  // without the sample's own calendar, which one piece renames
  const parts = ['calendars: none', 'calendars: {}', 'scanners: { skyra: { aet: SKYRA, modality: MR } }'];
  const sample = parts.reduce(mergeYaml, await readFile(join(ROOT, 'config/scanflow.yaml'), 'utf8'));
  let count = 0;
  for (const [, piece = ''] of pieces) {
    count += 1;
    const file = join(folder, `${count}.yaml`);
    await writeFile(file, mergeYaml(sample, piece));
    const result = await loadConfig(file);
    assert.deepEqual(result.ok ? [] : result.issues.map(formatIssue), [], piece);
  }
  assert.ok(count >= 4, 'the page has no pieces of configuration');
});

test('docs/booking.md: five good titles and five bad ones', async () => {
  const titles = titlesIn(await read('booking.md'));
  assert.deepEqual([titles.filter(isGood).length, titles.length], [5, 10]);
});

test('docs/booking.md: the colours of its week are those that Scanflow gives', async () => {
  const COLOURS = { booking: 'good', rejected: 'bad', skipped: 'skip' };
  const picture = await read('pictures/booking-week.svg');
  const shown = Array.from(picture.matchAll(/<text class="(good|bad|skip)"[^>]*>([^<]+)</g));
  assert.ok(shown.length > 10, 'the picture has no titles');
  for (const [, colour, summary = ''] of shown)
    assert.equal(COLOURS[judge({ summary }).outcome], colour, summary);
});
