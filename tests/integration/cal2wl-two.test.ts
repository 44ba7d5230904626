/**
 * Two cal2wl over one data folder, as two containers of one stack, with a real PostgreSQL: one publishes, and the other takes over
 * after its lease. Each has an address of its own for the calendar, and the events say by which they were read: so each file shows
 * who wrote it.
 */
import assert from 'node:assert/strict';
import { watch } from 'node:fs';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { apiFetch, findPostgres, makeCalendar, startPostgres, until, type Postgres } from '@scanflow/testkit';
import {
  soon,
  startCal2wlWith,
  startCalendarServer,
  temporaryFolder,
  type Cal2wl,
} from './cal2wl-support.ts';

const skip = findPostgres() === undefined ? 'PostgreSQL is not installed' : false;
let postgres: Postgres;
before(async () => {
  if (skip === false) postgres = await startPostgres();
});
after(() => (skip === false ? postgres.stop() : undefined));

const WAIT = { timeoutMs: 60_000, everyMs: 50 };
const LEASE = '2s';

interface Scene {
  readonly data: string;
  /** `name` is what the events say that this one reads. */
  readonly start: (name: string) => Promise<Cal2wl>;
  /** The events say another number with each answer, so that each pass has something to write. */
  readonly change: (changes: boolean) => void;
  /** By whom the bookings were written last. */
  readonly writers: () => Promise<string[]>;
  /** The answers of which they are. */
  readonly answers: () => Promise<string[]>;
  readonly lease: () => Promise<string>;
}

let made = 0;

async function scene(t: TestContext, events = 3): Promise<Scene> {
  const folder = await temporaryFolder();
  const running: Cal2wl[] = [];
  t.after(async () => {
    await Promise.all(running.map(({ program }) => program.stop('SIGKILL')));
    await folder.remove();
  });
  const data = join(folder.path, 'data');
  made += 1;
  const name = `two_${made}`;
  const url = await postgres.makeDatabase(name);
  // as docs/scale.md makes it: a user who sees the lease alone
  await postgres.query(name, `CREATE USER ${name} PASSWORD '${postgres.password}'`);
  await postgres.query(name, `CREATE SCHEMA ${name} AUTHORIZATION ${name}`);
  const own = `{ user: ${name}, passwordFile: ${postgres.passwordFile} }`;
  let [number, changing] = [0, false];
  const titles = async (): Promise<string[]> => {
    const names = await readdir(join(data, 'bookings'));
    return Promise.all(
      names.filter((one) => /^[0-9A-Z]{16}\.json$/.test(one)).map((one) => titleIn(data, one)),
    );
  };
  const server = await startCalendarServer((request, response) => {
    if (changing) number += 1;
    const by = (request.url ?? '').slice(1);
    const entries = Array.from({ length: events }, (_, index) =>
      soon(`event-${index}`, (index % 100) + 1, {
        summary: `by-${by}-${number}`,
        description: `Project: 3010000.01\nSubject: sub-0${index}\nSession: ses-mri01`,
      }),
    );
    response.writeHead(200, { 'content-type': 'text/calendar' }).end(makeCalendar(entries));
  });
  t.after(() => server.close());
  return {
    data,
    change: (changes) => {
      changing = changes;
    },
    async start(by) {
      const started = await startCal2wlWith(
        data,
        [
          'scanners: { prisma: { aet: PRISMA, modality: MR } }',
          `calendars: { prisma: { url: 'http://127.0.0.1:${server.port}/${by}', scanner: prisma } }`,
          'bookings: { every: 100ms }',
          `ledger: { url: '${url}', passwordFile: ${postgres.passwordFile}, lease: ${LEASE}, cal2wl: ${own} }`,
        ],
        `${by}.yaml`,
      );
      running.push(started);
      await until(async () => (await healthOf(started)) !== undefined, { what: `${by} answers`, ...WAIT });
      return started;
    },
    writers: async () => [...new Set((await titles()).map((title) => title.split('-')[1] ?? ''))],
    answers: async () => [...new Set(await titles())],
    lease: async () => (await postgres.query(name, `SELECT owner FROM ${name}.lease`)).split(' ')[0] ?? '',
  };
}

async function titleIn(data: string, name: string): Promise<string> {
  const text = await readFile(join(data, 'bookings', name), 'utf8');
  return /by-\w+-\d+/.exec(text)?.[0] ?? '';
}

interface Health {
  readonly code: number;
  readonly status: string;
  readonly why?: string;
  readonly faults?: readonly { readonly code: string }[];
}

async function healthOf(one: Cal2wl, page = '/healthz'): Promise<Health | undefined> {
  try {
    const { status: code, body } = await one.get(page);
    return { code, ...(body as unknown as Omit<Health, 'code'>) };
  } catch {
    return undefined;
  }
}

const is = (one: Cal2wl, status: string): Promise<unknown> =>
  until(async () => (await healthOf(one))?.status === status, {
    what: `${status}; it says ${one.program.output()}`,
    ...WAIT,
  });

const addressOf = ({ program }: Cal2wl): string =>
  `http://127.0.0.1:${/"?port"?[:=] ?(\d+)/.exec(program.output())?.[1] ?? ''}`;

async function gauge(one: Cal2wl, name: string): Promise<string | undefined> {
  const text = await (await apiFetch(one.data, `${addressOf(one)}/metrics`)).text();
  return new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1];
}

/** Names under which this one writes aside from now on, as the kernel reports them. */
function asidesOf(t: TestContext, { program, worklist, data }: Cal2wl): ReadonlySet<string> {
  const names = new Set<string>();
  for (const folder of [worklist, join(data, 'bookings'), join(data, 'cal2wl')]) {
    const watcher = watch(folder, (_event, name) => {
      if (name?.includes(`.${program.pid}.`) === true) names.add(name);
    });
    t.after(() => watcher.close());
  }
  return names;
}

/** Names, inodes and times of all that is published. */
async function published({ worklist, data }: Cal2wl): Promise<string[]> {
  const all = await Promise.all(
    [worklist, join(data, 'bookings')].map(async (folder) =>
      Promise.all(
        (await readdir(folder)).sort().map(async (name) => {
          const { ino, mtimeMs } = await stat(join(folder, name));
          return `${name} ${ino} ${mtimeMs}`;
        }),
      ),
    ),
  );
  return all.flat();
}

test(
  'two cal2wl: one publishes, the other says who, and takes over when the first is killed',
  { skip },
  async (t) => {
    const { start, writers, lease, data, change } = await scene(t);
    const one = await start('one');
    await one.pass();
    const items = await one.items();
    assert.equal(items.length, 3, one.program.output());
    const two = await start('two');
    await is(two, 'standby');

    const leader = await lease();
    assert.match(leader, new RegExp(`:${one.program.pid}$`));
    const said = (await healthOf(two)) ?? { code: 0, status: '', why: '' };
    assert.deepEqual([said.code, said.status], [200, 'standby']);
    assert.ok(said.why?.includes(`${leader} leads`) === true, said.why ?? '');
    assert.deepEqual(
      [(await healthOf(two, '/readyz'))?.code, (await healthOf(two, '/livez'))?.code],
      [503, 200],
    );
    assert.deepEqual(
      [(await healthOf(one))?.status, (await healthOf(one, '/readyz'))?.status],
      ['ok', 'ready'],
    );
    assert.deepEqual([await gauge(one, 'scanflow_leads'), await gauge(two, 'scanflow_leads')], ['1', '0']);
    const refused = await two.get('/api/bookings');
    assert.deepEqual([refused.status, refused.body['code']], [503, 'STANDBY']);
    assert.ok(String(refused.body['error']).includes(leader));
    const walkIn = await apiFetch(data, `${addressOf(two)}/api/board/walk-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    assert.equal(walkIn.status, 503, 'not 400: it does not even read what is added');

    change(true);
    await one.pass();
    await one.pass();
    assert.deepEqual(await writers(), ['one']);
    change(false);
    await one.pass();
    const before = await published(one);
    await one.program.stop('SIGKILL');
    await is(two, 'ok');
    await two.pass();
    assert.deepEqual(await two.items(), items, 'accession numbers stay');
    assert.deepEqual(await writers(), ['two']);
    assert.deepEqual(
      (await published(two)).map((line) => line.split(' ')[0]),
      before.map((line) => line.split(' ')[0]),
    );
    assert.equal(await gauge(two, 'scanflow_leads'), '1');

    // in order: the lease is left, and the next one need not wait for its end
    const three = await start('three');
    await is(three, 'standby');
    await two.program.stop('SIGTERM');
    assert.equal(await two.program.ended, 0, two.program.output());
    await is(three, 'ok');
  },
);

test(
  'two cal2wl: one that was suspended past its lease writes nothing when it wakes',
  { skip },
  async (t) => {
    const { start, writers, answers, change } = await scene(t, 200);
    change(true);
    let [leads, stands] = [
      { name: 'one', program: await start('one') },
      { name: 'two', program: await start('two') },
    ];
    await is(leads.program, 'ok');
    await is(stands.program, 'standby');
    for (let round = 0; round < 3; round += 1) {
      // in the middle of a pass, which would go on to write
      await until(async () => (await answers()).length > 1, {
        what: 'half a pass',
        timeoutMs: 60_000,
        everyMs: 1,
      });
      process.kill(leads.program.program.pid, 'SIGSTOP');
      await is(stands.program, 'ok');
      await until(async () => (await writers()).join() === stands.name, {
        what: 'the other publishes',
        ...WAIT,
      });
      const { program } = leads.program;
      const asides = asidesOf(t, leads.program);
      const said = program.output().length;
      process.kill(program.pid, 'SIGCONT');
      await is(leads.program, 'standby');
      await stands.program.pass();
      await stands.program.pass();
      assert.deepEqual(await writers(), [stands.name], `round ${round}`);
      // the file that was on its way when it was stopped got no name either
      assert.ok(asides.size <= 1, [...asides].join());
      // it may still log the one that had its name when it was stopped
      const logged =
        program
          .output()
          .slice(said)
          .match(/booking (?:published|changed)/g) ?? [];
      assert.ok(logged.length <= 1, logged.join());
      assert.equal((await healthOf(stands.program))?.status, 'ok');
      [leads, stands] = [stands, leads];
    }
  },
);

test('two cal2wl: one that cannot lead when it is its turn does not look well', { skip }, async (t) => {
  const { start, data } = await scene(t);
  const one = await start('one');
  const two = await start('two');
  await one.pass();
  await is(two, 'standby');
  const folder = join(data, 'cal2wl');
  await one.program.stop('SIGKILL');
  await rename(folder, `${folder}-away`);
  await writeFile(folder, '');
  // at first it tries
  const faults = async (): Promise<unknown> => (await healthOf(two))?.faults?.map(({ code }) => code).join();
  await until(async () => (await faults()) === 'PUBLISH', { what: 'it says what it cannot', ...WAIT });
  const { code, status } = (await healthOf(two)) ?? {};
  assert.deepEqual([code, status], [503, 'failing']);
  await rm(folder);
  await rename(`${folder}-away`, folder);
  await is(two, 'ok');
});

test('two cal2wl: while PostgreSQL is away nobody publishes, and then one does', { skip }, async (t) => {
  const { start, writers, change } = await scene(t);
  const one = await start('one');
  const two = await start('two');
  await one.pass();
  await is(two, 'standby');
  await postgres.halt();
  for (const each of [one, two]) {
    await is(each, 'failing');
    const { code, faults } = (await healthOf(each)) ?? {};
    assert.deepEqual([code, faults?.map((fault) => fault.code)], [503, ['LEASE_UNKNOWN']]);
  }
  const before = await published(one);
  change(true);
  // longer than the lease: whoever led does so no more by its own clock
  await until(async () => (await gauge(one, 'scanflow_leads')) === '0', {
    what: 'the lease has ended',
    ...WAIT,
  });
  assert.deepEqual(await published(one), before);
  await postgres.resume();
  const states = async (): Promise<string> =>
    [await healthOf(one), await healthOf(two)]
      .map((health) => health?.status)
      .toSorted()
      .join();
  await until(async () => (await states()) === 'ok,standby', { what: 'one leads', ...WAIT });
  await until(async () => (await published(one)).join() !== before.join(), { what: 'it publishes', ...WAIT });
  assert.equal((await writers()).length, 1);
});
