/** A session is complete once, after all of its images: a series counts from its first image on. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { apiFetch, findPostgres, freePort, startPostgres, startProgram, until } from '@scanflow/testkit';
import { makeRig, phantom, sendTo, settled, type Rig } from './streamer-support.ts';

interface Told {
  readonly event: string;
  readonly session?: { readonly series: readonly { readonly images: { readonly stored: number } }[] };
}

/** Longer than the quiet time of a session, and shorter than that of a series. */
const PACE_MS = 700;
const TIMES = { arrivals: { quiet: '2500ms', poll: '100ms' }, sessions: { quiet: '500ms' } };
/** Six quiet times of a session: somebody who does not wait for the images tells it by then. */
const LONG_MS = 3_000;

/** A hook that writes down each session that is complete, and the configuration with it. */
async function listening(rig: Rig): Promise<() => Promise<number[][]>> {
  const folder = join(rig.folder, 'told');
  await mkdir(folder);
  const script = 'cat >"$1/.$$" && mv "$1/.$$" "$1/$(date +%s%N)-$$.json"';
  const before = JSON.parse(await readFile(rig.configFile, 'utf8')) as Record<string, unknown>;
  const hooks = { all: { on: ['complete'], command: ['/bin/sh', '-c', script, 'sh', folder] } };
  await writeFile(rig.configFile, JSON.stringify({ ...before, ...TIMES, hooks }));
  return async () => {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
    const all = await Promise.all(
      names.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as Told),
    );
    return all.map(({ session }) =>
      (session?.series ?? []).map(({ images }) => images.stored).sort((a, b) => a - b),
    );
  };
}

/** Sends one file after the other, as a scanner does that makes an image now and then, as long as it goes on. Gives how many. */
async function paced(
  rig: Rig,
  files: readonly string[],
  goesOn: (ms: number) => boolean | Promise<boolean> = () => true,
): Promise<number> {
  const began = performance.now();
  let sent = 0;
  for (const file of files) {
    await until(() => performance.now() - began >= sent * PACE_MS, {
      what: 'the next image',
      timeoutMs: 5_000,
      everyMs: 10,
    });
    if (!(await goesOn(performance.now() - began))) return sent;
    await sendTo(rig.orthanc, file);
    sent += 1;
  }
  return sent;
}

/** As long as the first series is not complete, and for a long time after that. */
function longerThan(states: () => Promise<readonly string[]>): (ms: number) => Promise<boolean> {
  let complete = Infinity;
  return async (ms) => {
    // a streamer that has just been started does not answer yet
    const known = complete === Infinity ? await states().catch(() => []) : [];
    if (known.includes('complete')) complete = ms;
    return ms < complete + LONG_MS;
  };
}

const statesIn = (rig: Rig) => async (): Promise<string[]> => (await rig.series()).map(({ state }) => state);

const completed = (told: () => Promise<number[][]>): Promise<number[][]> =>
  until(
    async () => {
      const all = await told();
      return all.length > 0 ? all : undefined;
    },
    { what: 'the session is complete', timeoutMs: 60_000, everyMs: 100 },
  );

/** Two series of one study: one of two images, and one of more than a test sends. */
async function twoSeries(rig: Rig): Promise<[string[], string[]]> {
  const one = await phantom(join(rig.folder, 'a'), { images: 2, accession: 'ACC1', seriesNumber: 1 });
  const two = await phantom(join(rig.folder, 'b'), { images: 60, accession: 'ACC1', seriesNumber: 2 });
  return [one.files, two.files];
}

test('session: a series that takes longer than sessions.quiet holds it up from its first image on', async (t) => {
  const rig = await makeRig(t);
  const told = await listening(rig);
  await rig.start();
  const [one, two] = await twoSeries(rig);
  await sendTo(rig.orthanc, ...one);
  const images = await paced(rig, two, longerThan(statesIn(rig)));
  assert.deepEqual(await told(), [], 'told complete while images arrive');
  await settled(rig, 2, ['complete']);
  assert.deepEqual(await completed(told), [[2, images]]);
});

test('session: two series whose images arrive by turns, each from several associations', async (t) => {
  const rig = await makeRig(t);
  const told = await listening(rig);
  await rig.start();
  const [one, two] = await twoSeries(rig);
  const [first = '', ...rest] = two;
  await paced(rig, [first, ...one]);
  const images = 1 + (await paced(rig, rest, longerThan(statesIn(rig))));
  assert.deepEqual(await told(), [], 'told complete while images of one arrive');
  await settled(rig, 2, ['complete']);
  assert.deepEqual(await completed(told), [[2, images]]);
});

test('session: a series that begins while the streamer is down holds it up', async (t) => {
  const rig = await makeRig(t);
  const told = await listening(rig);
  const [one, two] = await twoSeries(rig);
  const streamer = await rig.start({ at: 'series-stored' });
  await sendTo(rig.orthanc, ...one);
  await until(() => streamer.exited(), { what: 'it is stored', timeoutMs: 60_000 });
  // its quiet time ends meanwhile
  const before = await paced(rig, two.slice(0, 3));
  await rig.start();
  const images = before + (await paced(rig, two.slice(before), longerThan(statesIn(rig))));
  assert.deepEqual(await told(), [], 'told complete while images arrive');
  await settled(rig, 2, ['complete']);
  assert.deepEqual(await completed(told), [[2, images]]);
});

test(
  'session: of several streamers with one ledger, none tells it before its images are there',
  { skip: findPostgres() === undefined ? 'PostgreSQL is not installed' : false },
  async (t) => {
    const server = await startPostgres();
    t.after(() => server.stop());
    const rig = await makeRig(t);
    const told = await listening(rig);
    const main = join(import.meta.dirname, '../../services/streamer/src/main.ts');
    const urls: string[] = [];
    for (const number of [1, 2]) {
      const port = await freePort();
      const config = JSON.parse(await readFile(rig.configFile, 'utf8')) as Record<string, unknown>;
      const ledger = { url: server.url, passwordFile: server.passwordFile, lease: '4s' };
      const http = { bind: '127.0.0.1', ports: { cal2wl: 0, worklist: 0, streamer: port } };
      const file = join(rig.folder, `scanflow-${number}.yaml`);
      await writeFile(file, JSON.stringify({ ...config, ledger, http }));
      const program = await startProgram(process.execPath, [main, '--config', file]);
      t.after(() => program.stop('SIGKILL'));
      urls.push(`http://127.0.0.1:${port}`);
    }
    const [one, two] = await twoSeries(rig);
    await sendTo(rig.orthanc, ...one);
    const ask = async (path: string): Promise<Record<string, { state: string; increment: number }[]>> =>
      (await apiFetch(rig.data, `${urls[1] ?? ''}${path}`)).json() as never;
    const states = async (): Promise<string[]> =>
      ((await ask('/api/series'))['series'] ?? []).map(({ state }) => state);
    const images = await paced(rig, two, longerThan(states));
    assert.deepEqual(await told(), []);
    assert.deepEqual(await completed(told), [[2, images]]);
    const { sessions = [] } = await ask('/api/sessions');
    assert.deepEqual(
      sessions.map(({ increment }) => increment),
      [1],
    );
  },
);
