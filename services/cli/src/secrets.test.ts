/** What `scanflow secrets init` makes, keeps, and says. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { initSecrets } from './secrets.ts';

const NAMES = ['orthanc-netrc', 'orthanc-password', 'orthanc-users.json'];
const DATABASES = ['ledger-password', 'orthanc-index-password'];
const ALL = [...NAMES, ...DATABASES].toSorted();

async function newFolder(t: TestContext): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'scanflow-secrets-'));
  t.after(() => rm(parent, { recursive: true }));
  return join(parent, 'secrets');
}

const readAll = async (folder: string): Promise<string[]> =>
  Promise.all(NAMES.map((name) => readFile(join(folder, name), 'utf8')));

test('secrets: Orthanc has three files with one random password, readable by owner and group', async (t) => {
  const folder = await newFolder(t);
  const report = await initSecrets(folder);
  assert.deepEqual((await readdir(folder)).toSorted(), ALL);
  const [netrc, password, users] = await readAll(folder);
  const word = password?.trimEnd() ?? '';
  assert.match(word, /^[A-Za-z0-9_-]{43}$/);
  assert.deepEqual(JSON.parse(users ?? ''), { RegisteredUsers: { scanflow: word } });
  assert.equal(netrc, `machine 127.0.0.1 login scanflow password ${word}\n`);
  for (const name of ALL) assert.equal((await stat(join(folder, name))).mode & 0o777, 0o440);
  assert.equal((await stat(folder)).mode & 0o777, 0o750);
  assert.equal(report.length, ALL.length);
  assert.ok(!report.join().includes(word), 'no password in what it says');
});

test('secrets: the users of the databases have passwords of their own, kept like the others', async (t) => {
  const folder = await newFolder(t);
  await initSecrets(folder);
  const read = (): Promise<string[]> =>
    Promise.all(['orthanc-password', ...DATABASES].map((name) => readFile(join(folder, name), 'utf8')));
  const words = await read();
  for (const word of words) assert.match(word, /^[A-Za-z0-9_-]{43}\n$/);
  assert.equal(new Set(words).size, words.length);
  await initSecrets(folder);
  assert.deepEqual(await read(), words);
});

test('secrets: two folders have different passwords', async (t) => {
  const folders = [await newFolder(t), await newFolder(t)];
  const passwords = new Set<string>();
  for (const folder of folders) {
    await initSecrets(folder);
    passwords.add(await readFile(join(folder, 'orthanc-password'), 'utf8'));
  }
  assert.equal(passwords.size, 2);
});

test('secrets: a second run changes nothing', async (t) => {
  const folder = await newFolder(t);
  await initSecrets(folder);
  const before = await readAll(folder);
  const report = await initSecrets(folder);
  assert.deepEqual(await readAll(folder), before);
  assert.ok(report.every((line) => line.endsWith('left as it is')));
});

test('secrets: runs at the same time agree', async (t) => {
  const folder = await newFolder(t);
  await Promise.all(Array.from({ length: 8 }, () => initSecrets(folder)));
  const [netrc, password, users] = await readAll(folder);
  assert.ok(netrc?.includes(password?.trimEnd() ?? '-'));
  assert.ok(users?.includes(password?.trimEnd() ?? '-'));
  assert.deepEqual((await readdir(folder)).toSorted(), ALL);
});

test('secrets: a password of ones own is taken over, and files of another password are named', async (t) => {
  const folder = await newFolder(t);
  await initSecrets(folder);
  await unlink(join(folder, 'orthanc-password'));
  await unlink(join(folder, 'orthanc-netrc'));
  await writeFile(join(folder, 'orthanc-password'), 'a-word-of-ones-own\n');
  const report = await initSecrets(folder);
  assert.match(report.join('\n'), /orthanc-users\.json: .* does not hold the password/);
  assert.match(await readFile(join(folder, 'orthanc-netrc'), 'utf8'), /password a-word-of-ones-own\n$/);
});

test('secrets: a password that no netrc can hold is refused', async (t) => {
  const folder = await newFolder(t);
  await initSecrets(folder);
  for (const word of ['', 'two words are too many', 'quote"quote"quote', 'short']) {
    await unlink(join(folder, 'orthanc-password'));
    await writeFile(join(folder, 'orthanc-password'), word);
    await assert.rejects(initSecrets(folder), /holds no usable password/);
  }
});
