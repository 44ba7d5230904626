/** A running cal2wl over several calendars, each fetched in its own way. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apiFetch, freePort, startProgram, until, type Program } from '@scanflow/testkit';
import type { CalendarView } from './cal2wl-support.ts';

export interface FetchView extends CalendarView {
  readonly rejected: number;
  readonly ageSeconds?: number;
  readonly notBefore?: string;
  readonly clockSkewSeconds?: number;
}

export interface Calendars {
  readonly program: Program;
  readonly data: string;
  /** The calendars by name after a pass that began after this call. */
  pass(): Promise<Record<string, FetchView>>;
  /** Passes until a calendar is as wanted. */
  see(name: string, wanted: Partial<FetchView>): Promise<FetchView>;
  /** Passes until a calendar has answered, or failed to: on a slow machine the first pass does not wait for all. */
  answered(name: string): Promise<FetchView>;
  metrics(): Promise<string>;
  /** A page of the service, whatever its status. */
  page(path: string): Promise<Response>;
}

/** Starts cal2wl; `calendars` are their configurations by name, as YAML flow without `scanner`. */
export async function startCalendars(
  data: string,
  calendars: Readonly<Record<string, string>>,
  {
    every = '100ms',
    env = {},
    zone = 'Europe/Amsterdam',
  }: { every?: string; env?: Record<string, string>; zone?: string } = {},
): Promise<Calendars> {
  const port = await freePort();
  const config = join(data, 'scanflow.yaml');
  await mkdir(data, { recursive: true });
  await writeFile(
    config,
    [
      `facility: { name: Test, timezone: ${zone} }`,
      `data: ${data}`,
      'scanners: { prisma: { aet: PRISMA, modality: MR } }',
      'calendars:',
      ...Object.entries(calendars).map(([name, keys]) => `  ${name}: { scanner: prisma, ${keys} }`),
      `bookings: { every: ${every} }`,
      "orthanc: { url: 'http://127.0.0.1:1' }",
      `storage: { root: ${data}/project }`,
      `http: { ports: { cal2wl: ${port} } }`,
    ].join('\n'),
  );
  const args = ['services/cal2wl/src/main.ts', '--config', config];
  const program = await startProgram(process.execPath, args, { env });
  const page = (path: string): Promise<Response> => apiFetch(data, `http://127.0.0.1:${port}${path}`);
  const get = async (path: string): Promise<string> => (await page(path)).text();
  const at = async (): Promise<Temporal.Instant | undefined> => {
    const text = await get('/api/bookings').catch(() => '{}');
    const { at: time } = JSON.parse(text) as { at?: string };
    return time === undefined ? undefined : Temporal.Instant.from(time);
  };
  const pass = async (): Promise<Record<string, FetchView>> => {
    const now = Temporal.Now.instant();
    const passed = async (): Promise<boolean> => {
      if (program.exited()) throw new Error(`cal2wl ended: ${program.output()}`);
      const time = await at();
      return time !== undefined && Temporal.Instant.compare(time, now) > 0;
    };
    await until(passed, { what: `a pass of cal2wl; it says ${program.output()}`, timeoutMs: 60_000 });
    const { calendars: views } = JSON.parse(await get('/api/calendars')) as { calendars: FetchView[] };
    return Object.fromEntries(views.map((view) => [view.calendar, view]));
  };
  const see = async (name: string, wanted: Partial<FetchView>): Promise<FetchView> => {
    let last: FetchView | undefined;
    const fits = async (): Promise<FetchView | undefined> => {
      last = (await pass())[name];
      const entries = Object.entries(wanted) as [keyof FetchView, unknown][];
      return entries.every(([key, value]) => last?.[key] === value) ? last : undefined;
    };
    return until(fits, { what: `${name} as ${JSON.stringify(wanted)}`, timeoutMs: 60_000 }).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}; it is ${JSON.stringify(last)}`);
      },
    );
  };
  const answered = (name: string): Promise<FetchView> =>
    until(
      async () => {
        const view = (await pass())[name];
        return view?.state === 'good' || view?.failure !== undefined ? view : undefined;
      },
      { what: `an answer of ${name}; it says ${program.output()}`, timeoutMs: 60_000 },
    );
  return { program, data, pass, see, answered, metrics: () => get('/metrics'), page };
}

/** Listens on a free loopback port; gives it. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

export async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}
