/** Files that are missing from project storage: "complete" is said only of files that are there. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort, startStorescp, until } from '@scanflow/testkit';
import { folderOf, verifyForwarded, verifyStored } from './streamer-verify.ts';
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

interface Written {
  readonly counts: { readonly stored: number; readonly failed: number };
  readonly failures: readonly { readonly code: string; readonly file?: string }[];
  readonly instances: readonly { readonly file: string; readonly increment: number }[];
  readonly missing?: readonly { readonly file: string }[];
}

const written = async (folder: string): Promise<Written> =>
  JSON.parse(await readFile(join(folder, 'series.json'), 'utf8')) as Written;

const imagesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.endsWith('.dcm'));

async function retry(rig: Rig, { id }: Series, body: object = {}): Promise<{ status: number; text: string }> {
  const response = await rig.api(`/api/series/${id}/retry`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}

async function complete(rig: Rig): Promise<Series> {
  const [series] = await settled(rig, 1);
  assert.equal(series?.state, 'complete');
  return series;
}

test('missing files: those that a killed streamer had stored are pulled again', async (t) => {
  const rig = await makeRig(t);
  const sent = await phantom(join(rig.folder, 'in'), { images: 40 });
  const first = await rig.start({ at: 'images-recorded', nth: 2 });
  await sendTo(rig.orthanc, sent.folder);
  await first.ended;
  await rm(join(rig.root, '3010000.01'), { recursive: true });
  await rig.start();
  const series = await complete(rig);
  assert.equal(await verifyStored(rig, series), 40);
});

test('missing files: the folder moves away while it is written, and all is pulled again', async (t) => {
  const rig = await makeRig(t, { quiet: '1s' });
  const sent = await phantom(join(rig.folder, 'in'), { images: 300 });
  await sendTo(rig.orthanc, sent.folder);
  await rig.start();
  const session = join(rig.root, '3010000.01/raw/sub-001/ses-mri01');
  await until(
    async () => {
      const [name] = await readdir(session).catch(() => []);
      if (name === undefined || (await imagesIn(join(session, name))).length < 40) return undefined;
      await rename(join(session, name), join(rig.folder, 'moved'));
      return true;
    },
    { what: 'a folder with some images', timeoutMs: 30_000, everyMs: 5 },
  );
  assert.equal(await verifyStored(rig, await complete(rig)), 300);
});

test('missing files: a retry of a complete series pulls what is missing, and sends nothing again', async (t) => {
  const rig = await makeRig(t);
  const copy = join(rig.folder, 'copy');
  await mkdir(copy);
  const config = JSON.parse(await readFile(rig.configFile, 'utf8')) as object;
  const storage = { root: rig.root, tar: true, copy: { root: copy } };
  await writeFile(rig.configFile, JSON.stringify({ ...config, storage }));
  await rig.start();
  const sent = await phantom(join(rig.folder, 'in'), { images: 4 });
  await sendTo(rig.orthanc, sent.folder);
  const series = await complete(rig);
  const nothing = await retry(rig, series);
  assert.equal(nothing.status, 409);
  assert.match(nothing.text, /Nothing to retry: .*files of all 4 images are there/);
  const folder = folderOf(series);
  const [one = '', two = '', three = ''] = await imagesIn(folder);
  await rm(join(folder, one));
  await truncate(join(folder, two), 10);
  await rm(join(folder, three));
  await symlink('/etc/hostname', join(folder, three));
  const [copied = ''] = await imagesBelow(copy);
  await rm(copied);
  const begun = await retry(rig, series);
  assert.deepEqual([begun.status, JSON.parse(begun.text)], [200, { targets: ['storage', 'copy'] }]);
  const after = await complete(rig);
  const record = await written(folder);
  assert.equal(record.instances.length, 4);
  assert.ok(record.instances.every(({ increment }) => increment === 1));
  assert.equal((await imagesBelow(copy)).length, 4);
  // what lay under the names was kept: one was cut, one is a link
  assert.equal((await imagesIn(folder)).length, 6);
  await rm(join(folder, 'series.tar'));
  assert.equal((await retry(rig, after)).status, 200);
  await complete(rig);
  assert.ok((await readdir(folder)).includes('series.tar'));
});

const imagesBelow = async (root: string): Promise<string[]> =>
  (await readdir(root, { recursive: true }))
    .filter((name) => name.endsWith('.dcm'))
    .map((name) => join(root, name));

test('missing files: those that Orthanc has no longer fail the series visibly, and mend it once they are back', async (t) => {
  const rig = await makeRig(t);
  await rig.start();
  const sent = await phantom(join(rig.folder, 'in'), { images: 3 });
  await sendTo(rig.orthanc, sent.folder);
  const series = await complete(rig);
  const folder = folderOf(series);
  const [one = ''] = await imagesIn(folder);
  await rename(join(folder, one), join(rig.folder, one));
  await rig.orthanc.request(`/series/${series.id}`, { method: 'DELETE' });
  assert.equal((await retry(rig, series)).status, 200);
  const [failed] = await settled(rig, 1, ['failed']);
  assert.equal(legOf(failed, 'storage').failure?.code, 'STORE_FILE_MISSING');
  const record = await written(folder);
  assert.deepEqual(
    record.missing?.map(({ file }) => file),
    [one],
  );
  assert.deepEqual(
    record.failures.map(({ code, file }) => [code, file]),
    [['STORE_FILE_MISSING', one]],
  );
  assert.equal(record.counts.stored, 2);
  await rename(join(rig.folder, one), join(folder, one));
  assert.equal((await retry(rig, series)).status, 200);
  await complete(rig);
  assert.equal((await written(folder)).missing, undefined);
});

test('missing files: a folder that is gone, with the series gone from Orthanc too, fails visibly', async (t) => {
  const rig = await makeRig(t);
  await rig.start();
  const sent = await phantom(join(rig.folder, 'in'), { images: 3 });
  await sendTo(rig.orthanc, ...sent.files.slice(0, 2));
  const series = await complete(rig);
  await rm(folderOf(series), { recursive: true });
  await rig.orthanc.request(`/series/${series.id}`, { method: 'DELETE' });
  assert.equal((await retry(rig, series)).status, 200);
  const [failed] = await settled(rig, 1, ['failed']);
  assert.equal(legOf(failed, 'storage').failure?.code, 'STORE_FILE_MISSING');
  // late images are stored, and the loss goes on to show
  await sendTo(rig.orthanc, ...sent.files.slice(2));
  const leg = await legWhen(
    rig,
    'storage',
    ({ state, done }) => state === 'failed' && done === 1,
    'the late image',
  );
  assert.equal(leg.failure?.code, 'STORE_FILE_MISSING');
});

test('missing files: late images show that earlier ones were taken away, and these are pulled again', async (t) => {
  const rig = await makeRig(t);
  await rig.start();
  const sent = await phantom(join(rig.folder, 'in'), { images: 4 });
  await sendTo(rig.orthanc, ...sent.files.slice(0, 3));
  const folder = folderOf(await complete(rig));
  const [one = ''] = await imagesIn(folder);
  await rm(join(folder, one));
  await sendTo(rig.orthanc, ...sent.files.slice(3));
  assert.equal(await verifyStored(rig, await complete(rig)), 4);
  const increments = (await written(folder)).instances.map(({ increment }) => increment);
  assert.deepEqual(increments.toSorted(), [1, 1, 1, 2]);
});

test('missing files: late images do not follow a link that took the folder’s place', async (t) => {
  const rig = await makeRig(t);
  await rig.start();
  const sent = await phantom(join(rig.folder, 'in'), { images: 4 });
  await sendTo(rig.orthanc, ...sent.files.slice(0, 2));
  const series = await complete(rig);
  const outside = join(rig.folder, 'outside');
  await rename(folderOf(series), outside);
  await symlink(outside, folderOf(series));
  await sendTo(rig.orthanc, ...sent.files.slice(2));
  const [failed] = await settled(rig, 1, ['failed']);
  assert.equal(legOf(failed, 'storage').failure?.code, 'STORE_OUTSIDE_ROOT');
  assert.equal((await imagesIn(outside)).length, 2);
  await rm(folderOf(series));
  await rename(outside, folderOf(series));
  assert.equal((await retry(rig, series)).status, 200);
  assert.equal(await verifyStored(rig, await complete(rig)), 4);
});

test('missing files: a file that is taken away before it is sent is pulled again, and then sent', async (t) => {
  const port = await freePort();
  const rig = await makeRig(t, { destinations: { pacs: port } });
  await rig.start();
  const sent = await phantom(join(rig.folder, 'in'), { images: 3 });
  await sendTo(rig.orthanc, sent.folder);
  await legWhen(rig, 'pacs', ({ failure }) => failure !== undefined, 'the destination to be down');
  const [series] = await rig.series();
  assert.ok(series !== undefined);
  const folder = folderOf(series);
  const [one = ''] = await imagesIn(folder);
  await rm(join(folder, one));
  const pacs = await startStorescp({ folder: await scratch(t), aet: 'PACS', port });
  t.after(() => pacs.stop());
  const [after] = await settled(rig, 1, ['complete'], 120_000);
  assert.ok(after !== undefined);
  assert.equal(await verifyStored(rig, after), 3);
  assert.equal(await verifyForwarded([folder], await pacs.files()), 3);
});

test('missing files: a series.json out of an older backup is not sent from', async (t) => {
  const port = await freePort();
  const rig = await makeRig(t, { destinations: { pacs: port } });
  await rig.start();
  const sent = await phantom(join(rig.folder, 'in'), { images: 4 });
  await sendTo(rig.orthanc, ...sent.files.slice(0, 2));
  const waiting = await legWhen(rig, 'storage', ({ done }) => done === 2, 'the first images');
  const record = join(waiting.path ?? '', 'series.json');
  const older = await readFile(record);
  await sendTo(rig.orthanc, ...sent.files.slice(2));
  await legWhen(rig, 'storage', ({ state, done }) => state === 'done' && done === 4, 'the late ones');
  await writeFile(record, older);
  const pacs = await startStorescp({ folder: await scratch(t), aet: 'PACS', port });
  t.after(() => pacs.stop());
  const [after] = await settled(rig, 1, ['complete'], 120_000);
  assert.ok(after !== undefined);
  assert.equal(await verifyStored(rig, after), 4);
  assert.equal(await verifyForwarded([folderOf(after)], await pacs.files()), 4);
});
