/**
 * Every fixture is read by ical.js too. Where it does not give what the fixture expects, docs/calendar-differences.md
 * must list the fixture and say why, and what it lists must differ.
 */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { zones } from './calendar-generate.ts';
import { readWithIcalJs } from './calendar-second.ts';
import { readExpected, type EventOutcome } from './calendar-support.ts';

const FOLDER = fileURLToPath(new URL('../fixtures/calendar/', import.meta.url));
const PAGE = fileURLToPath(new URL('../../docs/calendar-differences.md', import.meta.url));
/** ical.js would expand these for minutes. */
const ENDLESS = ['bad-freq-secondly', 'bad-too-many'];

const plain = ({ uid, recurrenceId = '-', start, end }: EventOutcome): string =>
  [uid, String(recurrenceId), start, end].join(' ');
const seconds = (text: string): number => Temporal.Instant.from(text).epochMilliseconds / 1000;

/** ical.js knows no zone by itself: those that a fixture names only are defined in it. */
function withZones(text: string): string {
  const missing = zones.filter(
    ({ id }) => id.includes('/') && text.includes(id) && !text.includes(`TZID:${id}`),
  );
  const lines = missing.flatMap((zone) => zone.lines);
  return lines.length === 0
    ? text
    : text.replace(/VERSION:2\.0\r?\n/, (line) => `${line}${lines.join('\r\n')}\r\n`);
}

/** Undefined when ical.js gives up on it. */
async function secondOpinion(name: string): Promise<string[] | undefined> {
  const { window } = await readExpected(FOLDER, name);
  const text = withZones(await readFile(join(FOLDER, `${name}.ics`), 'utf8'));
  try {
    const events = readWithIcalJs(text, { from: seconds(window.from), to: seconds(window.to) });
    return events.map(plain).sort();
  } catch {
    return undefined;
  }
}

test('differences: every fixture that ical.js reads differently is listed, and no other', async () => {
  const files = await readdir(FOLDER);
  const names = files.filter((name) => name.endsWith('.ics')).map((name) => name.slice(0, -'.ics'.length));
  const different = new Set(ENDLESS);
  for (const name of names.filter((one) => !ENDLESS.includes(one))) {
    const { events, error } = await readExpected(FOLDER, name);
    const theirs = await secondOpinion(name);
    const ours = error === undefined ? events?.map(plain).sort() : undefined;
    if (JSON.stringify(ours) !== JSON.stringify(theirs)) different.add(name);
  }
  const page = await readFile(PAGE, 'utf8');
  const listed = [...page.matchAll(/`([a-z0-9-]+)`/g)].flatMap(([, name]) => name ?? []);
  assert.deepEqual([...different].sort(), listed.sort());
});
