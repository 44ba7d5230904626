/** Stored files are read again and compared; what is missing or changed shows, and is put back. */
import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { run, until } from '@scanflow/testkit';
import { folderOf, recordOf, verifyStored } from './streamer-verify.ts';
import { makeRig, phantom, sendTo, settled, type Rig, type Series } from './streamer-support.ts';
import { sha256 } from './sha256.ts';
import { scanflow, verificationOf, verifiedWhen } from './streamer-verify-support.ts';

/** A streamer with one series of so many images. */
async function stored(rig: Rig, images = 6): Promise<{ series: Series; folder: string; files: string[] }> {
  await rig.start();
  await sendTo(rig.orthanc, (await phantom(join(rig.folder, 'in'), { images })).folder);
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  const folder = folderOf(series);
  return { series, folder, files: (await recordOf(folder)).instances.map(({ file }) => file) };
}

async function flip(path: string): Promise<Buffer> {
  const bytes = await readFile(path);
  const before = Buffer.from(bytes);
  const at = bytes.length - 10;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(path, bytes);
  return before;
}

/** With further keys of `storage`. */
async function rigWith(t: TestContext, keys: Readonly<Record<string, unknown>>): Promise<Rig> {
  const rig = await makeRig(t);
  await configure(rig, keys);
  return rig;
}

async function configure(rig: Rig, keys: Readonly<Record<string, unknown>>): Promise<void> {
  const config = JSON.parse(await readFile(rig.configFile, 'utf8')) as { storage: object };
  const storage = { ...config.storage, ...keys };
  await writeFile(rig.configFile, JSON.stringify({ ...config, storage }, null, 2));
}

test('verify: good files are good, and nothing is written', async (t) => {
  const rig = await makeRig(t);
  const { series, folder } = await stored(rig);
  const before = await stat(join(folder, 'series.json'));
  const { code, stdout, stderr } = await scanflow(rig, 'verify', series.id.slice(0, 8));
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^1 of 1 good$/m);
  const [verification] = await verificationOf(rig, series);
  assert.equal(verification?.files, 6);
  assert.equal(typeof verification.good, 'string');
  assert.equal(
    (await stat(join(folder, 'series.json'))).mtimeMs,
    before.mtimeMs,
    'a backup would see a change',
  );
  assert.match((await scanflow(rig, 'series', 'show', series.id)).stdout, /^verified +20/m);
});

test('verify: deleted, truncated, flipped: each shows everywhere, and is put back beside what was changed', async (t) => {
  const rig = await makeRig(t);
  const { series, folder, files } = await stored(rig);
  const [gone = '', cut = '', flipped = ''] = files;
  const before = await flip(join(folder, flipped));
  await rm(join(folder, gone));
  await truncate(join(folder, cut), 100);
  const found = await scanflow(rig, 'verify', '--project', '3010000.01', '--json');
  assert.equal(found.code, 1, found.stderr);
  const { results } = JSON.parse(found.stdout) as {
    results: { outcome: { code: string; findings: object[] } }[];
  };
  assert.equal(results[0]?.outcome.code, 'VERIFY_CHANGED');
  assert.deepEqual(
    new Set(results[0].outcome.findings.map((one) => JSON.stringify(one))),
    new Set(
      [
        { file: gone, kind: 'missing' },
        { file: cut, kind: 'changed' },
        { file: flipped, kind: 'changed' },
      ].map((one) => JSON.stringify(one)),
    ),
  );
  const [failed] = await settled(rig, 1, ['failed']);
  assert.ok(failed !== undefined);
  assert.match((await scanflow(rig, 'series', 'list')).stdout, /failed .*storage: VERIFY_CHANGED/);
  assert.match(await rig.metrics(), /^scanflow_streamer_verify_failing\{code="VERIFY_CHANGED"\} 1$/m);
  const record = (await recordOf(folder)) as unknown as {
    verification: { outcome: string; files: string[] };
  };
  assert.equal(record.verification.outcome, 'failed');
  assert.equal(record.verification.files.length, 3);
  const written = await stat(join(folder, 'series.json'));
  assert.equal((await scanflow(rig, 'verify')).code, 1);
  assert.equal((await stat(join(folder, 'series.json'))).mtimeMs, written.mtimeMs, 'the outcome is the same');

  const repaired = await scanflow(rig, 'verify', series.id, '--repair');
  assert.equal(repaired.code, 0, repaired.stdout + repaired.stderr);
  assert.match(repaired.stdout, /3 files put back/);
  const [good] = await settled(rig, 1, ['complete']);
  assert.ok(good !== undefined);
  assert.equal(sha256(await readFile(join(folder, flipped))), sha256(before));
  const aside = (await readdir(folder)).filter((name) => name.includes('_changed'));
  assert.equal(aside.length, 2, `what was changed is not kept: ${aside.join()}`);
  for (const name of aside) await rename(join(folder, name), join(rig.folder, name));
  assert.equal(await verifyStored(rig, good), 6);
});

test('verify: by schedule, without being asked, until a series is old', async (t) => {
  const rig = await rigWith(t, { verify: { every: '1s', rate: '1MB/s' } });
  const { series, folder, files } = await stored(rig, 3);
  const first = await verifiedWhen(rig, series, ({ good }) => good !== undefined, 'it is good');
  const file = join(folder, files[1] ?? '');
  const before = await flip(file);
  const bad = await verifiedWhen(rig, series, ({ failure }) => failure !== undefined, 'it is changed');
  assert.equal(bad.failure?.code, 'VERIFY_CHANGED');
  assert.ok((bad.good ?? '') >= (first.good ?? ''), 'the last good verification is forgotten');
  const { body } = await until(
    async () => {
      const health = await rig.health();
      return String(health.body['verify']).startsWith('VERIFY_CHANGED: 1 series') ? health : undefined;
    },
    { what: '/healthz says so', timeoutMs: 30_000 },
  );
  assert.equal(body['status'], 'ok', 'a restart would mend no file');
  await writeFile(file, before);
  await verifiedWhen(rig, series, ({ failure }) => failure === undefined, 'it is good again');
  const record = (await recordOf(folder)) as unknown as { verification: { outcome: string } };
  assert.equal(record.verification.outcome, 'good');
  assert.equal(await verifyStored(rig, series), 3);
  // from now on it is too old
  await rig.streamer().stop();
  await configure(rig, { verify: { every: '1s', until: '1s' } });
  await rig.start();
  const over = await verifiedWhen(rig, series, ({ due }) => due === undefined, 'it is not due any more');
  await rm(file);
  const { code } = await scanflow(rig, 'verify', series.id);
  assert.equal(code, 1, 'a person may still ask');
  const asked = await verifiedWhen(rig, series, ({ looked }) => looked !== over.looked, 'it was looked at');
  assert.equal(asked.due, undefined);
});

test('verify: what a person acknowledges is known, with who, when and why, until something else is wrong', async (t) => {
  const rig = await makeRig(t);
  const { series, folder, files } = await stored(rig, 3);
  const refused = await scanflow(rig, 'verify', 'acknowledge', series.id, '--reason', 'none');
  assert.deepEqual([refused.code, refused.stdout], [1, ''], refused.stderr);
  await rename(join(folder, files[0] ?? ''), join(rig.folder, 'moved.dcm'));
  assert.equal((await scanflow(rig, 'verify', series.id)).code, 1);
  const reason = 'moved to the archive';
  const known = await scanflow(rig, 'verify', 'acknowledge', '--project', '3010000.01', '--reason', reason);
  assert.equal(known.code, 0, known.stderr);
  await settled(rig, 1, ['complete']);
  const [verification] = await verificationOf(rig, series);
  assert.equal(verification?.acknowledged?.reason, reason);
  assert.ok(verification.acknowledged.by.length > 0);
  const again = await scanflow(rig, 'verify', series.id);
  assert.equal(again.code, 0, again.stdout);
  assert.match(again.stdout, /acknowledged/);
  const record = (await recordOf(folder)) as unknown as {
    verification: { acknowledged: { reason: string } };
  };
  assert.equal(record.verification.acknowledged.reason, reason);
  assert.doesNotMatch(rig.streamer().output(), /moved to the archive/, 'a reason may name people');
  assert.match(await rig.metrics(), /^scanflow_streamer_verify_acknowledged 1$/m);
  await rm(join(folder, files[1] ?? ''));
  assert.equal((await scanflow(rig, 'verify', series.id)).code, 1);
  await settled(rig, 1, ['failed']);
});

test('verify: the copy and series.tar are verified, and each place is mended from the other', async (t) => {
  const rig = await makeRig(t, { extra: { tag: { apply: 'none' } } });
  const copies = join(rig.folder, 'copies');
  await mkdir(copies);
  await configure(rig, { tar: true, copy: { root: copies } });
  const { series, folder, files } = await stored(rig, 4);
  files.sort();
  const good = await scanflow(rig, 'verify', series.id, '--json');
  assert.equal(good.code, 0, good.stderr);
  const { results } = JSON.parse(good.stdout) as { results: { place: string; outcome: { files: number } }[] };
  assert.deepEqual(
    results.map(({ place, outcome }) => [place, outcome.files]),
    [
      ['copy', 4],
      ['storage', 5],
    ],
  );
  const tar = await flip(join(folder, 'series.tar'));
  await rm(join(folder, files[0] ?? ''));
  const changed = await flip(join(folder, files[1] ?? ''));
  const copied = (await readdir(copies, { recursive: true })).filter((name) => name.endsWith('.dcm')).sort();
  await rm(join(copies, copied[3] ?? ''));
  const bad = await scanflow(rig, 'verify', series.id);
  assert.equal(bad.code, 1);
  assert.match(bad.stdout, /changed: series\.tar/);
  // Orthanc has nothing of it any more
  await rig.orthanc.request(`/series/${series.id}`, { method: 'DELETE' });
  const repaired = await scanflow(rig, 'verify', series.id, '--repair');
  assert.equal(repaired.code, 0, repaired.stdout + repaired.stderr);
  assert.deepEqual(await readFile(join(folder, 'series.tar')), tar);
  assert.deepEqual(await readFile(join(folder, files[1] ?? '')), changed);
  const names = await readdir(folder);
  assert.deepEqual(names.filter((name) => name.includes('_changed')).length, 2, names.join());
});

test('verify: a folder that is gone is stored anew while Orthanc has it, and said to be lost when it has not', async (t) => {
  const rig = await makeRig(t);
  const { series, folder } = await stored(rig, 3);
  await rm(folder, { recursive: true });
  const bad = await scanflow(rig, 'verify', series.id);
  assert.equal(bad.code, 1);
  assert.match(bad.stdout, /VERIFY_RECORD_GONE/);
  const repaired = await scanflow(rig, 'verify', series.id, '--repair');
  assert.equal(repaired.code, 0, repaired.stdout + repaired.stderr);
  const [again] = await settled(rig, 1, ['complete']);
  assert.ok(again !== undefined);
  assert.equal(await verifyStored(rig, again), 3);
  await rm(folderOf(again), { recursive: true });
  await rig.orthanc.request(`/series/${series.id}`, { method: 'DELETE' });
  const lost = await scanflow(rig, 'verify', series.id, '--repair');
  assert.equal(lost.code, 1);
  assert.match(lost.stdout, /put back: 0, left: 1\. .*backup/);
});

test('verify: nothing is read outside the root, whatever series.json and links say', async (t) => {
  const rig = await makeRig(t);
  const { series, folder } = await stored(rig, 2);
  const secret = join(rig.folder, 'secret');
  await writeFile(secret, 'secret');
  const record = JSON.parse(await readFile(join(folder, 'series.json'), 'utf8')) as {
    instances: { file: string; sha256: string; bytes: number }[];
  };
  const [first, second] = record.instances;
  assert.ok(first !== undefined && second !== undefined);
  await rm(join(folder, first.file));
  await symlink(secret, join(folder, first.file));
  first.sha256 = sha256(Buffer.from('secret'));
  first.bytes = 6;
  Object.assign(second, { file: '../../../../../secret', sha256: first.sha256, bytes: 6 });
  await writeFile(join(folder, 'series.json'), JSON.stringify(record));
  const inside = await scanflow(rig, 'verify', series.id);
  assert.equal(inside.code, 1);
  assert.match(inside.stdout, /^ {2}unreadable: \.\.\/.*\n {2}changed: .*\.dcm$/m, inside.stdout);
  // a pipe is not waited for
  await rm(join(folder, first.file));
  assert.equal((await run('mkfifo', [join(folder, first.file)])).code, 0);
  assert.match((await scanflow(rig, 'verify', series.id)).stdout, /changed: /);
  await rename(folder, join(rig.folder, 'elsewhere'));
  await symlink(join(rig.folder, 'elsewhere'), folder);
  const outside = await scanflow(rig, 'verify', series.id);
  assert.match(outside.stdout, /STORE_OUTSIDE_ROOT/);
});

test('verify: a streamer that is killed meanwhile goes on, and the command waits for it', async (t) => {
  const rig = await rigWith(t, { verify: { every: 'never', rate: '100kB/s' } });
  const { series } = await stored(rig, 30);
  const asked = scanflow(rig, 'verify', series.id, '--json');
  await until(() => rig.streamer().output().includes('verification requested by hand'), {
    what: 'it is asked for',
    timeoutMs: 30_000,
  });
  await rig.streamer().stop('SIGKILL');
  await rig.start();
  const { code, stdout, stderr } = await asked;
  assert.equal(code, 0, stderr);
  assert.match(stdout, /"good": 1/);
  const none = await scanflow(rig, 'verify', '--project', 'nobody');
  assert.deepEqual([none.code, none.stdout], [2, '']);
  await rig.streamer().stop();
  assert.equal((await scanflow(rig, 'verify')).code, 2);
});
