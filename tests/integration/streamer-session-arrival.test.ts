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
const TIMES = { arrivals: { quiet: '1500ms', poll: '100ms' }, sessions: { quiet: '500ms' } };

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
    return all.map(({ session }) => (session?.series ?? []).map(({ images }) => images.stored).sort());
  };
}

/** Sends one file after the other, as a scanner does that makes an image now and then. */
async function paced(rig: Rig, files: readonly string[]): Promise<void> {
  let next = performance.now();
  for (const file of files) {
    await until(() => Promise.resolve(performance.now() >= next), {
      what: 'the next image',
      timeoutMs: 5_000,
      everyMs: 10,
    });
    next += PACE_MS;
    await sendTo(rig.orthanc, file);
  }
}

const completed = (told: () => Promise<number[][]>): Promise<number[][]> =>
  until(
    async () => {
      const all = await told();
      return all.length > 0 ? all : undefined;
    },
    { what: 'the session is complete', timeoutMs: 60_000, everyMs: 100 },
  );

/** Two series of one study. */
async function twoSeries(rig: Rig): Promise<[string[], string[]]> {
  const one = await phantom(join(rig.folder, 'a'), { images: 2, accession: 'ACC1', seriesNumber: 1 });
  const two = await phantom(join(rig.folder, 'b'), { images: 6, accession: 'ACC1', seriesNumber: 2 });
  return [one.files, two.files];
}

test('session: a series that takes longer than sessions.quiet holds it up from its first image on', async (t) => {
  const rig = await makeRig(t);
  const told = await listening(rig);
  await rig.start();
  const [one, two] = await twoSeries(rig);
  await sendTo(rig.orthanc, ...one);
  await paced(rig, two);
  assert.deepEqual(await told(), [], 'told complete while images arrive');
  await settled(rig, 2, ['complete']);
  assert.deepEqual(await completed(told), [[2, 6]]);
});

test('session: two series whose images arrive by turns, each from several associations', async (t) => {
  const rig = await makeRig(t);
  const told = await listening(rig);
  await rig.start();
  const [, two] = await twoSeries(rig);
  const three = (await phantom(join(rig.folder, 'c'), { images: 6, accession: 'ACC1', seriesNumber: 3 }))
    .files;
  await paced(
    rig,
    two.flatMap((file, index) => [file, three[index] ?? file]),
  );
  await settled(rig, 2, ['complete']);
  assert.deepEqual(await completed(told), [[6, 6]]);
});

test('session: a series that begins while the streamer is down holds it up', async (t) => {
  const rig = await makeRig(t);
  const told = await listening(rig);
  const [one, two] = await twoSeries(rig);
  const streamer = await rig.start();
  await sendTo(rig.orthanc, ...one);
  await settled(rig, 1, ['complete']);
  // at once: the session is not complete yet
  await streamer.stop('SIGKILL');
  const before = await told();
  // its quiet time ends meanwhile
  await paced(rig, two.slice(0, 3));
  await rig.start();
  await paced(rig, two.slice(3));
  await settled(rig, 2, ['complete']);
  const after = (await completed(told)).slice(before.length);
  assert.deepEqual(after, [[2, 6]]);
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
    await paced(rig, two);
    assert.deepEqual(await told(), []);
    assert.deepEqual(await completed(told), [[2, 6]]);
    const answer = await apiFetch(rig.data, `${urls[1] ?? ''}/api/sessions`);
    const { sessions } = (await answer.json()) as { sessions: { increment: number }[] };
    assert.deepEqual(
      sessions.map(({ increment }) => increment),
      [1],
    );
  },
);
