/** The streamer tells people, by a real SMTP server with STARTTLS and a login: through a kill between sending and recording, and while the server is away. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  apiFetch,
  freePort,
  httpServer,
  makeAuthority,
  run,
  startProgram,
  until,
  type Program,
} from '@scanflow/testkit';
import { headersIn, startMailServer, type Mail, type MailServer } from './mail-support.ts';

const at = (path: string): string => join(import.meta.dirname, '../..', path);

async function scratch(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-notify-'));
  t.after(() => rm(folder, { recursive: true, maxRetries: 5 }));
  return folder;
}

/** cal2wl, as far as the streamer asks it. */
interface Calendars {
  state: object[];
  rejected: object[];
  bookings: object[];
}

const startCal2wl = (t: TestContext, now: Calendars): Promise<string> =>
  httpServer(t, ({ url }, response) => {
    const pages: Readonly<Record<string, object>> = {
      '/api/calendars': { calendars: now.state },
      '/api/bookings': { at: '2026-11-30T08:00:00Z', rejected: now.rejected, bookings: now.bookings },
      '/api/machine': { disks: [], certificates: [] },
    };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(pages[url ?? ''] ?? {}));
  });

const soon = (hours: number): string => Temporal.Now.instant().add({ hours }).round('second').toString();
const event = (over: object = {}): object => ({
  ...{
    calendar: 'prisma',
    uid: 'u1',
    code: 'NO_LABELS',
    reason: 'The title names no project.',
    summary: 'pilot\r\nBcc: x@y.z',
  },
  ...{
    start: soon(1),
    end: soon(2),
    scanner: 'prisma',
    bookers: ['anna@lab.example.org', 'eve@elsewhere.net'],
  },
  ...over,
});

interface Installed {
  readonly file: string;
  readonly data: string;
  readonly port: number;
}

async function install(t: TestContext, notify: object, services: object): Promise<Installed> {
  const folder = await scratch(t);
  const [data, port] = [join(folder, 'data'), await freePort()];
  for (const name of ['data/bookings', 'data/performed', 'data/cal2wl', 'project'])
    await mkdir(join(folder, name), { recursive: true });
  const config = {
    ...{ facility: { name: 'Test', timezone: 'Europe/Amsterdam' }, data },
    scanners: { prisma: { aet: 'PRISMA', modality: 'MR' } },
    orthanc: { url: `http://127.0.0.1:${await freePort()}` },
    storage: { root: join(folder, 'project') },
    http: { ports: { streamer: port } },
    ...{ dashboard: { hosts: ['board.example.org'], services }, notify },
  };
  const file = join(folder, 'scanflow.yaml');
  await writeFile(file, JSON.stringify(config));
  return { file, data, port };
}

const startStreamer = (file: string): Promise<Program> =>
  startProgram(process.execPath, [at('services/streamer/src/main.ts'), '--config', file]);

const idOf = (mail: Mail | undefined): string | undefined => mail && headersIn(mail).get('message-id');
const subjects = ({ mails }: MailServer): (string | undefined)[] =>
  mails.map((mail) => headersIn(mail).get('subject'));

test('the streamer tells people: a kill between sending and recording, a server that is away, and what is over', async (t) => {
  const folder = await scratch(t);
  const authority = await makeAuthority(folder, 'ca');
  const certificate = await authority.issue('smtp');
  await writeFile(join(folder, 'password'), 'secret\n');
  const login = { user: 'scanflow', password: 'secret' };
  let streamer: Program | undefined;
  let kills = 1;
  const took = async (): Promise<void> => {
    if (kills === 0) return;
    kills -= 1;
    // the mail is there, and its sender never hears of it
    await streamer?.stop('SIGKILL');
  };
  const server = await startMailServer(t, { certificate, ...login, took });
  const calendars: Calendars = { state: [], rejected: [event()], bookings: [] };
  const services = { cal2wl: await startCal2wl(t, calendars) };
  const mail = {
    ...{
      host: '127.0.0.1',
      port: server.port,
      tls: { ca: authority.certificate },
      from: 'scanflow@example.org',
    },
    ...{ username: 'scanflow', passwordFile: join(folder, 'password'), timeout: '5s' },
  };
  const { file, data, port } = await install(
    t,
    {
      ...{
        mail,
        booker: { domains: ['lab.example.org'] },
        it: { mail: ['it@example.org'], topics: ['calendar'], stale: '1m' },
      },
      ...{ gather: '1s', again: '1s' },
    },
    services,
  );
  streamer = await startStreamer(file);
  t.after(() => streamer?.stop('SIGKILL'));
  const killed = streamer;
  await until(() => killed.exited(), { what: 'the first mail', timeoutMs: 30_000 });
  streamer = await startStreamer(file);
  await until(() => server.mails.length === 2, { what: 'the mail again', timeoutMs: 30_000 });
  const [first, second] = server.mails;
  assert.ok(first !== undefined && idOf(first) !== undefined);
  assert.equal(idOf(first), idOf(second), 'clients fold the two');
  assert.deepEqual([first.to, first.secure, first.user], [['anna@lab.example.org'], true, 'scanflow']);
  assert.equal(headersIn(first).has('bcc'), false);
  assert.match(headersIn(first).get('subject') ?? '', /^Your booking of prisma \d{4}-.* cannot be taken$/);
  const notices = async (): Promise<{ state: string; failure?: { code: string } }[]> => {
    const response = await apiFetch(data, `http://127.0.0.1:${port}/api/notices`);
    return ((await response.json()) as { notices: { state: string; failure?: { code: string } }[] }).notices;
  };
  const isDone = async (): Promise<boolean> => (await notices()).every(({ state }) => state === 'done');
  await until(isDone, { what: 'it is recorded', timeoutMs: 20_000 });
  // the mail server is away: nothing is lost, and its state shows
  await server.close();
  calendars.state = [
    {
      calendar: 'prisma',
      state: 'stale',
      ageSeconds: 600,
      failure: { code: 'FEED_HTML', message: 'A web page came.' },
    },
  ];
  const isWaiting = async (): Promise<boolean> =>
    (await notices()).some(
      ({ state, failure }) => state === 'pending' && failure?.code === 'NOTICE_UNREACHABLE',
    );
  await until(isWaiting, { what: 'a notice waits', timeoutMs: 30_000 });
  calendars.rejected = [];
  calendars.bookings = [
    event({ code: 'BOOKING', reason: 'r', project: 'p', subject: 's', session: 't', accessionNumber: 'A1' }),
  ];
  const back = await startMailServer(t, { certificate, ...login, port: server.port });
  await until(() => back.mails.length === 2, { what: 'both are told', timeoutMs: 60_000 });
  assert.deepEqual(
    subjects(back)
      .map((text) => text?.replace(/ \d{4}.*\d\d:\d\d/, ''))
      .sort(),
    ['Resolved: Your booking of prisma is taken now', 'The calendar prisma cannot be read'],
  );
  assert.ok(back.mails.some(({ raw }) => raw.includes('https://board.example.org/health')));
  await until(isDone, { what: 'both are recorded', timeoutMs: 20_000 });
  // a person tries it out
  const cli = [at('services/cli/bin/scanflow'), 'notify'];
  const tried = await run('sh', [...cli, 'test', '--config', file]);
  assert.deepEqual([tried.code, tried.stdout], [0, 'it@example.org: sent\n'], tried.stderr);
  const listed = await run('sh', [...cli, 'list', '--config', file]);
  assert.match(listed.stdout, /calendar +it +new +mail +done/, listed.stderr);
  assert.equal(/example\.org/.test(listed.stdout), false, 'no addresses of people');
  assert.equal(/anna|pilot/.test(streamer.output()), false, 'nobody in the log');
});
