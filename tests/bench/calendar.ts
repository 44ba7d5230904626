/**
 * `npm run bench:calendar [-- --events N --repeat N]`: reading and interpreting large calendars, against ical.js alone in the same run;
 * memory; and the CPU time of a pass of cal2wl over twenty calendars with nothing new. Prints, asserts nothing.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { flagBookings, interpret, type BookingRules } from '@scanflow/booking';
import { readCalendar } from '@scanflow/calendar';
import { bookingRules, parseConfig } from '@scanflow/config';
import { run } from '@scanflow/testkit';
import { readWithIcalJs } from '../integration/calendar-second.ts';
import { makeFeed } from './calendar-feed.ts';
import { cpuOfPass } from './calendar-pass.ts';

const { values } = parseArgs({
  options: { events: { type: 'string', default: '50000' }, repeat: { type: 'string', default: '3' } },
});
const [events, repeat] = [Number(values.events), Number(values.repeat)];
const MEMORY = fileURLToPath(new URL('./calendar-memory.ts', import.meta.url));
const ZONED = ';TZID=Europe/Amsterdam';
const window = {
  from: Temporal.Instant.from('2026-06-01T00:00:00Z'),
  to: Temporal.Instant.from('2026-06-09T00:00:00Z'),
};
const seconds = { from: window.from.epochMilliseconds / 1000, to: window.to.epochMilliseconds / 1000 };

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function judge(what: string, value: number, limit: number, unit: string, digits = 2): void {
  const verdict = value <= limit ? 'PASS' : 'over';
  say(`${verdict}  ${what}: ${value.toFixed(digits)}${unit} (at most ${limit}${unit})`);
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

function timed(work: () => number): { readonly ms: number; readonly count: number } {
  const began = performance.now();
  const count = work();
  return { ms: performance.now() - began, count };
}

const rules = rulesOf();

/** By the defaults of the configuration, as a facility with one calendar has them. */
function rulesOf(): BookingRules {
  const parsed = parseConfig(
    JSON.stringify({
      facility: { name: '-', timezone: 'Europe/Amsterdam' },
      data: '/data',
      scanners: { mr: { aet: 'MR', modality: 'MR' } },
      calendars: { mr: { file: '-', scanner: 'mr' } },
      orthanc: { url: 'http://127.0.0.1' },
      storage: { root: '/project' },
    }),
    '-',
  );
  if (parsed.ok) return bookingRules(parsed.config, 'mr');
  throw new Error(parsed.issues.map(({ message }) => message).join());
}

/** Read, expanded, and interpreted. */
function ours(bytes: Buffer): number {
  const read = readCalendar(bytes, { window, zone: 'Europe/Amsterdam' });
  if (!read.ok) return NaN;
  const outcomes = flagBookings(read.content.events.map((event) => interpret(event, rules)));
  if (outcomes.some(({ outcome }) => outcome !== 'booking')) throw new Error('not all are bookings');
  return outcomes.length;
}

const theirs = (bytes: Buffer): number => readWithIcalJs(bytes.toString(), seconds).length;

/** Both readers in turns; medians in milliseconds. */
function compare(name: string, bytes: Buffer): { ours: number; theirs: number } {
  const times = { ours: [] as number[], theirs: [] as number[] };
  for (let turn = 0; turn < repeat; turn += 1) {
    const [second, first] = [timed(() => theirs(bytes)), timed(() => ours(bytes))];
    times.theirs.push(second.ms);
    times.ours.push(first.ms);
    if (first.count !== second.count && name !== 'floating')
      say(`      they differ: ${first.count} events in the window, ical.js ${second.count}`);
  }
  const result = { ours: median(times.ours), theirs: median(times.theirs) };
  const size = `${events} events, ${(bytes.length / 1e6).toFixed(1)} MB`;
  say(`${name}, ${size}: ${result.ours.toFixed(0)} ms; ical.js ${result.theirs.toFixed(0)} ms`);
  return result;
}

async function readingTimes(folder: string): Promise<void> {
  const zoned = makeFeed({ events, zone: ZONED });
  const once = compare('zoned', zoned);
  judge('a zoned feed, of the time of ical.js', once.ours / once.theirs, 0.6, '');
  const floating = compare('floating', makeFeed({ events, zone: '' }));
  judge('a floating feed, of the time of ical.js', floating.ours / floating.theirs, 0.6, '');
  const hash = timed(() => createHash('sha256').update(zoned).digest().length);
  judge('a feed that came again unchanged, of the time of ical.js', (100 * hash.ms) / once.theirs, 5, ' %');
  const large = makeFeed({ events: 4 * events, zone: ZONED });
  const turns = Array.from({ length: repeat }, () => [
    timed(() => ours(large)).ms,
    timed(() => ours(zoned)).ms,
  ]);
  const [long, short] = [0, 1].map((index) => median(turns.map((turn) => turn[index] ?? NaN)));
  say(`four times as many: ${long?.toFixed(0) ?? ''} ms; ${short?.toFixed(0) ?? ''} ms`);
  judge('four times as many events, of the time', (long ?? NaN) / (short ?? NaN), 4.6, '');
  const file = join(folder, 'large.ics');
  await writeFile(file, large);
  const { stdout } = await run(process.execPath, [MEMORY, file], { timeoutMs: 300_000 });
  const { megabytes } = JSON.parse(stdout) as { megabytes: number };
  judge(`memory for ${4 * events} events, process and worker`, megabytes, 400, ' MB', 0);
}

const folder = await mkdtemp(join(tmpdir(), 'scanflow-bench-'));
try {
  await readingTimes(folder);
  for (const kind of ['http', 'file'] as const) {
    const { ms, passes } = await cpuOfPass(join(folder, kind), kind);
    judge(`CPU of a pass over 20 ${kind} calendars, nothing new (of ${passes} passes)`, ms, 100, ' ms', 1);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
