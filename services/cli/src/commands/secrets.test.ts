/** What `scanflow secrets init` makes, keeps, and says. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { handOut, initSecrets } from './secrets.ts';

const NAMES = ['orthanc-netrc', 'orthanc-password', 'orthanc-users.json'];
const USERS = ['orthanc-people-password', 'orthanc-receiver-password'];
const DATABASES = ['board-password', 'cal2wl-password', 'ledger-password', 'orthanc-index-password'];
const ALL = [...NAMES, ...USERS, ...DATABASES].toSorted();

async function newFolder(t: TestContext): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'scanflow-secrets-'));
  t.after(() => rm(parent, { recursive: true }));
  return join(parent, 'secrets');
}

const readAll = async (folder: string): Promise<string[]> =>
  Promise.all(NAMES.map((name) => readFile(join(folder, name), 'utf8')));

test('secrets: Orthanc has a user for the streamer, one for people, one for the receiver; readable by owner and group', async (t) => {
  const folder = await newFolder(t);
  const report = await initSecrets(folder);
  assert.deepEqual((await readdir(folder)).toSorted(), ALL);
  const [netrc, password, users] = await readAll(folder);
  const word = password?.trimEnd() ?? '';
  assert.match(word, /^[A-Za-z0-9_-]{43}$/);
  const [people, receiver] = await Promise.all(
    USERS.map(async (name) => (await readFile(join(folder, name), 'utf8')).trimEnd()),
  );
  assert.deepEqual(JSON.parse(users ?? ''), { RegisteredUsers: { scanflow: word, people, receiver } });
  assert.equal(netrc, `machine 127.0.0.1 login scanflow password ${word}\n`);
  for (const name of ALL) assert.equal((await stat(join(folder, name))).mode & 0o777, 0o440);
  assert.equal((await stat(folder)).mode & 0o777, 0o750);
  assert.equal(report.length, ALL.length);
  assert.ok(!report.join().includes(word), 'no password in what it says');
});

test('secrets: all users have passwords of their own, kept like the others', async (t) => {
  const folder = await newFolder(t);
  await initSecrets(folder);
  const read = (): Promise<string[]> =>
    Promise.all(
      ['orthanc-password', ...USERS, ...DATABASES].map((name) => readFile(join(folder, name), 'utf8')),
    );
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

/** What version 0.1.0 made. */
async function makeOld(folder: string): Promise<Record<string, string>> {
  const word = 'a-word-of-version-0.1.0-and-of-its-volume00';
  const files = {
    'orthanc-password': `${word}\n`,
    'orthanc-users.json': `{\n  "RegisteredUsers": {\n    "scanflow": "${word}"\n  }\n}\n`,
    'orthanc-netrc': `machine 127.0.0.1 login scanflow password ${word}\n`,
    'ledger-password': 'a-word-for-the-ledger\n',
    'orthanc-index-password': 'a-word-for-the-index\n',
  };
  await mkdir(folder, { mode: 0o750 });
  for (const [name, text] of Object.entries(files))
    await writeFile(join(folder, name), text, { mode: 0o440 });
  return files;
}

test('secrets: a folder of version 0.1.0 gets what is new, and its passwords stay', async (t) => {
  const folder = await newFolder(t);
  const { 'orthanc-users.json': _, ...old } = await makeOld(folder);
  const report = await initSecrets(folder);
  for (const [name, text] of Object.entries(old))
    assert.equal(await readFile(join(folder, name), 'utf8'), text);
  const { RegisteredUsers: users } = JSON.parse(
    await readFile(join(folder, 'orthanc-users.json'), 'utf8'),
  ) as {
    RegisteredUsers: Record<string, string>;
  };
  assert.deepEqual(Object.keys(users).toSorted(), ['people', 'receiver', 'scanflow']);
  assert.equal(`${users['scanflow']}\n`, old['orthanc-password']);
  assert.equal(users['people'], (await readFile(join(folder, 'orthanc-people-password'), 'utf8')).trim());
  assert.match(report.join('\n'), /orthanc-users\.json: people and receiver added/);
  assert.equal((await stat(join(folder, 'orthanc-users.json'))).mode & 0o777, 0o440);
  assert.ok((await initSecrets(folder)).every((line) => line.endsWith('left as it is')));
});

test('secrets: a user of ones own at Orthanc stays', async (t) => {
  const folder = await newFolder(t);
  await mkdir(folder);
  const own = { RegisteredUsers: { alice: 'a-word-of-alice' } };
  await writeFile(join(folder, 'orthanc-users.json'), JSON.stringify(own));
  await initSecrets(folder);
  const { RegisteredUsers: users } = JSON.parse(
    await readFile(join(folder, 'orthanc-users.json'), 'utf8'),
  ) as {
    RegisteredUsers: Record<string, string>;
  };
  assert.equal(users['alice'], 'a-word-of-alice');
  assert.deepEqual(Object.keys(users).toSorted(), ['alice', 'people', 'receiver', 'scanflow']);
});

test('secrets: each service gets its own and nobody else’s; what people put there goes to the streamer', async (t) => {
  const folder = await newFolder(t);
  await initSecrets(folder);
  await writeFile(join(folder, 'pacs-token'), 'of a destination');
  const got = async (reader: string): Promise<string[]> => {
    const to = `${folder}-${reader}`;
    assert.deepEqual(await handOut(folder, reader, to), []);
    return (await readdir(to)).toSorted();
  };
  assert.deepEqual(await got('orthanc'), ['orthanc-index-password', 'orthanc-netrc', 'orthanc-users.json']);
  assert.deepEqual(await got('streamer'), ['ledger-password', 'orthanc-password', 'pacs-token']);
  assert.deepEqual(await got('receiver'), ['orthanc-receiver-password']);
  assert.deepEqual(await got('postgres'), DATABASES);
  assert.deepEqual(await got('dashboard'), ['board-password']);
  assert.deepEqual(await got('cal2wl'), ['cal2wl-password']);
});

test('secrets: copies follow their originals, and what is the same is not written again', async (t) => {
  const folder = await newFolder(t);
  await initSecrets(folder);
  await writeFile(join(folder, 'pacs-token'), 'one');
  const to = `${folder}-streamer`;
  await handOut(folder, 'streamer', to);
  const written = async (name: string): Promise<bigint> => (await stat(join(to, name), { bigint: true })).ino;
  const before = await written('orthanc-password');
  await writeFile(join(folder, 'pacs-token'), 'two');
  await handOut(folder, 'streamer', to);
  assert.equal(await readFile(join(to, 'pacs-token'), 'utf8'), 'two');
  assert.equal(await written('orthanc-password'), before);
  await unlink(join(folder, 'pacs-token'));
  await handOut(folder, 'streamer', to);
  assert.deepEqual((await readdir(to)).toSorted(), ['ledger-password', 'orthanc-password']);
});
