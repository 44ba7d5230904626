import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32, deflateRawSync } from 'node:zlib';
import { fileSource, sourcesOf, ZipError } from './sources.ts';

interface Entry {
  readonly name: string;
  readonly bytes: Buffer;
  readonly method?: number;
  readonly flags?: number;
  /** What the directory claims. */
  readonly size?: number;
  readonly large?: boolean;
}

/** A zip as APPNOTE 6.3.10 describes it. */
function zipped(entries: readonly Entry[], comment = ''): Blob {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes, method = 8, flags = 0, size = bytes.length, large = false } of entries) {
    const packed = method === 8 ? deflateRawSync(bytes) : bytes;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(large ? 0xffffffff : size, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed]);
    const extra = Buffer.alloc(large ? 12 : 0);
    if (large) {
      extra.writeUInt16LE(1, 0);
      extra.writeUInt16LE(8, 2);
      extra.writeBigUInt64LE(BigInt(size), 4);
    }
    common.writeUInt16LE(extra.length, 24);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\0'), common, rest, Buffer.from(name), extra]));
    parts.push(local);
    offset += local.length;
  }
  const all = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(all.length, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(comment.length, 20);
  return new Blob([Buffer.concat([...parts, all, end, Buffer.from(comment)])]);
}

const BYTES = Buffer.from('some bytes '.repeat(30_000));

test('zip: files by their paths, stored or deflated, read from any place on; folders are none', async () => {
  const zip = zipped(
    [
      { name: 'a/', bytes: Buffer.alloc(0), method: 0 },
      { name: 'a/größe.dcm', bytes: BYTES },
      { name: 'b.dcm', bytes: BYTES, method: 0 },
      { name: 'c.dcm', bytes: BYTES, large: true },
    ],
    'PK\x05\x06 in a comment',
  );
  const sources = await sourcesOf('x.zip', zip);
  assert.deepEqual(
    sources.map(({ name, size }) => [name, size]),
    ['a/größe.dcm', 'b.dcm', 'c.dcm'].map((name) => [`x.zip/${name}`, BYTES.length]),
  );
  for (const source of sources) {
    assert.deepEqual(Buffer.from(await source.read(0, 20)), BYTES.subarray(0, 20), source.name);
    assert.deepEqual(Buffer.from(await source.read(200_001, 200_021)), BYTES.subarray(200_001, 200_021));
    assert.equal((await source.read(0, 1e9)).length, BYTES.length);
  }
});

test('zip: a file that is none stays one file; a zip without the name is one', async () => {
  const plain = new Blob(['text']);
  assert.deepEqual(
    (await sourcesOf('a.dcm', plain)).map(({ name }) => name),
    [fileSource('a.dcm', plain).name],
  );
  assert.equal((await sourcesOf('noname', zipped([{ name: 'a', bytes: BYTES }])))[0]?.name, 'noname/a');
});

test('zip: a bomb is inflated no further than is looked at, and never beyond the limit', async () => {
  const [bomb] = await sourcesOf(
    'x.zip',
    zipped([{ name: 'bomb', bytes: Buffer.alloc(300 * 1024 * 1024), size: 4_000_000_000, large: true }]),
  );
  const started = performance.now();
  assert.equal((await bomb!.read(0, 65_536)).length, 65_536);
  assert.ok(performance.now() - started < 5_000);
  await assert.rejects(bomb!.read(0, 1_000_000_000), ZipError);
});

test('zip: what cannot be read says why', async () => {
  const whole = zipped([{ name: 'a', bytes: BYTES }]);
  await assert.rejects(sourcesOf('x.zip', whole.slice(0, 500)), /no zip, or it was cut off/);
  await assert.rejects(sourcesOf('x.zip', whole.slice(500)), ZipError);
  const many = zipped(
    Array.from({ length: 20_001 }, (_, index) => ({
      name: String(index),
      bytes: Buffer.alloc(0),
      method: 0,
    })),
  );
  await assert.rejects(sourcesOf('x.zip', many), /more than 20000 files/);
  const cases: readonly (readonly [Entry, RegExp])[] = [
    [{ name: 'a', bytes: BYTES, flags: 1 }, /encrypted/],
    [{ name: 'a', bytes: BYTES, method: 12 }, /in another way than deflate/],
  ];
  for (const [entry, why] of cases) {
    const [source] = await sourcesOf('x.zip', zipped([entry]));
    await assert.rejects(source!.read(0, 10), why);
  }
});
