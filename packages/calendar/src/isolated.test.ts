import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { makeCalendar } from '@scanflow/testkit';
import { readIsolated } from './isolated.ts';
import { readCalendar } from './read.ts';

const window = {
  from: Temporal.Instant.from('2026-11-20T00:00:00Z'),
  to: Temporal.Instant.from('2026-11-30T00:00:00Z'),
};
const zone = 'Europe/Amsterdam';
const start = Temporal.ZonedDateTime.from('2026-10-20T09:00[Europe/Amsterdam]');
const bytes = Buffer.from(
  makeCalendar([{ uid: 'a', start, end: start.add({ hours: 1 }), summary: 'x', rrule: 'FREQ=DAILY' }]),
);

test('isolated: gives what the plain reading gives', async () => {
  assert.deepEqual(
    await readIsolated(bytes, { window, zone, timeoutMs: 20_000 }),
    readCalendar(bytes, { window, zone }),
  );
});

test('isolated: what takes too long is a feed error', async () => {
  const read = await readIsolated(bytes, { window, zone, timeoutMs: 1 });
  assert.equal(read.ok ? 'read' : read.error.code, 'FEED_TIMEOUT');
});

test('isolated: what takes too much memory is told apart from a reader that fails', async () => {
  const event = bytes.subarray(bytes.indexOf('BEGIN:VEVENT'), bytes.indexOf('END:VCALENDAR')).toString();
  const events = Array.from({ length: 30_000 }, (_, index) => event.replace('UID:a', `UID:${index}`));
  const large = Buffer.from(`BEGIN:VCALENDAR\r\n${events.join('')}END:VCALENDAR\r\n`);
  const read = await readIsolated(large, { window, zone, timeoutMs: 60_000, maxHeapMiB: 16 });
  assert.equal(read.ok ? 'read' : read.error.code, 'FEED_TOO_MUCH');
  const never = { toString: () => 'never' } as Temporal.Instant;
  const broken = await readIsolated(bytes, { window: { from: never, to: never }, zone, timeoutMs: 60_000 });
  assert.equal(broken.ok ? 'read' : broken.error.code, 'FEED_UNEXPECTED');
});

test('host: the time zone of the machine changes nothing', async () => {
  const text = [
    'BEGIN:VCALENDAR',
    'BEGIN:VEVENT\nUID:floating\nDTSTART:20261025T023000\nDTEND:20261025T033000\nRRULE:FREQ=DAILY\nEND:VEVENT',
    'BEGIN:VEVENT\nUID:day\nDTSTART;VALUE=DATE:20261001\nRRULE:FREQ=WEEKLY;BYDAY=SU\nEND:VEVENT',
    'BEGIN:VEVENT\nUID:zoned\nDTSTART;TZID=W. Europe Standard Time:20261001T000000\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20261128\nEND:VEVENT',
    'BEGIN:VEVENT\nUID:utc\nDTSTART:20261122T233000Z\nEND:VEVENT',
    'END:VCALENDAR',
  ].join('\n');
  const script = `
    import { readCalendar } from ${JSON.stringify(new URL('./read.ts', import.meta.url).href)};
    const window = { from: Temporal.Instant.from('2026-11-20T00:00:00Z'), to: Temporal.Instant.from('2026-11-30T00:00:00Z') };
    const read = readCalendar(Buffer.from(${JSON.stringify(text)}), { window, zone: 'Europe/Amsterdam' });
    process.stdout.write(JSON.stringify(read));`;
  const run = promisify(execFile);
  const outputs = await Promise.all(
    ['UTC', 'Europe/Amsterdam', 'America/New_York', 'Pacific/Chatham'].map(async (TZ) => {
      const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
        env: { ...process.env, TZ },
      });
      return stdout;
    }),
  );
  assert.match(outputs[0] ?? '', /"start":"2026-11-20T01:30:00Z"/);
  assert.equal(new Set(outputs).size, 1);
});
