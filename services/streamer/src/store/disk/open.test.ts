import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { tryAccess } from './open.ts';
import { createStore } from './store.ts';
import { freshRecord, put, ours } from '@scanflow/testkit/streamer';

async function scratch(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'scanflow-access-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  return root;
}

const asRoot = process.getuid?.() === 0;
const skip = asRoot ? false : 'only root may give files away';

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o7777).toString(8);

test('access: files and folders have the mode that the configuration gives, whatever the umask', async (t) => {
  const root = await scratch(t);
  const store = createStore(root, { access: { fileMode: 0o664, folderMode: 0o2775 } });
  const folder = await store.claim(['p', 's'], freshRecord('one'));
  await put(store, folder, 'a.dcm', 'x');
  await store.writeManifest(folder, folder.record, ours);
  await store.writeRecord(folder, folder.record, ours);
  for (const path of ['p', 'p/s']) assert.equal(await modeOf(join(root, path)), '2775', path);
  for (const name of await readdir(folder.path))
    assert.equal(await modeOf(join(folder.path, name)), '664', name);
});

test('access: a folder that was there keeps its mode', async (t) => {
  const root = await scratch(t);
  await mkdir(join(root, 'p'));
  await chmod(join(root, 'p'), 0o750);
  const store = createStore(root, { access: { folderMode: 0o2775 } });
  await store.claim(['p', 's'], freshRecord('one'));
  assert.equal(await modeOf(join(root, 'p')), '750');
});

test('access: files and folders belong to whom the configuration says', { skip }, async (t) => {
  const root = await scratch(t);
  const access = { owner: 12345, group: 23456, folderMode: 0o2750 };
  const store = createStore(root, { access });
  const folder = await store.claim(['p'], freshRecord('one'));
  await put(store, folder, 'a.dcm', 'x');
  for (const path of [folder.path, join(folder.path, 'a.dcm'), join(folder.path, 'series.json')]) {
    const { uid, gid } = await stat(path);
    assert.deepEqual([uid, gid], [12345, 23456], path);
  }
  assert.equal(await modeOf(folder.path), '2750');
  await tryAccess([root, join(root, 'not there')], access);
  assert.deepEqual(await readdir(root), ['p']);
});

test('access: what the service may not do shows at start, and leaves nothing behind', { skip }, async (t) => {
  const root = await scratch(t);
  await chown(root, 12345, 12345);
  const module = join(import.meta.dirname, 'open.ts');
  // everything is loaded before the process becomes a user without privileges, as in a container
  const script = `
    const { tryAccess } = await import(${JSON.stringify(module)});
    process.setgroups([]); process.setgid(12345); process.setuid(12345);
    try { await tryAccess([${JSON.stringify(root)}], { owner: 1 }); } catch (error) { console.log(error.message); }
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  assert.match(
    stdout,
    /the service may not give files to user 1 and still work with them\. Run it as that user/,
    stderr,
  );
  assert.deepEqual(await readdir(root), []);
});
