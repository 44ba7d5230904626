/** Which series go to which destination, how fast and at which hours; what one of them holds back holds up no other. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { defined } from '@scanflow/failure/defined';
import {
  freePort,
  startOrthanc,
  startScriptedScp,
  startStorescp,
  storescu,
  until,
  type Program,
  type Storescp,
} from '@scanflow/testkit';
import {
  legOf,
  legWhen,
  makeRig,
  phantom,
  scratch,
  sendTo,
  settled,
  type Rig,
  type Series,
} from './streamer-support.ts';

const WAIT = { timeoutMs: 60_000, everyMs: 50 };

async function node(t: TestContext, port?: number): Promise<Storescp> {
  const scp = await startStorescp({ folder: await scratch(t), ...defined({ port }) });
  t.after(() => scp.stop());
  return scp;
}

const at = (port: number, more: object = {}): object => ({ host: '127.0.0.1', port, aet: 'ANY', ...more });

type Told = Series & { readonly notSent?: readonly { readonly target: string; readonly code: string }[] };

/** As `ct DEST_NOT_WANTED`. */
const notSent = (series: Told | undefined): string[] =>
  (series?.notSent ?? []).map(({ target, code }) => `${target} ${code}`);

test('rules: by AE title, project and description, each reaches exactly the right nodes', async (t) => {
  const [prisma, project, quiet] = [await node(t), await node(t), await node(t)];
  const folder = await scratch(t);
  const archive = await startOrthanc({ folder: join(folder, 'archive'), aet: 'ARCHIVE' });
  t.after(() => archive.kill());
  const rig = await makeRig(t, {
    unmatched: 'unknown/{SeriesInstanceUID}/{SOPInstanceUID}.dcm',
    extra: {
      destinations: {
        prisma: at(prisma.port, { when: { aet: ['PRISMA', 'OTHER'] } }),
        project: at(project.port, { when: { modality: ['MR'], project: ['3010000.02', '4*'] } }),
        quiet: at(quiet.port, { when: { description: ['T1*', 'local*'], not: { description: ['*scout'] } } }),
        archive: {
          host: '127.0.0.1',
          port: archive.dicomPort,
          aet: archive.aet,
          when: { not: { aet: ['SKYRA'] } },
        },
      },
    },
  });
  await rig.start();
  const series = [
    { callingAet: 'PRISMA', patientId: '3010000.01_sub-1', seriesDescription: 't1_mprage', images: 2 },
    { callingAet: 'SKYRA', patientId: '3010000.02_sub-2', seriesDescription: 'Localizer scout', images: 3 },
    { callingAet: 'PRISMA', patientId: 'nobody', seriesDescription: 'localizer', images: 4 },
  ];
  const uids: string[][] = [];
  for (const [index, { callingAet, ...options }] of series.entries()) {
    const made = await phantom(join(rig.folder, String(index)), { ...options, seriesNumber: index + 1 });
    uids.push(made.files.map((file) => basename(file, '.dcm')));
    await storescu({ port: rig.orthanc.dicomPort, calledAet: rig.orthanc.aet, callingAet }, [made.folder]);
  }
  const all: Told[] = await settled(rig, 3, ['complete']);
  const received = async (scp: Storescp): Promise<string[]> =>
    (await scp.files())
      .map((file) => /\.(?<uid>[\d.]+)$/.exec(basename(file))?.groups?.['uid'] ?? file)
      .sort();
  const [first = [], second = [], third = []] = uids;
  assert.deepEqual(await received(prisma), [...first, ...third].sort());
  assert.deepEqual(await received(project), [...second].sort());
  assert.deepEqual(await received(quiet), [...first, ...third].sort());
  const { CountInstances: archived } = (await archive.get('/statistics')) as { CountInstances: number };
  assert.equal(archived, 6);
  const told = (images: number): string[] =>
    notSent(all.find(({ images: { stored } }) => stored === images)).sort();
  assert.deepEqual(told(2), ['project DEST_NOT_WANTED']);
  assert.deepEqual(told(3), ['archive DEST_NOT_WANTED', 'prisma DEST_NOT_WANTED', 'quiet DEST_NOT_WANTED']);
  assert.deepEqual(told(4), ['project DEST_UNDECIDED']);
});

test('rules: changed or added later, what is pending follows them, and what is stored goes there when a person says so', async (t) => {
  const later = await node(t);
  const rig = await makeRig(t, {
    extra: { destinations: { down: at(await freePort(), { retry: { first: '1m' } }) } },
  });
  const before = await rig.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 3 });
  await sendTo(rig.orthanc, folder);
  await legWhen(rig, 'down', ({ failure }) => failure !== undefined, 'nobody is there');
  await before.stop();
  await configure(rig, {
    down: at(await freePort(), { when: { modality: ['CT'] } }),
    later: at(later.port, { when: { modality: ['MR'] } }),
  });
  await rig.start();
  const [pending] = await until(() => rig.series().catch(() => undefined), { ...WAIT, what: 'it answers' });
  assert.ok(pending !== undefined);
  assert.equal((await retry(rig, pending.id, 'down')).status, 200);
  const [series]: Told[] = await settled(rig, 1, ['complete']);
  assert.deepEqual(notSent(series), ['down DEST_NOT_WANTED', 'later DEST_CAME_LATER']);
  const refused = await retry(rig, pending.id, 'down');
  assert.equal(refused.status, 409);
  assert.match(await refused.text(), /when\.modality/);
  assert.equal((await later.files()).length, 0);
  assert.equal((await retry(rig, pending.id, 'later')).status, 200);
  await until(async () => (await later.files()).length === 3, { ...WAIT, what: 'the series is there' });
  const [done]: Told[] = await settled(rig, 1, ['complete']);
  assert.deepEqual(notSent(done), ['down DEST_NOT_WANTED']);
});

test('retry: given up visibly after its time, and sent when a person retries', async (t) => {
  const port = await freePort();
  const rig = await makeRig(t, {
    extra: {
      destinations: { down: at(port, { retry: { first: '100ms', most: '200ms', giveUp: '500ms' } }) },
    },
  });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 3 });
  await sendTo(rig.orthanc, folder);
  const [failed] = await settled(rig, 1, ['failed']);
  const { failure } = legOf(failed, 'down');
  assert.equal(failure?.code, 'FORWARD_GIVEN_UP');
  assert.match(failure.message, /DEST_UNREACHABLE/);
  const up = await node(t, port);
  assert.equal((await retry(rig, failed?.id ?? '', 'down')).status, 200);
  await settled(rig, 1, ['complete']);
  assert.equal((await up.files()).length, 3);
});

test('rate: it holds, and a slow destination holds up neither another nor the end of the streamer', async (t) => {
  const [fast, slow, crawling] = [await node(t), await node(t), await node(t)];
  const rig = await makeRig(t, {
    extra: {
      destinations: {
        fast: at(fast.port),
        // 10 at once, then 10 a second
        slow: at(slow.port, { rate: '600/min', associations: 2 }),
        // one at once, then one every ten seconds
        crawling: at(crawling.port, { rate: ['1MB/s', '6 images/min'] }),
      },
    },
  });
  const streamer = await rig.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 60 });
  const began = performance.now();
  await sendTo(rig.orthanc, folder);
  await until(async () => (await slow.files()).length === 60, { ...WAIT, what: 'the slow one has all' });
  const took = performance.now() - began;
  assert.ok(took >= ((60 - 10) / 10) * 1000 - 50, `60 images took ${took} ms`);
  await until(async () => (await fast.files()).length === 60, { ...WAIT, what: 'the fast one has all' });
  const leg = await legWhen(rig, 'crawling', ({ done }) => done > 0, 'the first of the crawling one');
  assert.equal(leg.state, 'pending');
  assert.equal(leg.failure, undefined);
  await streamer.stop();
  assert.doesNotMatch(streamer.output(), /did not stop/i);
  assert.ok((await crawling.files()).length < 60);
});

test('schedule: outside its hours a destination waits, also in the middle of a series, and others do not', async (t) => {
  const always = await node(t);
  const now = Temporal.Now.instant().toZonedDateTimeISO('UTC');
  const hour = (hours: number): string =>
    now.add({ hours }).toPlainTime().toString({ smallestUnit: 'minute' });
  let clock: (hours: number) => void = () => assert.fail('no streamer yet');
  const night = await startScriptedScp({
    onStore: (count) => {
      // the hours end while the series is sent
      if (count === 3) clock(5);
      return { status: 0 };
    },
  });
  t.after(() => night.close());
  const rig = await makeRig(t, {
    extra: {
      facility: { name: 'Test', timezone: 'UTC' },
      destinations: {
        always: at(always.port),
        night: at(night.port, { schedule: { from: hour(2), to: hour(4) } }),
      },
    },
  });
  clock = clockOf(rig, await startWithClock(rig));
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 40 });
  await sendTo(rig.orthanc, folder);
  await until(async () => (await always.files()).length === 40, { ...WAIT, what: 'the other has all' });
  const closed = await legWhen(rig, 'night', waits, 'the destination waits');
  assert.deepEqual([closed.state, closed.done, closed.failure], ['pending', 0, undefined]);
  const { status, body } = await rig.health();
  assert.equal(status, 200);
  assert.match(JSON.stringify(body['destinations']), new RegExp(`waits until (\\w+ )?${hour(2)}`));
  assert.equal(night.requests.length, 0);

  clock(3);
  const halted = await legWhen(rig, 'night', (leg) => leg.done >= 3 && waits(leg), 'it waits in the middle');
  assert.equal(halted.failure, undefined);
  assert.ok(halted.done < 40, `${halted.done} were sent`);

  clock(27);
  await settled(rig, 1, ['complete']);
  assert.equal(new Set(night.requests).size, 40);
  assert.equal(night.requests.length, 40, 'sent twice');
});

const waits = (leg: object): boolean => 'waits' in leg;

async function startWithClock(rig: Rig): Promise<Program> {
  const preload = join(import.meta.dirname, '../faults/clock.ts');
  const program = await rig.startWith(preload, { CLOCK_FILE: join(rig.folder, 'clock') });
  await settled(rig, 0);
  return program;
}

/** Sets the streamer's wall clock so many hours off. */
const clockOf =
  (rig: Rig, { pid }: Program) =>
  (hours: number): void => {
    writeFileSync(join(rig.folder, 'clock'), String(hours * 3_600_000));
    process.kill(pid, 'SIGUSR2');
  };

async function configure(rig: Rig, destinations: object): Promise<void> {
  const config = JSON.parse(await readFile(rig.configFile, 'utf8')) as object;
  await writeFile(rig.configFile, JSON.stringify({ ...config, destinations }));
}

const retry = (rig: Rig, id: string, target: string): Promise<Response> =>
  rig.api(`/api/series/${id}/retry`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ target }),
  });
