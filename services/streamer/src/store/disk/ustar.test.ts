import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { TAR_END, tarHeader, tarPadding } from './ustar.ts';

const run = promisify(execFile);

async function scratch(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-tar-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const LONG = `${'f'.repeat(120)}/${'n'.repeat(99)}`;
const NAMES = [
  'a/b.dcm',
  LONG,
  `a/${'x'.repeat(180)}.dcm`,
  `${'d'.repeat(200)}/x.dcm`,
  'a/ä漢字.dcm',
  // lengths at which the record's own length gets a digit more
  ...[82, 83, 84, 85, 86, 87, 88].map((length) => `a/${'é'.repeat(length / 2)}${'y'.repeat(length % 2)}`),
];

test('ustar: GNU tar reads every name, and the bytes', async (t) => {
  const folder = await scratch(t);
  const parts = NAMES.flatMap((name) => {
    const content = Buffer.from(`content of ${name}`);
    return [tarHeader(name, content.length), content, tarPadding(content.length)];
  });
  await writeFile(join(folder, 'x.tar'), Buffer.concat([...parts, TAR_END]));
  const { stdout, stderr } = await run('tar', ['-tf', 'x.tar', '--quoting-style=literal'], {
    cwd: folder,
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  assert.deepEqual(stdout.trimEnd().split('\n'), NAMES);
  assert.equal(stderr, '');
  await run('tar', ['-xf', 'x.tar'], { cwd: folder });
  for (const name of NAMES) assert.equal(await readFile(join(folder, name), 'utf8'), `content of ${name}`);
});

test('ustar: a plain header where all fits, an extended one where not', () => {
  assert.equal(tarHeader('a/b', 1).length, 512);
  assert.equal(tarHeader(LONG, 1).length, 512);
  assert.equal(tarHeader('a/b', 8 * 1024 ** 3 - 1).length, 512);
  assert.equal(tarHeader('a/b', 8 * 1024 ** 3).length, 3 * 512);
  assert.equal(tarHeader(`a/${'x'.repeat(101)}`, 1).length, 3 * 512);
});

test('ustar: a file of more than 8 GiB', async (t) => {
  const folder = await scratch(t);
  const bytes = 9 * 1024 ** 3 + 7;
  const header = tarHeader('a/big.dcm', bytes);
  const file = await open(join(folder, 'big.tar'), 'w');
  // a hole in the place of the content: nothing of it is written
  await file.write(header, 0, header.length, 0);
  const end = header.length + bytes + tarPadding(bytes).length;
  await file.write(TAR_END, 0, TAR_END.length, end);
  await file.close();
  const { stdout } = await run('tar', ['-tvf', 'big.tar'], { cwd: folder });
  assert.match(stdout, new RegExp(` ${bytes} .* a/big\\.dcm`));
});
