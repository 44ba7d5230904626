/** A running cal2wl and a calendar server that does as it is told. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseBookingRecord, type BookingRecord } from '@scanflow/booking';
import { defined } from '@scanflow/failure/defined';
import { apiFetch, freePort, startProgram, until, type CalendarEntry, type Program } from '@scanflow/testkit';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface CalendarServer {
  readonly port: number;
  readonly requests: readonly IncomingMessage[];
  answer: Answer;
  close(): Promise<void>;
}

export async function startCalendarServer(answer: Answer): Promise<CalendarServer> {
  const requests: IncomingMessage[] = [];
  const server: Server = createServer((request, response) => {
    requests.push(request);
    running.answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const running = {
    port: address.port,
    requests,
    answer,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return running;
}

/** Answers with a body; with an ETag also 304 to whoever has it. */
export const giving =
  (body: string, etag?: string): Answer =>
  (request, response) => {
    if (etag !== undefined && request.headers['if-none-match'] === etag) {
      response.writeHead(304).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'text/calendar', ...defined({ etag }) }).end(body);
  };

export interface CalendarView {
  readonly calendar: string;
  readonly state: string;
  /** It was asked, and had not answered when the pass ended. */
  readonly waiting?: boolean;
  readonly held: number;
  readonly bookings: number;
  readonly lastGood?: string;
  readonly failure?: { code: string; message: string };
}

export interface BookingView {
  readonly code: string;
  readonly reason: string;
  readonly uid: string;
  readonly bookers?: readonly string[];
  readonly accessionNumber?: string;
  readonly scanner?: string;
  readonly warnings?: readonly string[];
}

export interface Cal2wl {
  readonly data: string;
  readonly worklist: string;
  readonly program: Program;
  get(path: string): Promise<{ status: number; body: Record<string, unknown> }>;
  /** Waits for the end of a pass that began after this call. */
  pass(): Promise<CalendarView>;
  bookings(): Promise<{ bookings: BookingView[]; skipped: BookingView[]; rejected: BookingView[] }>;
  items(): Promise<string[]>;
  records(): Promise<BookingRecord[]>;
}

/** Starts cal2wl over a data folder; `calendar` is the configuration of its one calendar, as YAML flow. */
export function startCal2wl(data: string, calendar: string, every = '100ms'): Promise<Cal2wl> {
  return startCal2wlWith(data, [
    'scanners: { prisma: { aet: PRISMA, modality: MR, location: MR1, characterSet: ISO_IR 100 } }',
    `calendars: { prisma: ${calendar} }`,
    `bookings: { every: ${every} }`,
  ]);
}

/** Starts cal2wl with these sections of the configuration beside those that every one needs. */
export async function startCal2wlWith(
  data: string,
  sections: readonly string[],
  file = 'scanflow.yaml',
): Promise<Cal2wl> {
  const port = await freePort();
  const config = join(data, file);
  await mkdir(data, { recursive: true });
  await writeFile(
    config,
    [
      'facility: { name: Test, timezone: Europe/Amsterdam }',
      `data: ${data}`,
      ...sections,
      "orthanc: { url: 'http://127.0.0.1:1' }",
      `storage: { root: ${data}/project }`,
      `http: { ports: { cal2wl: ${port} } }`,
    ].join('\n'),
  );
  const program = await startProgram(process.execPath, ['services/cal2wl/src/main.ts', '--config', config]);
  const worklist = join(data, 'worklist', 'SCANFLOW');
  const get = async (path: string): Promise<{ status: number; body: Record<string, unknown> }> => {
    const response = await apiFetch(data, `http://127.0.0.1:${port}${path}`);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const running: Cal2wl = {
    data,
    worklist,
    program,
    get,
    async pass() {
      let [after, late] = [Temporal.Now.instant(), false];
      await until(
        async () => {
          const at = await get('/api/bookings').then(
            ({ body }) => body['at'],
            () => undefined,
          );
          if (typeof at !== 'string' || Temporal.Instant.compare(at, after) <= 0) return false;
          const views = (await get('/api/calendars')).body['calendars'] as CalendarView[];
          const isWaiting = views.some(({ waiting }) => waiting === true);
          if (!isWaiting && !late) return true;
          // on a slow machine the pass that takes the answer may take one to a question of before: one more
          [after, late] = [Temporal.Now.instant(), isWaiting];
          return false;
        },
        { what: `a pass of cal2wl; it says ${program.output()}`, timeoutMs: 60_000 },
      );
      const [view] = (await get('/api/calendars')).body['calendars'] as CalendarView[];
      assert.ok(view);
      return view;
    },
    bookings: async () =>
      (await get('/api/bookings')).body as unknown as Awaited<ReturnType<Cal2wl['bookings']>>,
    items: async () => (await readdir(worklist)).filter((name) => name.endsWith('.wl')).sort(),
    records: () => readRecords(join(data, 'bookings')),
  };
  return running;
}

async function readRecords(folder: string): Promise<BookingRecord[]> {
  const names = (await readdir(folder)).filter((name) => /^[0-9A-Z]{16}\.json$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const parsed = parseBookingRecord(await readFile(join(folder, name), 'utf8'));
      assert.ok(parsed.ok, `${name}: ${parsed.ok ? '' : parsed.reason}`);
      return parsed.record;
    }),
  );
}

export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'scanflow-cal2wl-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Of one run of a test file: events that are made at half past and a moment later are still the same. */
const thisHour = Temporal.Now.zonedDateTimeISO('Europe/Amsterdam').round('hour');

/** A booking some hours from now. */
export function soon(uid: string, hours: number, more: Partial<CalendarEntry> = {}): CalendarEntry {
  const start = thisHour.add({ hours });
  return { uid, start, end: start.add({ hours: 1 }), summary: `3010000.01 sub-${uid} ses-mri01`, ...more };
}
