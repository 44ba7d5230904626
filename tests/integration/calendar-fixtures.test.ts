/**
 * Pairs of tests/fixtures/calendar, one test each: `x.ics` must become `x.bookings.json`, whatever the time zone of the
 * machine is. Expectations come from RFC 5545 or were worked out by hand, never from our own output.
 */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '@scanflow/testkit';
import { byStart, readExpected, type Outcome } from './calendar-support.ts';

const FOLDER = fileURLToPath(new URL('../fixtures/calendar/', import.meta.url));
const READER = fileURLToPath(new URL('./calendar-reader.ts', import.meta.url));
const HOST_ZONES = ['UTC', 'Europe/Amsterdam', 'America/New_York', 'Pacific/Chatham'];

const files = await readdir(FOLDER);
const names = files.filter((name) => name.endsWith('.ics')).map((name) => name.slice(0, -'.ics'.length));
const outcomes = new Map<string, Record<string, Outcome>>();
for (const zone of HOST_ZONES) outcomes.set(zone, await readAll(zone));

/** All fixtures, read by a machine in this zone. */
async function readAll(zone: string): Promise<Record<string, Outcome>> {
  const { code, stdout, stderr } = await run(process.execPath, [READER, FOLDER], {
    env: { TZ: zone },
    timeoutMs: 120_000,
  });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Record<string, Outcome>;
}

test('fixtures: there are at least 120, each in a pair', () => {
  assert.ok(names.length >= 120, String(names.length));
  const pairs = names.flatMap((name) => [`${name}.ics`, `${name}.bookings.json`]);
  assert.deepEqual(
    files.filter((name) => !name.startsWith('.')),
    pairs.sort(),
  );
});

for (const name of names)
  test(`fixture: ${name}`, async () => {
    const { events, problems, error, note } = await readExpected(FOLDER, name);
    const expected = error === undefined ? { events: events?.toSorted(byStart), problems } : { error };
    for (const [zone, all] of outcomes) assert.deepEqual(all[name], expected, `${note} (TZ=${zone})`);
  });
