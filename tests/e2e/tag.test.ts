/** `scanflow tag`, run as a person runs it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { link, mkdtemp, open, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inflateFile, makeSeries, removeSplice, type PrivateTag } from '@scanflow/dicom';
import { dcmtk, run, until } from '@scanflow/testkit';

const folder = await mkdtemp(join(tmpdir(), 'scanflow-tag-'));
after(() => rm(folder, { recursive: true, force: true }));

const SCANFLOW = fileURLToPath(new URL('../../services/cli/bin/scanflow', import.meta.url));
const scanflow = (...args: string[]) => run(SCANFLOW, ['tag', ...args]);
const TAG: PrivateTag = { group: 0x0021, creator: 'SCANFLOW', element: 0x10, vr: 'LO', value: 'DICOM send' };
const PYDICOM = '/usr/lib/python3/dist-packages/pydicom/data/test_files';

const at = (name: string): string => join(folder, name);
const files = (): Promise<string[]> => readdir(folder);
const [phantom] = makeSeries({
  modality: 'MR',
  images: 1,
  seed: 1,
  when: Temporal.ZonedDateTime.from('2026-11-22T09:00:00+01:00[Europe/Amsterdam]'),
});
assert.ok(phantom !== undefined);
const IN = at('in.dcm');
await writeFile(IN, phantom.bytes);

const config = async (name: string, tag: object): Promise<string> => {
  const sections = {
    facility: { name: 'Test', timezone: 'Europe/Amsterdam' },
    data: '/data',
    scanners: { prisma: { aet: 'PRISMA', modality: 'MR' } },
    orthanc: { url: 'http://127.0.0.1:8042' },
    storage: { root: '/project' },
    tag,
  };
  await writeFile(at(name), JSON.stringify(sections));
  return at(name);
};

test('tag: OUT has the tag, and every other byte of IN', async () => {
  const result = await scanflow(IN, at('out.dcm'));
  assert.deepEqual(result, { code: 0, stdout: `${at('out.dcm')}: tagged\n`, stderr: '' });
  const tagged = await readFile(at('out.dcm'));
  assert.deepEqual(Buffer.from(removeSplice(tagged, TAG)), Buffer.from(phantom.bytes));
  const { stdout } = await dcmtk('dcmdump', ['-q', at('out.dcm')]);
  assert.match(stdout, /\(0021,00[0-9a-f]{2}\) LO \[SCANFLOW\]/);
  assert.match(stdout, /\(0021,[0-9a-f]{2}10\) LO \[DICOM send\]/);
});

test('tag: what has the tag already is copied as it is', async () => {
  const { code, stdout } = await scanflow(at('out.dcm'), at('again.dcm'), '--json');
  assert.equal(code, 0);
  const again = await readFile(at('again.dcm'));
  assert.deepEqual(again, await readFile(at('out.dcm')));
  assert.deepEqual(JSON.parse(stdout), {
    in: at('out.dcm'),
    out: at('again.dcm'),
    outcome: 'already',
    bytes: again.length,
    sha256: createHash('sha256').update(again).digest('hex'),
  });
});

test('tag: deflated files, and files that name no transfer syntax', async () => {
  for (const name of ['image_dfl.dcm', 'rtstruct.dcm', 'ExplVR_BigEndNoMeta.dcm']) {
    assert.equal((await scanflow(join(PYDICOM, name), at(name))).code, 0, name);
    const bare = removeSplice(await readFile(at(name)), TAG);
    assert.deepEqual(Buffer.from(bare), Buffer.from(inflateFile(await readFile(join(PYDICOM, name)))), name);
  }
});

test('tag: group, creator, element, value, accession number and time come from the configuration', async () => {
  const given = {
    group: '0031',
    creator: 'LAB X',
    element: '01',
    value: 'seen',
    accession: true,
    time: '0f',
  };
  const file = await config('tag.json', { ...given, apply: 'none' });
  const before = Temporal.Now.instant().epochMilliseconds;
  await dcmtk('dcmodify', ['-nb', '-i', '(0008,0050)=ACC 7', IN]);
  const original = await readFile(IN);
  assert.equal((await scanflow(IN, at('configured.dcm'), '--config', file)).code, 0);
  await writeFile(IN, phantom.bytes);
  const { stdout } = await dcmtk('dcmdump', ['-q', at('configured.dcm')]);
  assert.match(stdout, /\(0031,0010\) LO \[LAB X\]/);
  assert.match(stdout, /\(0031,1001\) LO \[seen\]/);
  assert.match(stdout, /\(0031,1011\) SH \[ACC 7\]/);
  const time = /\(0031,100f\) DT \[(\d{8})(\d{6})\+0000\]/.exec(stdout);
  assert.ok(time !== null, stdout);
  const told = Temporal.Instant.from(`${time[1] ?? ''}T${time[2] ?? ''}Z`).epochMilliseconds;
  assert.ok(told >= before - 1000 && told <= Temporal.Now.instant().epochMilliseconds);
  const tag: PrivateTag = {
    ...{ group: 0x0031, creator: 'LAB X', element: 0x01, vr: 'LO', value: 'seen' },
    also: [
      { element: 0x11, vr: 'SH', value: 'x' },
      { element: 0x0f, vr: 'DT', value: '20261122091500' },
    ],
  };
  assert.deepEqual(Buffer.from(removeSplice(await readFile(at('configured.dcm')), tag)), original);
});

/** An explicit little endian file whose group 0021 has all of its 240 blocks reserved. */
function full(): Buffer {
  const creators = Array.from({ length: 240 }, (_, index) =>
    Buffer.from([0x21, 0, 0x10 + index, 0, 0x4c, 0x4f, 2, 0, 0x41, 0x41]),
  );
  const syntax = Buffer.from('1.2.840.10008.1.2.1\0');
  const meta = Buffer.from([2, 0, 0x10, 0, 0x55, 0x49, syntax.length, 0, ...syntax]);
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), meta, ...creators]);
}

test('tag: what is refused is said on stderr, exits 1, and leaves nothing', async () => {
  await writeFile(at('text'), 'no DICOM');
  await writeFile(at('empty'), '');
  await writeFile(at('full.dcm'), full());
  await writeFile(at('cut.dcm'), phantom.bytes.subarray(0, 501));
  const deflated = await readFile(join(PYDICOM, 'image_dfl.dcm'));
  await writeFile(at('broken.dcm'), deflated.subarray(0, deflated.length - 400));
  const cases: [string, string][] = [
    [at('text'), 'TAG_NOT_PART10'],
    [at('empty'), 'TAG_NOT_PART10'],
    [join(PYDICOM, 'SC_rgb_jpeg.dcm'), 'TAG_UNDECODABLE'],
    [at('full.dcm'), 'TAG_NO_FREE_BLOCK'],
    [at('cut.dcm'), 'TAG_TRUNCATED'],
    [at('broken.dcm'), 'TAG_INFLATE_FAILED'],
  ];
  const before = await files();
  for (const [file, why] of cases) {
    const { code, stdout, stderr } = await scanflow(file, at('refused.dcm'), '--json');
    assert.deepEqual([code, stdout], [1, ''], file);
    assert.match(stderr, new RegExp(`^scanflow: .*\\(${why}\\)\\n$`), file);
  }
  assert.deepEqual(await files(), before);
});

test('tag: OUT that is there stays, unless it is told; IN is never overwritten', async () => {
  await writeFile(at('taken.dcm'), 'mine');
  await symlink(IN, at('symlink.dcm'));
  await link(IN, at('hardlink.dcm'));
  const before = await files();
  assert.equal((await scanflow(IN, at('taken.dcm'))).code, 2);
  assert.equal(await readFile(at('taken.dcm'), 'utf8'), 'mine');
  for (const same of [IN, at('symlink.dcm'), at('hardlink.dcm')]) {
    const { code, stderr } = await scanflow(IN, same, '--force');
    assert.equal(code, 2);
    assert.match(stderr, /same file/);
  }
  assert.equal((await scanflow(at('text'), at('taken.dcm'), '--force')).code, 1);
  assert.equal(await readFile(at('taken.dcm'), 'utf8'), 'mine');
  assert.equal((await scanflow(IN, at('taken.dcm'), '--force')).code, 0);
  assert.deepEqual(Buffer.from(removeSplice(await readFile(at('taken.dcm')), TAG)), await readFile(IN));
  assert.deepEqual(await files(), before);
});

test('tag: wrong usage, a wrong configuration and an IN that is none exit 2', async () => {
  const wrong = await config('wrong.json', { accession: true, time: '11' });
  const out = at('never.dcm');
  const cases = [[IN], [IN, out, 'more'], [at('none'), out], [folder, out]];
  for (const args of [...cases, [IN, out, '--config', wrong]]) {
    const { code, stdout, stderr } = await scanflow(...args);
    assert.deepEqual([code, stdout], [2, ''], args.join(' '));
    assert.match(stderr, /^scanflow: /);
  }
  assert.ok(!(await files()).includes('never.dcm'));
});

test('tag: ended half-way, it leaves nothing', async () => {
  // what is still to come is a hole: no disk space, and time enough to end it
  const large = await open(at('large.dcm'), 'w');
  await large.write(phantom.bytes);
  await large.truncate(20_000_000_000);
  await large.close();
  const child = spawn(SCANFLOW, ['tag', at('large.dcm'), at('half.dcm')], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  await until(async () => (await files()).some((name) => name.endsWith('.tmp')), {
    what: 'it has begun to write',
    timeoutMs: 60_000,
  });
  child.kill('SIGTERM');
  const [code] = (await ended) as [number];
  assert.equal(code, 1);
  assert.ok((await files()).every((name) => !name.endsWith('.tmp') && name !== 'half.dcm'));
  await rm(at('large.dcm'));
});
