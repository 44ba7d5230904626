/** A facility's own data are saved while everything runs, and put back: also older ones, with or without Orthanc and storage. */
import assert from 'node:assert/strict';
import { appendFile, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startScriptedScp, until, type ScriptedScp } from '@scanflow/testkit';
import { filesBelow, rebuilt, scanflow } from './streamer-loss-support.ts';
import { bookingRecord, legOf, makeRig, phantom, sendTo, settled, type Rig } from './streamer-support.ts';

interface Place {
  readonly rig: Rig;
  readonly pacs: ScriptedScp;
  readonly backups: string;
}

async function place(t: TestContext): Promise<Place> {
  const pacs = await startScriptedScp();
  t.after(() => pacs.close());
  const rig = await makeRig(t, { destinations: { pacs: pacs.port } });
  await rig.book(bookingRecord({ accessionNumber: 'ACC1' }));
  await mkdir(join(rig.data, 'performed'), { recursive: true });
  await mkdir(join(rig.data, 'cal2wl'), { recursive: true });
  await writeFile(join(rig.data, 'performed', '1.2.3.json'), '{}\n');
  await writeFile(join(rig.data, 'cal2wl', 'prisma.json'), '{}\n');
  return { rig, pacs, backups: join(rig.folder, 'backups') };
}

async function backup({ rig, backups }: Place, ...flags: string[]): Promise<string> {
  const result = await scanflow('backup', backups, '--json', ...flags, '--config', rig.configFile);
  assert.equal(result.code, 0, result.stderr);
  return (JSON.parse(result.stdout) as { path: string }).path;
}

const restore = ({ rig }: Place, from: string, ...flags: string[]): ReturnType<typeof scanflow> =>
  scanflow('restore', from, ...flags, '--config', rig.configFile);

async function send({ rig }: Place, name: string, images: number, ...only: number[]): Promise<string[]> {
  const { files } = await phantom(join(rig.folder, name), { images, studyId: `ses-${name}` });
  const chosen = only.length === 0 ? files : only.map((index) => files[index] ?? '');
  await sendTo(rig.orthanc, ...chosen);
  return files;
}

async function loseData({ rig }: Place): Promise<void> {
  await rm(rig.data, { recursive: true });
  await mkdir(rig.data);
}

const bookingIn = async ({ rig }: Place): Promise<unknown> =>
  JSON.parse(await readFile(join(rig.data, 'bookings', 'ACC1.json'), 'utf8'));

test('backup: made while everything runs; all lost but storage and Orthanc; restored as it was', async (t) => {
  const all = await place(t);
  const { rig, pacs } = all;
  await rig.start();
  await send(all, 'a', 3);
  await settled(rig, 1, ['complete']);
  const booking = await bookingIn(all);
  const path = await backup(all);
  const files = await filesBelow(rig.root);
  await rig.streamer().stop();
  await loseData(all);
  const restored = await restore(all, all.backups);
  assert.equal(restored.code, 0, restored.stderr);
  assert.ok(restored.stdout.includes(path), restored.stdout);
  assert.deepEqual(await bookingIn(all), booking);
  assert.equal(await readFile(join(rig.data, 'performed', '1.2.3.json'), 'utf8'), '{}\n');
  assert.equal(await readFile(join(rig.data, 'cal2wl', 'prisma.json'), 'utf8'), '{}\n');
  await rig.start();
  await rebuilt(rig);
  const [series] = await settled(rig, 1, ['complete']);
  assert.equal(legOf(series, 'pacs').state, 'done');
  assert.deepEqual(await filesBelow(rig.root), files);
  assert.equal(pacs.requests.length, 3);
  // life goes on
  await send(all, 'b', 2);
  await settled(rig, 2, ['complete']);
  assert.equal(pacs.requests.length, 5);
});

test('backup: older than storage and Orthanc: nothing is stored twice, what went out since is unknown', async (t) => {
  const all = await place(t);
  const { rig, pacs } = all;
  await rig.start();
  const files = await send(all, 'a', 4, 0, 1, 2);
  await settled(rig, 1, ['complete']);
  await backup(all);
  await sendTo(rig.orthanc, files[3] ?? '');
  await until(() => pacs.requests.length === 4, { what: 'the late image is sent', timeoutMs: 30_000 });
  await send(all, 'b', 2);
  await settled(rig, 2, ['complete']);
  await rig.streamer().stop();
  const stored = await filesBelow(rig.root);
  await loseData(all);
  assert.equal((await restore(all, all.backups)).code, 0);
  await rig.start();
  await rebuilt(rig);
  const series = await settled(rig, 2, ['failed']);
  for (const one of series) assert.equal(legOf(one, 'pacs').failure?.code, 'SENT_UNKNOWN');
  assert.deepEqual(await filesBelow(rig.root), stored);
  assert.equal(pacs.requests.length, 6);
  // of the first series only the late image is unknown
  const first = series.find(({ images }) => images.stored === 4);
  await scanflow('series', 'retry', first?.id ?? '', '--config', rig.configFile);
  await until(() => pacs.requests.length === 7, { what: 'one image is sent', timeoutMs: 30_000 });
  await until(async () => (await rig.series()).some(({ state }) => state === 'complete'), {
    what: 'the first series is complete',
    timeoutMs: 30_000,
  });
  assert.equal(pacs.requests.length, 7);
  assert.equal(pacs.requests[6], pacs.requests[3]);
});

for (const [what, age] of [
  ['all of one moment', 'same'],
  ['storage newer than Orthanc and the ledger', 'newer'],
  ['storage older than the ledger', 'older'],
] as const)
  test(`backup: storage and Orthanc restored, too: ${what}`, async (t) => {
    const all = await place(t);
    const { rig, pacs } = all;
    const copy = async (name: string, from: string): Promise<void> =>
      cp(from, join(rig.folder, name), { recursive: true, preserveTimestamps: true });
    const back = async (name: string, to: string): Promise<void> => {
      await rm(to, { recursive: true });
      await copy('gone', join(rig.folder, name)).catch(() => undefined);
      await cp(join(rig.folder, name), to, { recursive: true, preserveTimestamps: true });
    };
    await rig.start();
    const files = await send(all, 'a', 4, 0, 1, 2);
    await settled(rig, 1, ['complete']);
    if (age === 'older') await copy('kept-root', rig.root);
    if (age === 'older') {
      await sendTo(rig.orthanc, files[3] ?? '');
      await until(() => pacs.requests.length === 4, { what: 'the late image is sent', timeoutMs: 30_000 });
      await settled(rig, 1, ['complete']);
    }
    await backup(all);
    await rig.orthanc.stop();
    await copy('kept-orthanc', rig.orthanc.folder);
    await rig.orthanc.start();
    if (age === 'newer') {
      await sendTo(rig.orthanc, files[3] ?? '');
      await until(() => pacs.requests.length === 4, { what: 'the late image is sent', timeoutMs: 30_000 });
      await settled(rig, 1, ['complete']);
    }
    if (age !== 'older') await copy('kept-root', rig.root);
    await rig.streamer().stop();
    const requests = pacs.requests.length;
    // the machine is gone
    await rig.orthanc.stop();
    await loseData(all);
    await back('kept-orthanc', rig.orthanc.folder);
    await back('kept-root', rig.root);
    await rig.orthanc.start();
    assert.equal((await restore(all, all.backups)).code, 0);
    await rig.start();
    await rebuilt(rig);
    const [series] = await settled(rig, 1, age === 'same' ? ['complete'] : ['failed']);
    assert.equal(series?.images.stored, age === 'same' ? 3 : 4);
    assert.equal(legOf(series, 'storage').state, 'done');
    assert.equal(legOf(series, 'pacs').failure?.code, age === 'same' ? undefined : 'SENT_UNKNOWN');
    const names = [...(await filesBelow(rig.root)).keys()].filter((name) => name.endsWith('.dcm'));
    assert.equal(names.length, age === 'same' ? 3 : 4);
    assert.equal(pacs.requests.length, requests);
  });

test('backup: taken again and again while images come, each is whole', async (t) => {
  const all = await place(t);
  await all.rig.start();
  const sending = (async (): Promise<void> => {
    for (const name of ['a', 'b', 'c', 'd']) await send(all, name, 6);
  })();
  const made = new Set<string>();
  for (let count = 0; count < 3; count += 1) {
    made.add(await backup({ ...all, backups: join(all.backups, String(count)) }));
    for (const entry of await readdir(join(all.backups, String(count)))) assert.match(entry, /^scanflow-/);
  }
  await sending;
  await settled(all.rig, 4, ['complete']);
  await all.rig.streamer().stop();
  for (const path of made) {
    const result = await restore(all, path);
    assert.equal(result.code, 0, result.stderr);
  }
});

test('restore: what is not whole, newer, or in use is refused, and nothing is changed', async (t) => {
  const all = await place(t);
  const { rig } = all;
  await rig.start();
  await send(all, 'a', 2);
  await settled(rig, 1, ['complete']);
  const path = await backup(all);
  const refused = async (pattern: RegExp): Promise<void> => {
    const before = await filesBelow(join(rig.data, 'bookings'));
    const result = await restore(all, path);
    assert.equal(result.code, 1, result.stdout);
    assert.match(result.stderr, pattern);
    assert.deepEqual(await filesBelow(join(rig.data, 'bookings')), before);
    await assert.rejects(stat(join(rig.data, 'streamer', 'rebuild.json')));
  };
  await refused(/streamer runs; nothing was changed/);
  await rig.streamer().stop();
  const file = join(path, 'data', 'bookings', 'ACC1.json');
  const text = await readFile(file);
  await appendFile(file, ' ');
  await refused(/bookings\/ACC1\.json is not what was written/);
  await rm(file);
  await refused(/bookings\/ACC1\.json is missing/);
  await writeFile(file, text);
  await writeFile(join(path, 'data', 'bookings', 'more.json'), '{}');
  await refused(/more\.json, which its manifest does not name/);
  await rm(join(path, 'data', 'bookings', 'more.json'));
  const manifest = join(path, 'manifest.json');
  const whole = await readFile(manifest, 'utf8');
  await writeFile(manifest, whole.replace(/"scanflow": "[^"]+"/, '"scanflow": "99.0.0"'));
  await refused(/was made by Scanflow 99\.0\.0/);
  await writeFile(manifest, whole.replace('"data/bookings/ACC1.json"', '"data/../../ACC1.json"'));
  await refused(/manifest\.json cannot be read/);
  await writeFile(manifest, whole);
  const restored = await restore(all, path);
  assert.equal(restored.code, 0, restored.stderr);
  const kept = (await readdir(join(rig.data, 'bookings'))).find((name) =>
    name.startsWith('.before-restore-'),
  );
  assert.ok(kept !== undefined);
  assert.deepEqual(await readFile(join(rig.data, 'bookings', kept, 'ACC1.json')), text);
});

test('backup: secrets only where they are asked for, and the configuration without them', async (t) => {
  const all = await place(t);
  const { rig } = all;
  const secret = (await readFile(rig.orthanc.passwordFile, 'utf8')).trim();
  const holds = async (path: string): Promise<boolean> => {
    for (const entry of await readdir(path, { recursive: true, withFileTypes: true }))
      if (entry.isFile() && (await readFile(join(entry.parentPath, entry.name), 'utf8')).includes(secret))
        return true;
    return false;
  };
  const plain = await backup({ ...all, backups: join(rig.folder, 'plain') });
  assert.equal(await holds(plain), false);
  const full = await backup({ ...all, backups: join(rig.folder, 'full') }, '--with-secrets');
  assert.equal(await holds(full), true);
  assert.equal((await stat(full)).mode & 0o077, 0, 'others may look');
  assert.ok((await readdir(join(plain, 'config'))).includes('scanflow.yaml'));
  await rm(rig.orthanc.passwordFile);
  assert.equal((await restore(all, full)).code, 0);
  await assert.rejects(stat(rig.orthanc.passwordFile));
  const restored = await restore(all, full, '--with-secrets');
  assert.equal(restored.code, 0, restored.stderr);
  assert.equal((await readFile(rig.orthanc.passwordFile, 'utf8')).trim(), secret);
});

test('restore: what was erased since the backup stays known; erasures of another key are not mixed in', async (t) => {
  const all = await place(t);
  const { rig } = all;
  const erasures = join(rig.data, 'erasures');
  await mkdir(erasures);
  const put = (name: string, text: string): Promise<void> => writeFile(join(erasures, name), text);
  await put('key', 'k'.repeat(32));
  await put('0000000000000001.json', 'before');
  const path = await backup(all);
  await put('0000000000000001.json', 'before, ended since');
  await put('0000000000000002.json', 'since');
  const now = await filesBelow(erasures);
  assert.equal((await restore(all, path)).code, 0);
  assert.deepEqual(await filesBelow(erasures), now);
  await put('key', 'another key'.padEnd(32));
  const refused = await restore(all, path);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /erasures of another key than the backup; nothing was changed/);
  await rm(erasures, { recursive: true });
  assert.equal((await restore(all, path)).code, 0);
  assert.deepEqual((await readdir(erasures)).toSorted(), ['0000000000000001.json', 'key']);
});
