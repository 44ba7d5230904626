/** `scanflow orthanc forgotten` against a real Orthanc: what each file of its storage is, and images that come back byte for byte. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { test, type TestContext } from 'node:test';
import { dataSet, part10Head, readPart10Header } from '@scanflow/dicom';
import { erasureKey, erasuresIn, markOf, writeErasure } from '@scanflow/runtime';
import { run, startOrthanc, type RunningOrthanc } from '@scanflow/testkit';
import { phantoms } from './receiver-support.ts';
import { SCANFLOW } from './send-support.ts';
import { sha256 } from './sha256.ts';
import { phantom, scratch } from './streamer-support.ts';

interface Report {
  readonly files: number;
  readonly listed: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly imported: number;
  readonly removed: number;
  readonly findings: readonly { readonly file: string; readonly kind: string; readonly why?: string }[];
}

interface Place {
  readonly orthanc: RunningOrthanc;
  readonly storage: string;
  readonly data: string;
  readonly forgotten: (...args: string[]) => Promise<{ code: number | null; stderr: string; report: Report }>;
  /** Puts a file into the storage as Orthanc does, an hour old; gives its path below the storage. */
  readonly put: (bytes: Uint8Array) => Promise<string>;
  readonly stored: () => Promise<string[]>;
}

const HOUR = 3_600;

async function place(t: TestContext): Promise<Place> {
  const folder = await scratch(t);
  const orthanc = await startOrthanc({ folder: join(folder, 'orthanc') });
  t.after(() => orthanc.kill());
  const data = join(folder, 'data');
  await mkdir(join(folder, 'project'), { recursive: true });
  const config = join(folder, 'scanflow.yaml');
  const storage = join(folder, 'orthanc', 'storage');
  await writeFile(
    config,
    JSON.stringify({
      facility: { name: 'Test', timezone: 'Europe/Amsterdam' },
      data,
      scanners: { prisma: { aet: 'PRISMA', modality: 'MR' } },
      orthanc: { url: orthanc.url, username: orthanc.username, passwordFile: orthanc.passwordFile },
      storage: { root: join(folder, 'project') },
    }),
  );
  return {
    orthanc,
    storage,
    data,
    forgotten: async (...args) => {
      const all = ['orthanc', 'forgotten', storage, '--config', config, '--json', ...args];
      const { code, stdout, stderr } = await run(SCANFLOW, all, { timeoutMs: 60_000 });
      return { code, stderr, report: (stdout === '' ? {} : JSON.parse(stdout)) as Report };
    },
    put: async (bytes) => {
      const name = randomUUID();
      const file = join(name.slice(0, 2), name.slice(2, 4), name);
      await mkdir(join(storage, name.slice(0, 2), name.slice(2, 4)), { recursive: true });
      await writeFile(join(storage, file), bytes);
      const before = Temporal.Now.instant().epochMilliseconds / 1000 - HOUR;
      await utimes(join(storage, file), before, before);
      return file;
    },
    stored: async () =>
      (await readdir(storage, { recursive: true })).filter((name) => name.length > 40).sort(),
  };
}

/** A changed pixel: other bytes of the same image. */
function changed(bytes: Buffer): Buffer {
  const other = Buffer.from(bytes);
  other[other.length - 1] = (other.at(-1) ?? 0) ^ 1;
  return other;
}

/** Where the pixels' element begins: in a phantom, the last one. */
const pixelsAt = (bytes: Buffer): number => bytes.lastIndexOf(Buffer.from([0xe0, 0x7f, 0x10, 0]));

const uidOf = (bytes: Buffer): string => {
  const header = readPart10Header(bytes);
  assert.ok(!('needMore' in header));
  return header.sopInstanceUid;
};

test('forgotten: each file of the storage is named for what it is, and a look changes nothing', async (t) => {
  const { orthanc, data, forgotten, put, stored } = await place(t);
  const { files } = await phantom(join(data, 'made'), { images: 6 });
  const images = await Promise.all(files.map((file) => readFile(file)));
  const [known, versioned, lost, withdrawn, cut, headed] = images as [
    Buffer,
    Buffer,
    Buffer,
    Buffer,
    Buffer,
    Buffer,
  ];
  const ids = [];
  for (const image of [known, versioned]) ids.push(((await orthanc.upload(image)).body as { ID: string }).ID);
  // a version as the receiver keeps it, and something of another program's
  for (const [name, body] of [
    ['5110', changed(versioned)],
    ['4000', Buffer.from('a note')],
  ] as const)
    await orthanc.request(`/instances/${ids[1]}/attachments/${name}`, {
      method: 'PUT',
      body: new Uint8Array(body),
    });
  const key = await erasureKey(erasuresIn(data));
  const about = { id: '0'.repeat(16), begun: '', by: '', reason: '', removed: {} };
  await writeErasure(erasuresIn(data), { ...about, marks: [markOf(key, 'instance', uidOf(withdrawn))] });
  const packed = deflateSync(lost);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(lost.length));
  const expected = new Map([
    [await put(lost), 'forgotten'],
    [await put(known), 'spare'],
    [await put(changed(versioned)), 'spare'],
    [await put(changed(known)), 'different'],
    [await put(withdrawn), 'erased'],
    [await put(cut.subarray(0, cut.length - 100)), 'incomplete'],
    [await put(headed.subarray(0, pixelsAt(headed))), 'header'],
    [await put(Buffer.concat([size, packed])), 'compressed'],
    [await put(Buffer.from('{"0008,0005":{}}')), 'other'],
  ]);
  const before = await stored();
  const { code, stderr, report } = await forgotten();
  assert.equal(code, 1, stderr);
  const found = new Map(report.findings.map(({ file, kind }) => [file, kind]));
  assert.deepEqual(new Map([...found].sort()), new Map([...expected].sort()));
  assert.equal(
    report.counts['young'],
    1,
    'the note was just written, and so was the version, which Orthanc knows',
  );
  assert.deepEqual(await stored(), before);
  assert.equal(((await orthanc.get('/statistics')) as { CountInstances: number }).CountInstances, 2);
  for (const text of [uidOf(lost), '3010000.01']) assert.ok(!JSON.stringify(report).includes(text), text);

  const again = await forgotten('--import', '--remove', '--remove-erased', '--age', '0s');
  assert.deepEqual([again.code, again.report.imported, again.report.removed], [1, 1, 4], again.stderr);
  const gone = [...expected].filter(([, kind]) => ['forgotten', 'spare', 'erased'].includes(kind));
  const left = await stored();
  for (const [file] of gone) assert.ok(!left.includes(file), file);
  for (const file of before.filter((one) => !gone.some(([name]) => name === one)))
    assert.ok(left.includes(file), file);
  const all = (await orthanc.get('/instances')) as string[];
  const sums = await Promise.all(
    all.map(async (id) =>
      sha256(new Uint8Array(await (await orthanc.request(`/instances/${id}/file`)).arrayBuffer())),
    ),
  );
  assert.deepEqual(sums.sort(), [known, versioned, lost].map(sha256).sort());
  assert.equal(again.report.counts['other'], 2, 'with the note; the version belongs to its image');
  const kept = await orthanc.request(`/instances/${ids[1]}/attachments/5110/data`);
  assert.equal(sha256(new Uint8Array(await kept.arrayBuffer())), sha256(changed(versioned)));
});

test('forgotten: an image whose file is gone is missing, and another file of it is never removed', async (t) => {
  const { orthanc, storage, forgotten, put, data, stored } = await place(t);
  const { files } = await phantom(join(data, 'made'), { images: 2 });
  const [first, second] = await Promise.all(files.map((file) => readFile(file)));
  assert.ok(first !== undefined && second !== undefined);
  const { ID: id } = (await orthanc.upload(first)).body as { ID: string };
  await orthanc.upload(second);
  const [{ FileUuid: name }] = [(await orthanc.get(`/instances/${id}`)) as { FileUuid: string }];
  const file = join(name.slice(0, 2), name.slice(2, 4), name);
  await rm(join(storage, file));
  const spare = await put(first);
  const { code, report } = await forgotten('--remove');
  assert.equal(code, 1);
  assert.equal(report.findings.find(({ kind }) => kind === 'missing')?.file, file);
  assert.equal(report.removed, 0);
  assert.ok((await stored()).includes(spare));
});

test('forgotten: the sender that the receiver wrote into the file is noted again', async (t) => {
  const { orthanc, forgotten, put } = await place(t);
  const [image] = phantoms(1);
  assert.ok(image !== undefined);
  const header = readPart10Header(image.bytes);
  assert.ok(!('needMore' in header));
  const { transferSyntax, sopClassUid, sopInstanceUid, dataSetOffset } = header;
  const extraMeta = dataSet({
    SourceApplicationEntityTitle: 'PRISMA',
    ReceivingApplicationEntityTitle: 'SCANFLOW',
  });
  const head = part10Head({ transferSyntax, sopClassUid, sopInstanceUid, extraMeta });
  const bytes = Buffer.concat([head, image.bytes.subarray(dataSetOffset)]);
  await put(bytes);
  const { code, report } = await forgotten('--import');
  assert.deepEqual([code, report.imported], [0, 1]);
  const [series = ''] = (await orthanc.get('/series')) as string[];
  const note = await (await orthanc.request(`/series/${series}/metadata/5101`)).text();
  assert.deepEqual(JSON.parse(note), { aet: 'PRISMA', called: 'SCANFLOW' });

  // an import that ended between the image and its note
  const noted = `/series/${series}/metadata/5101`;
  await orthanc.request(`/series/${series}`, { method: 'DELETE' });
  await orthanc.upload(bytes);
  assert.equal((await orthanc.request(noted)).status, 404);
  const again = await forgotten('--import');
  assert.deepEqual([again.code, again.report.imported, again.report.counts['spare']], [0, 0, 1]);
  assert.deepEqual(JSON.parse(await (await orthanc.request(noted)).text()), {
    aet: 'PRISMA',
    called: 'SCANFLOW',
  });
});

test('forgotten: an image that was just written counts, and is imported once it is older', async (t) => {
  const { storage, forgotten, put } = await place(t);
  const [image] = phantoms(1);
  assert.ok(image !== undefined);
  const file = await put(image.bytes);
  const now = Temporal.Now.instant().epochMilliseconds / 1000;
  await utimes(join(storage, file), now, now);
  const { code, report } = await forgotten('--import');
  assert.deepEqual([code, report.counts, report.imported], [1, { forgotten: 1 }, 0]);
  assert.match(report.findings[0]?.why ?? '', /just written/);
  const later = await forgotten('--import', '--age', '0s');
  assert.deepEqual([later.code, later.report.imported], [0, 1]);
});

test('forgotten: a file that cannot be read is named, and the others are looked at all the same', async (t) => {
  const { storage, forgotten, put } = await place(t);
  const [image] = phantoms(1);
  assert.ok(image !== undefined);
  const file = await put(image.bytes);
  const broken = await put(image.bytes);
  await rm(join(storage, broken));
  await symlink(join(storage, broken), join(storage, broken));
  const { code, stderr, report } = await forgotten();
  assert.equal(code, 1, stderr);
  const found = new Map(report.findings.map((one) => [one.file, one]));
  assert.equal(found.get(file)?.kind, 'forgotten');
  assert.deepEqual([found.get(broken)?.kind, found.get(broken)?.why], ['unreadable', 'ELOOP']);
});

test('forgotten: a file is kept that the file of the index is a link to', async (t) => {
  const { orthanc, storage, forgotten, put, data, stored } = await place(t);
  const { files } = await phantom(join(data, 'made'), { images: 2 });
  const [first, second] = await Promise.all(files.map((file) => readFile(file)));
  assert.ok(first !== undefined && second !== undefined);
  await orthanc.upload(second);
  const { ID: id } = (await orthanc.upload(first)).body as { ID: string };
  const { FileUuid: name } = (await orthanc.get(`/instances/${id}`)) as { FileUuid: string };
  const known = join(storage, name.slice(0, 2), name.slice(2, 4), name);
  const spare = await put(first);
  await rm(known);
  await symlink(join(storage, spare), known);
  const { report } = await forgotten('--remove');
  assert.deepEqual([report.counts['spare'], report.removed], [1, 0]);
  assert.ok((await stored()).includes(spare));
});

test('forgotten: another Orthanc’s storage is refused, and so is an Orthanc that does not answer', async (t) => {
  const { orthanc, forgotten, put, data } = await place(t);
  const { files } = await phantom(join(data, 'made'), { images: 2 });
  const [first, second] = await Promise.all(files.map((file) => readFile(file)));
  assert.ok(first !== undefined && second !== undefined);
  await put(first);
  const empty = await forgotten();
  assert.deepEqual([empty.code, empty.report.counts['forgotten']], [1, 1], 'an index that lost everything');
  await orthanc.upload(second);
  const { storage, stored } = await place(t);
  const other = await forgotten(storage);
  assert.equal(other.code, 2, other.stderr);
  assert.deepEqual(await stored(), []);
  await orthanc.kill();
  const dead = await forgotten('--import');
  assert.equal(dead.code, 2);
  assert.match(dead.stderr, /does not answer/);
});
