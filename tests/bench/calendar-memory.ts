/** Reads a large calendar as cal2wl does, in a worker, and prints what the whole process needed at most, in MB. */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { readIsolated } from '@scanflow/calendar';

const { positionals } = parseArgs({ allowPositionals: true });
const window = {
  from: Temporal.Instant.from('2026-06-01T00:00:00Z'),
  to: Temporal.Instant.from('2026-06-09T00:00:00Z'),
};
const bytes = await readFile(positionals[0] ?? '');
const read = await readIsolated(bytes, { window, zone: 'Europe/Amsterdam', timeoutMs: 120_000 });
const events = read.ok ? read.content.events.length : read.error.code;
process.stdout.write(JSON.stringify({ events, megabytes: process.resourceUsage().maxRSS / 1000 }));
