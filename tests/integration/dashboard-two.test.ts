/** Two dashboards on one database of users, as two containers of one stack: one serves the pages, and the other takes over after its lease. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import {
  apiFetch,
  findPostgres,
  freePort,
  startPostgres,
  startProgram,
  until,
  type Postgres,
  type Program,
} from '@scanflow/testkit';
import { PASSWORD, Visitor } from './dashboard-support.ts';

const skip = findPostgres() === undefined ? 'PostgreSQL is not installed' : false;
let postgres: Postgres;
before(async () => {
  if (skip === false) postgres = await startPostgres();
});
after(() => (skip === false ? postgres.stop() : undefined));

const WAIT = { timeoutMs: 60_000, everyMs: 50 };

interface Board {
  readonly url: string;
  readonly program: Program;
  /** Status and body of a page for programs. */
  readonly ask: (path: string, body?: object) => Promise<{ code: number; text: string }>;
  /** Of `/healthz`. */
  readonly status: () => Promise<string | undefined>;
}

async function places(t: TestContext): Promise<() => Promise<Board>> {
  const data = await mkdtemp(join(tmpdir(), 'scanflow-two-boards-'));
  const running: Program[] = [];
  t.after(async () => {
    await Promise.all(running.map((one) => one.stop('SIGKILL')));
    await rm(data, { recursive: true, force: true });
  });
  const url = await postgres.makeDatabase('board');
  return async () => {
    const [port, programs] = [await freePort(), await freePort()];
    const config = join(data, `${port}.yaml`);
    const settings = {
      facility: { name: 'Here', timezone: 'Europe/Amsterdam' },
      data,
      scanners: { prisma: { aet: 'PRISMA', modality: 'MR' } },
      orthanc: { url: 'http://127.0.0.1:9' },
      storage: { root: '/project' },
      http: { ports: { dashboard: programs } },
      dashboard: { port, database: { url, passwordFile: postgres.passwordFile } },
      ledger: { lease: '2s' },
    };
    await writeFile(config, JSON.stringify(settings));
    const main = 'services/dashboard/src/main.ts';
    const program = await startProgram(process.execPath, [main, '--config', config]);
    running.push(program);
    const ask: Board['ask'] = async (path, body) => {
      const headers = { 'content-type': 'application/json' };
      const asked = body && { method: 'POST', body: JSON.stringify(body) };
      const answer = await apiFetch(data, `http://127.0.0.1:${programs}${path}`, { ...asked, headers });
      return { code: answer.status, text: await answer.text() };
    };
    const status = async (): Promise<string | undefined> => {
      const answer = await ask('/healthz').catch(() => undefined);
      return answer && (JSON.parse(answer.text) as { status: string }).status;
    };
    await until(async () => (await status()) !== undefined, {
      what: `it answers: ${program.output()}`,
      ...WAIT,
    });
    return { url: `http://127.0.0.1:${port}`, program, ask, status };
  };
}

const is = (board: Board, status: string): Promise<unknown> =>
  until(async () => (await board.status()) === status, {
    what: `${status}; it says ${board.program.output()}`,
    ...WAIT,
  });

async function signIn(visitor: Visitor, board: Board): Promise<void> {
  await board.ask('/api/users', { name: 'anna', role: 'it' });
  const { link } = JSON.parse((await board.ask('/api/users/anna/invite', {})).text) as { link: string };
  const shown = await visitor.open(`${board.url}${new URL(link).pathname}`, { password: PASSWORD });
  assert.equal(shown.status, 200, shown.body);
  await visitor.open(`${board.url}/sign-in`, { name: 'anna', password: PASSWORD, next: '/' });
}

const gauge = async (board: Board): Promise<string | undefined> =>
  /^scanflow_leads (\d)$/m.exec((await board.ask('/metrics')).text)?.[1];

test(
  'two dashboards: one serves, the other names it, and takes over with everybody signed in',
  { skip },
  async (t) => {
    const start = await places(t);
    const one = await start();
    await is(one, 'ok');
    const two = await start();
    await is(two, 'standby');
    const anna = new Visitor();
    await signIn(anna, one);
    assert.equal((await anna.open(`${one.url}/`)).status, 200);

    const refused = await anna.open(`${two.url}/`);
    assert.equal(refused.status, 503);
    assert.match(refused.body, new RegExp(`This dashboard stands by: .*:${one.program.pid} leads`));
    assert.equal((await fetch(`${two.url}/events`)).status, 503);
    assert.deepEqual([(await two.ask('/livez')).code, (await two.ask('/readyz')).code], [200, 503]);
    assert.deepEqual([await gauge(one), await gauge(two)], ['1', '0']);
    assert.match((await two.ask('/api/users')).text, /anna/, 'programs may ask either');

    await one.program.stop('SIGKILL');
    await is(two, 'ok');
    const page = await anna.open(`${two.url}/`);
    assert.deepEqual([page.status, new URL(page.url).pathname.startsWith('/sign-in')], [200, false]);

    // suspended past its lease: it serves nothing when it wakes
    const three = await start();
    await is(three, 'standby');
    process.kill(two.program.pid, 'SIGSTOP');
    await is(three, 'ok');
    process.kill(two.program.pid, 'SIGCONT');
    assert.equal((await fetch(`${two.url}/sign-in`)).status, 503);
    await is(two, 'standby');

    // without PostgreSQL neither serves, and then one does
    await postgres.halt();
    for (const each of [two, three]) await is(each, 'failing');
    await until(async () => (await fetch(`${three.url}/sign-in`)).status === 503, {
      what: 'no page',
      ...WAIT,
    });
    await postgres.resume();
    const states = async (): Promise<string> => [await two.status(), await three.status()].toSorted().join();
    await until(async () => (await states()) === 'ok,standby', { what: 'one serves', ...WAIT });

    // in order: the other need not wait for the end of the lease
    const leader = (await two.status()) === 'ok' ? two : three;
    const other = leader === two ? three : two;
    await leader.program.stop('SIGTERM');
    assert.equal(await leader.program.ended, 0, leader.program.output());
    await is(other, 'ok');
  },
);
