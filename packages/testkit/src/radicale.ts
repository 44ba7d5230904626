/** A real Radicale (CalDAV) in a folder of its own, on a free loopback port, with a password. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, startProgram, type Program, until } from './process.ts';

export interface RadicaleOptions {
  /** Where its configuration and calendars go; made when absent. */
  readonly folder: string;
}

export interface Radicale {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** File that holds the password. */
  readonly passwordFile: string;
  readonly program: Program;
  /** Makes a calendar; gives its address. */
  makeCalendar(name: string): Promise<string>;
  /** Any request with authentication; throws for anything but 2xx. */
  request(path: string, init?: RequestInit): Promise<Response>;
  /** Writes an object of a calendar: `put('prisma', 'a.ics', text)`. */
  put(calendar: string, object: string, text: string): Promise<void>;
  delete(calendar: string, object: string): Promise<void>;
  stop(): Promise<void>;
}

const PROGRAM = '/usr/bin/radicale';

/** Starts Radicale and waits until it answers. The caller stops it. */
export async function startRadicale({ folder }: RadicaleOptions): Promise<Radicale> {
  if (!existsSync(PROGRAM)) throw new Error('Radicale is not installed: apt-get install radicale');
  await mkdir(folder, { recursive: true });
  const [port, username] = [await freePort(), 'lab'];
  const password = randomBytes(18).toString('base64url');
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  await writeFile(join(folder, 'users'), `${username}:${password}\n`, { mode: 0o600 });
  const config = join(folder, 'radicale.conf');
  await writeFile(config, configuration(folder, port));
  // it is started with a configuration of its own only, whatever is in /etc/radicale
  const program = await startProgram(PROGRAM, ['--config', config], { env: { RADICALE_CONFIG: config } });
  const url = `http://127.0.0.1:${port}`;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const request = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set('authorization', authorization);
    const response = await fetch(new URL(path, url), { ...init, headers });
    if (!response.ok)
      throw new Error(`${init.method ?? 'GET'} ${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  await until(() => answers(url, program), { what: 'Radicale answers', timeoutMs: 30_000 });
  return {
    ...{ url, username, password, passwordFile, program, request },
    async makeCalendar(name) {
      await request(`/${username}/${name}/`, { method: 'MKCALENDAR' });
      return `${url}/${username}/${name}/`;
    },
    async put(calendar, object, text) {
      const headers = { 'content-type': 'text/calendar; charset=utf-8' };
      await request(`/${username}/${calendar}/${object}`, { method: 'PUT', headers, body: text });
    },
    async delete(calendar, object) {
      await request(`/${username}/${calendar}/${object}`, { method: 'DELETE' });
    },
    stop: () => program.stop(),
  };
}

const configuration = (folder: string, port: number): string => `[server]
hosts = 127.0.0.1:${port}
[auth]
type = htpasswd
htpasswd_filename = ${join(folder, 'users')}
htpasswd_encryption = plain
delay = 0
[rights]
type = owner_only
[storage]
filesystem_folder = ${join(folder, 'collections')}
[logging]
level = warning
`;

async function answers(url: string, program: Program): Promise<true | undefined> {
  if (program.exited()) throw new Error(`Radicale ended at once:\n${program.output()}`);
  try {
    await (await fetch(url, { redirect: 'manual' })).arrayBuffer();
    return true;
  } catch {
    return undefined; // not listening yet
  }
}
