/** The dashboard as a service alone, or with cal2wl; and a browser without a screen: cookies, redirects and forms. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { apiFetch, freePort, startProgram, until, type Program } from '@scanflow/testkit';

export const PASSWORD = 'correct horse battery';

export interface Dashboard {
  /** `http://127.0.0.1:PORT`, or `https:` with TLS of its own. */
  readonly url: string;
  readonly program: Program;
  /** GET of a page for programs, or POST of a body. */
  readonly api: (path: string, body?: object) => Promise<Record<string, unknown>>;
}

interface Settings {
  /** What stands below `dashboard:`. */
  readonly dashboard: object;
  /** Of cal2wl, which runs beside it where there is one; else no other service does. */
  readonly calendar?: { readonly file: string };
}

export async function startBoardAlone(
  t: Pick<TestContext, 'after'>,
  { dashboard, calendar }: Settings,
): Promise<Dashboard> {
  const data = await mkdtemp(join(tmpdir(), 'scanflow-dashboard-'));
  t.after(() => rm(data, { recursive: true }));
  const names = ['cal2wl', 'worklist', 'streamer', 'receiver', 'dashboard'];
  const free = await Promise.all([...names, 'board'].map(() => freePort()));
  const ports = Object.fromEntries(names.map((name, index) => [name, free[index] ?? 0]));
  const port = free.at(-1) ?? 0;
  const config = join(data, 'scanflow.yaml');
  const settings = {
    facility: { name: 'Here', timezone: 'Europe/Amsterdam' },
    data,
    scanners: { prisma: { aet: 'PRISMA', modality: 'MR' } },
    orthanc: { url: 'http://127.0.0.1:9' },
    storage: { root: '/project' },
    http: { ports },
    bookings: { every: '500ms', patterns: [PATTERN] },
    ...(calendar && { calendars: { prisma: { ...calendar, scanner: 'prisma' } } }),
    dashboard: { port, ...dashboard },
  };
  await writeFile(config, JSON.stringify(settings));
  const start = async (service: string): Promise<Program> => {
    const main = join(import.meta.dirname, '../../services', service, 'src/main.ts');
    const started = await startProgram(process.execPath, [main, '--config', config]);
    t.after(() => started.stop());
    return started;
  };
  if (calendar !== undefined) await start('cal2wl');
  const program = await start('dashboard');
  const programs = `http://127.0.0.1:${ports['dashboard'] ?? 0}`;
  await until(() => /listening/.test(program.output()) || program.exited(), {
    what: 'the dashboard listens',
    timeoutMs: 30_000,
  });
  return {
    url: `${'tls' in dashboard ? 'https' : 'http'}://127.0.0.1:${port}`,
    program,
    api: async (path, body) => {
      const asked = body && { method: 'POST', body: JSON.stringify(body) };
      const headers = { 'content-type': 'application/json' };
      const answer = await apiFetch(data, `${programs}${path}`, { ...asked, headers });
      return (await answer.json()) as Record<string, unknown>;
    },
  };
}

const PATTERN = String.raw`^(?<project>\d{7}\.\d{2}) (?<subject>sub-\w+) (?<session>ses-\w+)`;

export interface Shown {
  readonly status: number;
  readonly url: string;
  readonly body: string;
}

/** Cookies count for every port of this machine, as in browsers. */
export class Visitor {
  readonly cookies = new Map<string, string>();
  /** Set-Cookie headers as they came. */
  readonly set: string[] = [];

  /** Follows redirects, up to an address for which `stop` holds. */
  async open(url: string, form?: Record<string, string>, stop?: (url: string) => boolean): Promise<Shown> {
    let at = url;
    let fields = form;
    for (let step = 0; step < 10; step += 1) {
      const answer = await fetch(at, {
        redirect: 'manual',
        headers: {
          cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
          'sec-fetch-site': 'same-origin',
        },
        ...(fields && { method: 'POST', body: new URLSearchParams(fields) }),
      });
      this.#keep(answer.headers.getSetCookie());
      const to = answer.headers.get('location');
      const body = await answer.text();
      if (to === null) return { status: answer.status, url: at, body };
      at = new URL(to, at).href;
      fields = undefined;
      if (stop?.(at) === true) return { status: answer.status, url: at, body };
    }
    throw new Error(`${url} leads on and on`);
  }

  #keep(headers: readonly string[]): void {
    this.set.push(...headers);
    for (const header of headers) {
      const [pair = ''] = header.split(';');
      const [name = '', value = ''] = pair.split('=');
      if (value === '') this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
  }
}
