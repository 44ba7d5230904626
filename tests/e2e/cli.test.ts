/** The other commands of `scanflow`, run as a person runs them. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { dcmtk, run } from '@scanflow/testkit';

const folder = await mkdtemp(join(tmpdir(), 'scanflow-cli-'));
after(() => rm(folder, { recursive: true, force: true }));

const SCANFLOW = fileURLToPath(new URL('../../services/cli/bin/scanflow', import.meta.url));
const SAMPLE = fileURLToPath(new URL('../../config/scanflow.yaml', import.meta.url));
const scanflow = (...args: string[]) => run(SCANFLOW, args);

test('scanflow: without a command it shows the commands and exits 2', async () => {
  const { code, stdout } = await scanflow();
  assert.equal(code, 2);
  for (const name of ['demo', 'check', 'bookings', 'phantom', 'tag', 'series', 'doctor', 'secrets'])
    assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
});

for (const name of ['demo', 'check', 'bookings', 'phantom', 'tag', 'series', 'doctor', 'secrets'])
  test(`scanflow ${name} --help: has usage and an example`, async () => {
    const { code, stdout } = await scanflow(name, '--help');
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^Usage: scanflow ${name}`));
    assert.match(stdout, /^Example: /m);
  });

test('scanflow: an unknown command and an unknown option exit 2', async () => {
  assert.equal((await scanflow('frobnicate')).code, 2);
  assert.equal((await scanflow('check', '--frobnicate')).code, 2);
});

test('check: the sample is good', async () => {
  assert.deepEqual(await scanflow('check', SAMPLE), {
    code: 0,
    stdout: `${SAMPLE}: good\npatterns: 6 without backtracking\n`,
    stderr: '',
  });
});

test('check: a pattern that needs backtracking is named, with its place and what to write', async () => {
  const file = join(folder, 'look-ahead.yaml');
  const text = await readFile(SAMPLE, 'utf8');
  await writeFile(
    file,
    text.replace(String.raw`(?<session>ses-?\w+)'`, String.raw`(?<session>ses-?\w+)(?!\S)'`),
  );
  const { code, stdout } = await scanflow('check', file);
  assert.equal(code, 0);
  assert.match(stdout, /: good\npatterns: 5 without backtracking, 1 with a time limit\n/);
  assert.match(
    stdout,
    /warning: bookings\.patterns\.0: the pattern looks ahead.* until 0\.3\.0; write \^.*\(\?:\$\|\\s\)\n$/,
  );
});

test('check: every mistake at once, each with file, line and column', async () => {
  const file = join(folder, 'wrong.yaml');
  const text = [
    'facility: { name: Here, timezone: Mars/Olympus }',
    'data: /data',
    'scanners:',
    '  prisma: { aet: A_TITLE_THAT_IS_TOO_LONG, modality: MR }',
    'orthanc: { url: http://orthanc:8042, pasword: x }',
    'storage: { root: /project }',
    'arrivals: { quiet: 5 }',
    '',
  ];
  await writeFile(file, text.join('\n'));
  const { code, stdout } = await scanflow('check', file);
  assert.equal(code, 1);
  const lines = stdout.split('\n').filter((line) => line.startsWith(file) && /:\d+:\d+:/.test(line));
  assert.deepEqual(
    lines.map((line) => Number(line.slice(file.length + 1).split(':')[0])),
    [1, 4, 5, 7],
    stdout,
  );
  const json = await scanflow('check', file, '--json');
  assert.equal((JSON.parse(json.stdout) as unknown[]).length, 4);
});

test('check: a file that is not there is said so', async () => {
  const { code, stdout, stderr } = await scanflow('check', join(folder, 'none.yaml'));
  assert.notEqual(code, 0);
  assert.match(stdout + stderr, /none\.yaml/);
});

for (const modality of ['MR', 'CT', 'SC'])
  test(`phantom: a ${modality} series that dcmdump and dciodvfy accept`, async () => {
    const target = join(folder, modality);
    const made = await scanflow(
      'phantom',
      target,
      '--modality',
      modality,
      '--images',
      '3',
      '--rows',
      '64',
      '--columns',
      '48',
    );
    assert.equal(made.code, 0, made.stderr);
    const files = await readdir(target);
    assert.equal(files.length, 3);
    for (const name of files) {
      const dump = await dcmtk('dcmdump', [
        '+P',
        'Rows',
        '+P',
        'Columns',
        '+P',
        'Modality',
        join(target, name),
      ]);
      assert.equal(dump.code, 0, dump.stderr);
      assert.match(dump.stdout, /US 64/);
      assert.match(dump.stdout, /US 48/);
      const verdict = await run('dciodvfy', [join(target, name)]);
      assert.doesNotMatch(verdict.stdout + verdict.stderr, /^Error/m);
    }
  });

test('phantom: never overwrites, and a wrong modality is usage', async () => {
  assert.equal((await scanflow('phantom', join(folder, 'x'), '--modality', 'ZZ')).code, 2);
  assert.equal((await scanflow('phantom')).code, 2);
});

test('secrets init: made once, kept the second time', async () => {
  const target = join(folder, 'secrets');
  const first = await scanflow('secrets', 'init', target);
  assert.equal(first.code, 0, first.stderr);
  const before = await run(
    'sha256sum',
    (await readdir(target)).sort().map((name) => join(target, name)),
  );
  assert.equal((await scanflow('secrets', 'init', target)).code, 0);
  const afterwards = await run(
    'sha256sum',
    (await readdir(target)).sort().map((name) => join(target, name)),
  );
  assert.equal(afterwards.stdout, before.stdout);
  assert.notEqual(before.stdout, '');
});
