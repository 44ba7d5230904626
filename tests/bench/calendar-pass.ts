/** A cal2wl over twenty calendars that do not change, and what a pass of it costs. */
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { freePort, makeCalendar, startProgram } from '@scanflow/testkit';

const CALENDARS = 20;
const BOOKINGS = 40;
const PASSES = 60;
const EVERY_MS = 250;
/** Kernel ticks a second in /proc. */
const TICKS = 100;

interface PassCost {
  /** CPU time of a pass in milliseconds, user and system. */
  readonly ms: number;
  readonly passes: number;
}

/** Starts cal2wl, lets it publish, and then measures some dozens of passes. */
export async function cpuOfPass(folder: string, kind: 'http' | 'file'): Promise<PassCost> {
  await mkdir(folder, { recursive: true });
  const server = await serve();
  const port = await freePort();
  const config = join(folder, 'scanflow.yaml');
  await writeFile(config, await configuration(folder, kind, server.port, port));
  const program = await startProgram(process.execPath, ['services/cal2wl/src/main.ts', '--config', config]);
  try {
    const passes = (): Promise<number> => passesOf(port);
    const wait = async (count: number): Promise<void> => {
      // asked seldom: an answer costs CPU time too
      for (let tries = 0; tries < 60 && (await passes()) < count; tries += 1) await setTimeout(2000);
      if ((await passes()) < count) throw new Error(`no ${count} passes: ${program.output()}`);
    };
    // the first ones publish, and are compiled while they run
    await wait(20);
    const { pid } = program;
    const [before, first] = [await cpuMs(pid), await passes()];
    await wait(first + PASSES);
    const [after, last] = [await cpuMs(pid), await passes()];
    return { ms: (after - before) / (last - first), passes: last - first };
  } finally {
    await program.stop();
    server.server.closeAllConnections();
    server.server.close();
  }
}

/** Bookings of the coming week, each in a slot of its own. */
function calendarText(index: number): string {
  const start = Temporal.Now.zonedDateTimeISO('Europe/Amsterdam').round({
    smallestUnit: 'hour',
    roundingMode: 'ceil',
  });
  const entries = Array.from({ length: BOOKINGS }, (_, place) => ({
    uid: `${index}-${place}`,
    start: start.add({ hours: 3 * place + 1 }),
    end: start.add({ hours: 3 * place + 2 }),
    summary: `3011${String(index).padStart(3, '0')}.01 sub-${String(place).padStart(3, '0')} ses-1`,
  }));
  return makeCalendar(entries);
}

async function serve(): Promise<{ server: Server; port: number }> {
  const bodies = Array.from({ length: CALENDARS }, (_, index) => calendarText(index));
  const server = createServer((request, response) => {
    const index = Number(request.url?.slice(1));
    const etag = `"${index}"`;
    if (request.headers['if-none-match'] === etag) response.writeHead(304).end();
    else response.writeHead(200, { 'content-type': 'text/calendar', etag }).end(bodies[index]);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return { server, port: address.port };
}

async function configuration(
  folder: string,
  kind: 'http' | 'file',
  calendars: number,
  port: number,
): Promise<string> {
  const lines = [
    'facility: { name: Bench, timezone: Europe/Amsterdam }',
    `data: ${join(folder, 'data')}`,
    'scanners:',
  ];
  const places: string[] = [];
  for (let index = 0; index < CALENDARS; index += 1) {
    lines.push(
      `  mr${index}: { aet: MR${index}, modality: MR, location: MR${index}, characterSet: ISO_IR 100 }`,
    );
    const file = join(folder, `${index}.ics`);
    if (kind === 'file') await writeFile(file, calendarText(index));
    const place = kind === 'file' ? `file: ${file}` : `url: 'http://127.0.0.1:${calendars}/${index}'`;
    places.push(`  mr${index}: { ${place}, scanner: mr${index} }`);
  }
  return [
    ...lines,
    'calendars:',
    ...places,
    `bookings: { every: ${EVERY_MS}ms }`,
    "orthanc: { url: 'http://127.0.0.1:1' }",
    `storage: { root: ${join(folder, 'project')} }`,
    `http: { ports: { cal2wl: ${port} } }`,
  ].join('\n');
}

async function passesOf(port: number): Promise<number> {
  try {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    return Number(/^scanflow_cal2wl_pass_seconds_count (\d+)/m.exec(text)?.[1] ?? 0);
  } catch {
    return 0; // it does not listen yet
  }
}

/** User and system time of a process so far (proc_pid_stat(5), fields 14 and 15). */
async function cpuMs(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS;
}
