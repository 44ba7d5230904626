/** Users of the day board and its audit log in a backup that is made while the dashboard runs. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { freePort } from '@scanflow/testkit';
import { startService } from '../../demo/src/local.ts';
import { scanflow } from './streamer-loss-support.ts';

const PASSWORD = 'correct horse battery';

interface Place {
  readonly data: string;
  readonly backups: string;
  readonly start: () => Promise<{ stop(): Promise<void> }>;
  readonly command: (...args: string[]) => ReturnType<typeof scanflow>;
  readonly post: (path: string, form: Record<string, string>) => Promise<Response>;
  readonly get: (cookie: string) => Promise<number>;
}

async function place(t: TestContext): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-backup-users-'));
  const [board, http] = [await freePort(), await freePort()];
  const data = join(folder, 'data');
  await mkdir(data);
  const config = join(folder, 'scanflow.yaml');
  await writeFile(
    config,
    `facility: { name: Here, timezone: Europe/Amsterdam }
data: ${data}
scanners: { prisma: { aet: PRISMA, modality: MR } }
orthanc: { url: 'http://127.0.0.1:1' }
storage: { root: ${join(folder, 'project')} }
http: { bind: 127.0.0.1, ports: { cal2wl: 0, worklist: 0, streamer: 0, dashboard: ${http} } }
dashboard: { port: ${board} }
`,
  );
  const running = new Set<{ stop(): Promise<void> }>();
  const { signal } = new AbortController();
  t.after(async () => {
    for (const service of running) await service.stop();
    await rm(folder, { recursive: true });
  });
  const url = `http://127.0.0.1:${board}`;
  return {
    data,
    backups: join(folder, 'backups'),
    start: async () => {
      const service = await startService({ name: 'dashboard', config, port: http, folder, signal });
      running.add(service);
      return service;
    },
    command: (...args) => scanflow(...args, '--config', config),
    post: (path, form) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        redirect: 'manual',
        headers: { 'sec-fetch-site': 'same-origin' },
        body: new URLSearchParams(form),
      }),
    get: async (cookie) => (await fetch(`${url}/`, { redirect: 'manual', headers: { cookie } })).status,
  };
}

async function ok(running: ReturnType<Place['command']>): Promise<string> {
  const { code, stdout, stderr } = await running;
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

const cookieOf = (answer: Response): string => String(answer.headers.get('set-cookie')).split(';')[0] ?? '';

test('backup: users, roles and audit log come back; sessions and links do not; a backup of before them still restores', async (t) => {
  const { data, backups, start, command, post, get } = await place(t);
  const first = await start();
  const link = new URL(await ok(command('user', 'add', 'anna', '--role', 'it'))).pathname;
  const invited = await post(link, { password: PASSWORD });
  assert.equal(invited.status, 303);
  assert.equal(await get(cookieOf(invited)), 200);
  const unused = new URL(await ok(command('user', 'add', 'ben', '--project', '3010000.01'))).pathname;
  const { path } = JSON.parse(await ok(command('backup', backups, '--json'))) as { path: string };
  const bytes = await readFile(join(path, 'users/users.sqlite'));
  assert.equal(bytes.includes(PASSWORD), false);
  const inUse = await command('restore', backups);
  assert.deepEqual([inUse.code, /dashboard runs; nothing was changed/.test(inUse.stderr)], [1, true]);
  await first.stop();
  await rm(data, { recursive: true });
  await mkdir(data);
  await ok(command('restore', backups));
  const second = await start();
  assert.equal(await get(cookieOf(invited)), 303, 'a browser of before signs in anew');
  assert.equal((await post(unused, { password: PASSWORD })).status, 410, 'a link of before opens nothing');
  const signedIn = await post('/sign-in', { name: 'anna', password: PASSWORD });
  assert.deepEqual([signedIn.status, signedIn.headers.get('location')], [303, '/']);
  assert.equal(await get(cookieOf(signedIn)), 200);
  const users = JSON.parse(await ok(command('user', '--json'))) as { name: string; role: string }[];
  assert.deepEqual(
    users.map(({ name, role }) => [name, role]),
    [
      ['anna', 'it'],
      ['ben', 'member'],
    ],
  );
  const health = await fetch(signedIn.url.replace('/sign-in', '/health'), {
    headers: { cookie: cookieOf(signedIn) },
  });
  assert.match(await health.text(), /add user/);
  await second.stop();
  // as a Scanflow of before the board made it: nothing of users, in manifest and folder
  const manifest = JSON.parse(await readFile(join(path, 'manifest.json'), 'utf8')) as {
    users?: string;
    files: { path: string }[];
  };
  delete manifest.users;
  manifest.files = manifest.files.filter((file) => !file.path.startsWith('users/'));
  await writeFile(join(path, 'manifest.json'), JSON.stringify(manifest));
  await rm(join(path, 'users'), { recursive: true });
  await ok(command('restore', path));
  await start();
  assert.equal(await get(cookieOf(signedIn)), 200, 'users that are there stay');
});
