/**
 * `npm run bench:board [-- --viewers N --rounds N]`: the day board on real services, with 10,000 series in the ledger and 200
 * bookings today. While 100 people have the day open and something changes every two seconds, it measures each page's HTML, the
 * memory and processor time of the service, and the bytes of JavaScript on the day page. Says which figures are over their
 * bounds, and fails for none.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { apiFetch, freePort, makeCalendar, startOrthanc } from '@scanflow/testkit';
import { demoConfig, slotsAround } from '../../demo/src/config.ts';
import { startService, type RunningService } from '../../demo/src/local.ts';
import { fillLedger, type Booked } from './board-ledger.ts';
import { listenTo, signIn } from './board-viewer.ts';
import { usageOf } from './usage.ts';

const { values } = parseArgs({
  options: { viewers: { type: 'string', default: '100' }, rounds: { type: 'string', default: '40' } },
});
const [viewers, rounds] = [Number(values.viewers), Number(values.rounds)];
if (![viewers, rounds].every((one) => Number.isInteger(one) && one > 0))
  throw new Error('--viewers and --rounds take whole numbers from 1');

const SERIES = 10_000;
const SCANNERS = ['prisma', 'skyra', 'vida', 'terra'] as const;
const BOOKINGS = 200;
const ZONE = 'Europe/Amsterdam';
const signal = AbortSignal.timeout(1_800_000);
const say = (text: string): void => {
  console.log(text);
};
const quantile = (list: readonly number[], part: number): number =>
  list.toSorted((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * part))] ?? NaN;
const verdict = (value: number, bound: number): string => (value <= bound ? 'PASS' : 'over');

/** Fifty bookings of each scanner, one after the other, some before now and some after. */
async function writeCalendars(folder: string): Promise<void> {
  await mkdir(join(folder, 'calendars'), { recursive: true });
  const slots = slotsAround(Temporal.Now.zonedDateTimeISO(ZONE), BOOKINGS / SCANNERS.length);
  for (const [number, scanner] of SCANNERS.entries()) {
    const events = slots.map((slot, index) => ({
      ...slot,
      uid: `${scanner}-${index}@bench.scanflow`,
      summary: `301000${number}.01 sub-${String(index + 1).padStart(3, '0')} ses-mri01`,
    }));
    await writeFile(join(folder, 'calendars', `${scanner}.ics`), makeCalendar(events));
  }
}

const folder = await mkdtemp(join(tmpdir(), 'scanflow-bench-board-'));
const endings: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
try {
  await writeCalendars(folder);
  const orthanc = await startOrthanc({ folder: join(folder, 'orthanc') });
  endings.push(() => orthanc.stop());
  const names = [
    'worklist',
    'cal2wl',
    'worklistHttp',
    'streamer',
    'receiver',
    'receiverHttp',
    'board',
    'dashboard',
  ] as const;
  const ports = {} as Record<(typeof names)[number], number>;
  for (const name of names) ports[name] = await freePort();
  const { file } = await demoConfig({
    folder,
    timezone: ZONE,
    scanners: SCANNERS.map((name) => ({ name, aet: name.toUpperCase(), modality: 'MR' })),
    ports,
    orthanc,
    pacs: { aet: 'PACS', port: await freePort() },
  });
  const start = async (name: string, port: number): Promise<RunningService> => {
    const service = await startService({ name, config: file, port, folder: join(folder, 'log'), signal });
    endings.push(() => service.stop());
    return service;
  };
  await start('cal2wl', ports.cal2wl);
  await start('worklist', ports.worklistHttp);
  const data = join(folder, 'data');
  const at = (port: number): string => `http://127.0.0.1:${port}`;
  const { bookings } = (await (await apiFetch(data, `${at(ports.cal2wl)}/api/bookings`)).json()) as {
    bookings: Booked[];
  };
  if (bookings.length !== BOOKINGS) throw new Error(`cal2wl has ${bookings.length} bookings`);
  // it makes the tables
  await (await start('streamer', ports.streamer)).stop();
  fillLedger(join(data, 'streamer', 'ledger.sqlite'), SERIES, bookings);
  // what the ledger has been told of is stored somewhere
  await mkdir(join(folder, 'project', '3010000.01'), { recursive: true });
  await start('streamer', ports.streamer);
  const board = await start('dashboard', ports.dashboard);
  const invited = await apiFetch(data, `${at(ports.dashboard)}/api/users`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'admin', role: 'it' }),
  });
  const { link } = (await invited.json()) as { link: string };
  // two series of today could not be sent; they cannot be sent the next time either
  const retry = (): Promise<unknown> =>
    apiFetch(data, `${at(ports.streamer)}/api/series/99-0/retry`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
  await measure(board, at(ports.board), {
    cookie: await signIn(link),
    accession: bookings[0]?.accessionNumber ?? '',
    retry,
  });
} finally {
  for (const end of endings.reverse()) await end();
}

interface Measured {
  readonly cookie: string;
  /** Of a session. */
  readonly accession: string;
  /** Makes something happen. */
  readonly retry: () => Promise<unknown>;
}

async function measure(
  { pid }: RunningService,
  url: string,
  { cookie, accession, retry }: Measured,
): Promise<void> {
  const load = loadavg().map((one) => one.toFixed(1));
  say(
    `${availableParallelism()} processors, load ${load.join(' ')}; ${SERIES} series, ${BOOKINGS} bookings, ${viewers} people`,
  );
  const get = async (path: string): Promise<string> => {
    const answer = await fetch(`${url}${path}`, { headers: { cookie }, redirect: 'error', signal });
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}`);
    return answer.text();
  };
  const reloads: number[] = [];
  const timed = async (path: string, times: number[]): Promise<string> => {
    const began = performance.now();
    const text = await get(path);
    times.push(performance.now() - began);
    return text;
  };
  const day = await get('/');
  say(`the day: ${(day.length / 1000).toFixed(0)} kB of HTML, ${day.split('class="row ').length - 1} rows`);
  const people = await Promise.all(
    Array.from({ length: viewers }, () => listenTo(url, cookie, () => timed('/', reloads), signal)),
  );
  const before = await usageOf(pid);
  const began = performance.now();
  const changing = setInterval(() => void retry(), 2_000);
  const yesterday = Temporal.Now.plainDateISO(ZONE).subtract({ days: 1 }).toString();
  const pages = [
    '/',
    `/day/${yesterday}`,
    `/session/${accession}`,
    '/series',
    '/series?state=failed&target=pacs',
    '/bookings',
    '/health',
  ];
  for (const path of pages) {
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) await timed(path, times);
    const p95 = quantile(times, 0.95);
    say(
      `  ${path.replace(accession, 'NUMBER').padEnd(34)} median ${quantile(times, 0.5).toFixed(0)} ms, p95 ${p95.toFixed(0)} ms (bound 200) ${verdict(p95, 200)}`,
    );
  }
  clearInterval(changing);
  const seconds = (performance.now() - began) / 1000;
  const p95 = quantile(reloads, 0.95);
  say(
    `  ${`${reloads.length} reloads of the ${viewers} people`.padEnd(34)} median ${quantile(reloads, 0.5).toFixed(0)} ms, p95 ${p95.toFixed(0)} ms (all at the same moment)`,
  );
  const after = await usageOf(pid);
  say(`  processor time ${(after.cpu - before.cpu).toFixed(1)} s in ${seconds.toFixed(0)} s`);
  say(
    `  memory ${after.now.toFixed(0)} MB, at its highest ${after.peak.toFixed(0)} MB (bound 200) ${verdict(after.peak, 200)}`,
  );
  const scripts = await Promise.all(['/assets/board.js', '/assets/idiomorph.js'].map(get));
  const bytes = scripts.reduce((sum, one) => sum + Buffer.byteLength(one), 0);
  say(`  JavaScript on the day page ${bytes} bytes (bound 60000) ${verdict(bytes, 60_000)}`);
  await Promise.all(people.map((leave) => leave()));
}
