/** Orthanc's index in a PostgreSQL that fails over: nothing that was answered Success is lost, or `scanflow orthanc forgotten` finds it. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findOrthanc, findPostgres, run, startProgram, storescu, until } from '@scanflow/testkit';
import { address, asynchronousPair, cutReplica, orthancOn, pair, portOf, promote } from './postgres-pair.ts';
import { dataSetHash, hashOf, instances, startRig, storedHashes, writeImages } from './receiver-support.ts';
import { makeRig, phantom, scratch, sendTo, settled, type Rig } from './streamer-support.ts';
import { folderOf, verifyStored } from './streamer-verify.ts';

const PLUGIN = '/usr/share/orthanc/plugins/libOrthancPostgreSQLIndex.so';
const skip =
  findPostgres() === undefined || findOrthanc() === undefined || !existsSync(PLUGIN)
    ? 'PostgreSQL, Orthanc or its plugin is not installed'
    : false;
const CLI = fileURLToPath(new URL('../../services/cli/src/main.ts', import.meta.url));

/** Sends until everything was answered Success, as a scanner does. */
async function sendPatiently(port: number, folder: string): Promise<void> {
  await until(
    () =>
      storescu({ port, calledAet: 'SCANFLOW', callingAet: 'PRISMA' }, [folder]).then(
        () => true,
        () => undefined,
      ),
    { what: 'all images are sent', timeoutMs: 120_000, everyMs: 250 },
  );
}

test(
  'failover of the index: the primary is killed while images come in; Orthanc goes on at the promoted replica',
  { skip },
  async (t) => {
    const { primary, replica } = await pair(t);
    await primary.makeDatabase('orthanc');
    const place = await address(t, portOf(primary));
    const rig = await startRig(t, { orthanc: orthancOn(primary, place.port) });
    const folders = [1, 2, 3].map((number) => join(rig.folder, `mr${number}`));
    const files = (
      await Promise.all(folders.map((folder, seed) => writeImages(folder, 40, seed + 1)))
    ).flat();
    const sending = folders.map((folder) => sendPatiently(rig.port, folder));
    const count = async (): Promise<number> =>
      ((await rig.orthanc.get('/statistics')) as { CountInstances: number }).CountInstances;
    await until(async () => (await count()) >= 10, { what: 'images come in', timeoutMs: 60_000, everyMs: 5 });
    const pid = rig.orthanc.pid();
    await primary.kill();
    await promote(replica);
    place.move(portOf(replica));
    const moved = performance.now();
    await until(async () => (await count().catch(() => 0)) > 0, {
      what: 'Orthanc answers',
      timeoutMs: 60_000,
    });
    t.diagnostic(`Orthanc answers again after ${Math.round(performance.now() - moved)} ms`);
    await Promise.all(sending);
    assert.equal(rig.orthanc.pid(), pid);
    assert.ok(!rig.receiver().exited());
    assert.deepEqual(await unreadable(rig.orthanc), []);
    const expected = (await Promise.all(files.map(hashOf))).sort();
    assert.deepEqual([...new Set(await storedHashes(rig))].sort(), expected);
  },
);

test(
  'failover of the index: the answer to a commit is lost; the image is kept when it is sent again',
  { skip },
  async (t) => {
    const { primary } = await asynchronousPair(t);
    await primary.makeDatabase('orthanc');
    let [isStored, isLost] = [false, false];
    let uid = 'none yet';
    const place = await address(t, portOf(primary), (said) => {
      isStored ||= said.includes(uid);
      const loses = isStored && !isLost && said.includes('COMMIT');
      isLost ||= loses;
      return loses;
    });
    const rig = await startRig(t, { orthanc: orthancOn(primary, place.port) });
    const [image = ''] = await writeImages(join(rig.folder, 'mr'), 1);
    uid = basename(image, '.dcm');
    const sending = sendPatiently(rig.port, image);
    const indexed = 'SELECT count(*) FROM resources WHERE resourcetype = 3';
    await until(async () => isLost && (await primary.query('orthanc', indexed)) === '1\n', {
      what: 'the index has the image',
      timeoutMs: 60_000,
      everyMs: 20,
    });
    place.cut();
    await sending;
    const [id = ''] = await instances(rig);
    // Orthanc 1.12 removes the file, 1.10 keeps it
    const lost = (await unreadable(rig.orthanc)).length > 0;
    const kept = await rig.orthanc.request(`/instances/${id}/attachments/${lost ? '5110' : 'dicom'}/data`);
    assert.equal(kept.status, 200);
    assert.equal(dataSetHash(new Uint8Array(await kept.arrayBuffer())), await hashOf(image));
  },
);

/** Instances whose file Orthanc cannot read. */
async function unreadable(orthanc: Rig['orthanc']): Promise<string[]> {
  const found: string[] = [];
  for (const id of (await orthanc.get('/instances')) as string[]) {
    const answer = await orthanc.request(`/instances/${id}/file`);
    await answer.arrayBuffer();
    if (answer.status !== 200) found.push(id);
  }
  return found;
}

/** `scanflow orthanc forgotten` with the configuration of a rig. */
function forgottenOf(rig: Rig) {
  const storage = join(rig.folder, 'orthanc', 'storage');
  const args = [CLI, 'orthanc', 'forgotten', storage, '--config', rig.configFile, '--age', '0s', '--json'];
  const ask = async (...more: string[]): Promise<{ code: number | null; report: Report }> => {
    const { code, stdout, stderr } = await run(process.execPath, [...args, ...more], { timeoutMs: 120_000 });
    assert.notEqual(stdout, '', stderr);
    return { code, report: JSON.parse(stdout) as Report };
  };
  return { storage, ask, start: () => startProgram(process.execPath, [...args, '--import']) };
}

interface Report {
  readonly counts: Readonly<Record<string, number>>;
  readonly imported: number;
  readonly removed: number;
  readonly findings: readonly { readonly file: string; readonly kind: string }[];
}

async function asyncRig(t: TestContext) {
  const servers = await asynchronousPair(t);
  await servers.primary.makeDatabase('orthanc');
  const place = await address(t, portOf(servers.primary));
  const rig = await makeRig(t, { orthanc: orthancOn(servers.primary, place.port) });
  const failOver = async (): Promise<void> => {
    await servers.primary.kill();
    await promote(servers.replica);
    place.move(portOf(servers.replica));
  };
  return { servers, rig, failOver };
}

test(
  'forgotten: what an asynchronous replica lacked is found and imported, also after a kill, and stored once',
  { skip },
  async (t) => {
    const { servers, rig, failOver } = await asyncRig(t);
    const made = await scratch(t);
    const [first, more, second, third] = await Promise.all([
      phantom(join(made, '1'), { images: 12, seed: 1 }),
      // the same series, with images behind those
      phantom(join(made, '1more'), { images: 16, seed: 1 }),
      phantom(join(made, '2'), { images: 12, seed: 2, studyId: 'ses-mri02' }),
      phantom(join(made, '3'), { images: 80, seed: 3, studyId: 'ses-mri03' }),
    ]);
    const names = new Set(first.files.map((file) => basename(file)));
    const late = more.files.filter((file) => !names.has(basename(file)));
    const early = await rig.start();
    await sendTo(rig.orthanc, first.folder);
    await settled(rig, 1, ['complete']);
    await cutReplica(servers);
    await sendTo(rig.orthanc, second.folder);
    await settled(rig, 2, ['complete']);
    await early.stop('SIGKILL');
    await sendTo(rig.orthanc, ...late, third.folder);
    const all = [...first.files, ...late, ...second.files, ...third.files];
    const count = async (): Promise<number> =>
      ((await rig.orthanc.get('/statistics')) as { CountInstances: number }).CountInstances;
    assert.equal(await count(), all.length);
    await failOver();
    await until(async () => (await count().catch(() => 0)) === first.files.length, {
      what: 'the index forgot what the replica lacked',
      timeoutMs: 60_000,
    });

    const { storage, ask, start } = forgottenOf(rig);
    const looked = await ask();
    const lost = all.length - first.files.length;
    assert.deepEqual([looked.code, looked.report.counts], [1, { forgotten: lost }]);
    const known = new Set(await Promise.all(first.files.map(hashOf)));
    const expected = (await Promise.all(all.map(hashOf))).filter((hash) => !known.has(hash)).sort();
    const found = looked.report.findings.map(({ file }) => hashOf(join(storage, file)));
    assert.deepEqual((await Promise.all(found)).sort(), expected);

    const killed = await start();
    await until(async () => (await count()) > first.files.length, {
      what: 'the import has begun',
      timeoutMs: 60_000,
      everyMs: 2,
    });
    await killed.stop('SIGKILL');
    const there = (await count()) - first.files.length;
    assert.ok(there < lost, 'it was done before the kill');
    const imported = await ask('--import');
    assert.deepEqual([imported.code, imported.report.imported], [0, lost - there]);
    assert.equal(imported.report.counts['spare'], there);

    await rig.start();
    const series = await settled(rig, 3, ['complete']);
    let stored = 0;
    for (const one of series) stored += await verifyStored(rig, one);
    assert.equal(stored, all.length);
    assert.equal(new Set(series.map(folderOf)).size, 3);

    const removed = await ask('--remove');
    assert.deepEqual([removed.code, removed.report.removed], [0, lost]);
    const left = (await readdir(storage, { recursive: true })).filter((name) => name.length > 40);
    assert.equal(left.length, all.length);
    const hashes = await Promise.all(
      left.map(async (name) => dataSetHash(await readFile(join(storage, name)))),
    );
    assert.deepEqual(hashes.sort(), (await Promise.all(all.map(hashOf))).sort());
    const again = await ask();
    assert.deepEqual([again.code, again.report.counts], [0, {}]);
  },
);
