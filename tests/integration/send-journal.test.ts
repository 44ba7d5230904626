/** `scanflow send` goes on where it was: after Ctrl-C, a kill or a failure, by the same command. */
import { strict as assert } from 'node:assert';
import { readdir, readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { run, startProgram, until, type Program } from '@scanflow/testkit';
import { tar } from './send-archives.ts';
import { folder, images, json, SCANFLOW, scripted, send, to, type Images } from './send-support.ts';

async function many(t: TestContext, all: Images): Promise<string> {
  const root = await folder(t);
  let at = 0;
  for (const bytes of all.values())
    await writeFile(join(root, `${String((at += 1)).padStart(3, '0')}.dcm`), bytes);
  return root;
}

/** A journal of its own, and the command that uses it. */
async function noted(t: TestContext): Promise<{ args: string[]; path: string }> {
  const path = join(await folder(t), 'send.journal');
  return { args: ['--journal', path], path };
}

const lines = async (path: string): Promise<number> => {
  const text = await readFile(path, 'utf8').catch(() => '');
  return Math.max(0, text.split('\n').length - 2);
};

for (const signal of ['SIGINT', 'SIGKILL'] as const)
  test(`journal: after ${signal} the same command sends what is left`, async (t) => {
    const all = images(30);
    const root = await many(t, all);
    const state = await folder(t);
    const env = { XDG_STATE_HOME: state };
    let silent = true;
    const scp = await scripted(t, {
      onStore: (count) => (silent && count > 12 ? 'never answer' : { status: 0 }),
    });
    const program: Program = await startProgram(SCANFLOW, ['send', root, ...to(scp), '--json'], { env });
    const journal = async (): Promise<string> => {
      const [name] = await readdir(join(state, 'scanflow', 'send')).catch(() => []);
      return name === undefined ? '' : join(state, 'scanflow', 'send', name);
    };
    await until(async () => (await lines(await journal())) === 12, {
      what: '12 images to be noted',
      timeoutMs: 60_000,
    });
    await program.stop(signal);
    assert.equal(await lines(await journal()), 12);
    const text = await readFile(await journal(), 'utf8');
    for (const uid of all.keys()) assert.ok(!text.includes(uid) && !text.includes('.dcm'));
    // one of the twelve was replaced meanwhile: the same size, an older time
    const changed = join(root, '003.dcm');
    const bytes = await readFile(changed);
    await writeFile(`${changed}.new`, bytes);
    await utimes(`${changed}.new`, 0, 0);
    await rename(`${changed}.new`, changed);
    const before = scp.requests.length;
    silent = false;
    const again = await run(SCANFLOW, ['send', root, ...to(scp), '--json'], { env, timeoutMs: 60_000 });
    assert.equal(again.code, 0, again.stderr);
    assert.deepEqual([json(again).sent, json(again).earlier], [19, 11]);
    assert.equal(scp.requests.length - before, 19);
    assert.equal(await journal(), '', 'nothing is left to go on with');
  });

test('journal: what failed for good is tried again, and the rest is not; --again sends all', async (t) => {
  const all = images(10);
  const bad = [...all.keys()][4];
  let heals = false;
  const scp = await scripted(t, { onStore: (_, uid) => ({ status: uid === bad && !heals ? 0xa900 : 0 }) });
  const root = await many(t, all);
  const { args, path } = await noted(t);
  const first = await send(root, ...to(scp), '--json', ...args);
  assert.deepEqual([first.code, json(first).sent], [1, 9]);
  heals = true;
  const text = await send(root, ...to(scp), ...args);
  assert.match(text.stdout, /1 images sent .*, 9 sent earlier \(--again sends them anew\)/);
  assert.equal(text.code, 0);
  const third = await send(root, ...to(scp), '--json', ...args);
  assert.deepEqual([third.code, json(third).sent, json(third).earlier], [0, 0, 10]);
  const again = await send(root, ...to(scp), '--json', '--again', ...args);
  assert.deepEqual([again.code, json(again).sent, json(again).earlier], [0, 10, 0]);
  assert.equal(await lines(path), 10);
});

test('journal: images of an archive are noted by the archive; a line that a crash cut off does no harm', async (t) => {
  const all = images(6);
  const archive = join(await folder(t), 'a.tgz');
  const packed = gzipSync(await tar([...all.values()].map((bytes, at) => ({ name: `${at}.dcm`, bytes }))));
  await writeFile(archive, packed);
  const bad = [...all.keys()][2];
  const scp = await scripted(t, { onStore: (_, uid) => ({ status: uid === bad ? 0xa900 : 0 }) });
  const { args, path } = await noted(t);
  await send(archive, ...to(scp), ...args);
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.slice(0, -5));
  const second = await send(archive, ...to(scp), '--json', ...args);
  assert.deepEqual([json(second).sent, json(second).earlier], [1, 4]);
  await writeFile(archive, packed);
  const third = await send(archive, ...to(scp), '--json', ...args);
  assert.deepEqual([json(third).sent, json(third).earlier], [5, 0], 'the archive was written anew');
});

test('journal: one of another destination, and what is no journal, are refused before anything is sent', async (t) => {
  const scp = await scripted(t, {});
  const root = await many(t, images(2));
  const { args, path } = await noted(t);
  await send(root, ...to(scp), ...args);
  const other = await send(root, '--to', 'OTHER@127.0.0.1:1', ...args);
  assert.deepEqual([other.code, scp.requests.length], [2, 2]);
  assert.match(other.stderr, /no journal of scanflow send to OTHER@127\.0\.0\.1:1/);
  await writeFile(path, 'a text\n');
  assert.equal((await send(root, ...to(scp), ...args)).code, 2);
  assert.equal(await readFile(path, 'utf8'), 'a text\n');
});
