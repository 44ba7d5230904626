import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { crc32, deflateRawSync } from 'node:zlib';
import { encodePart10 } from './encode.ts';
import { inflateFile } from './locate.ts';
import { CannotTag, TagStream, type TagStreamOptions } from './splice-stream.ts';
import type { PrivateTag } from './splice-tag.ts';
import { removeSplice } from './splice.ts';
import { transferSyntaxes } from './uids.ts';
import { dataSet } from './values.ts';

const TAG: PrivateTag = { group: 0x0021, creator: 'SCANFLOW', element: 0x10, vr: 'LO', value: 'DICOM send' };
const uids = { sopClassUid: '1.2.840.10008.5.1.4.1.1.7', sopInstanceUid: '2.25.1' };

const plain = (pixels: number): Buffer =>
  Buffer.from(
    encodePart10(dataSet({ PatientName: 'A^B', PixelData: new Uint8Array(pixels).fill(7) }), {
      transferSyntax: transferSyntaxes.explicitVRLittleEndian,
      ...uids,
    }),
  );
const META = Buffer.concat([
  Buffer.alloc(128),
  Buffer.from('DICM'),
  Buffer.from([2, 0, 0x10, 0, 0x55, 0x49, 22, 0]),
  Buffer.from(transferSyntaxes.deflatedExplicitVRLittleEndian),
]);
const body = (pixels: number): Buffer => plain(pixels).subarray(plain(0).length - 8 - 4 - 12);
/** A deflated file, with `change` done to its stream. */
const deflated = (pixels: number, change = (stream: Buffer): Buffer => stream): Buffer =>
  Buffer.concat([META, change(deflateRawSync(body(pixels)))]);

async function* chunks(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}
const pass = async (bytes: Uint8Array, options: TagStreamOptions = {}, size = 1000) => {
  const stream = new TagStream(TAG, options);
  return { stream, out: Buffer.concat(await Array.fromAsync(stream.through(chunks(bytes, size)))) };
};

test('tag stream: a deflated file is inflated, spliced and deflated, and every other byte of its data set stays', async () => {
  for (const pixels of [0, 100, 3_000_000]) {
    const original = deflated(pixels);
    const { stream, out } = await pass(original);
    assert.equal(stream.outcome?.kind, 'tagged');
    assert.deepEqual(out.subarray(0, META.length), META);
    assert.equal((out.length - META.length) % 2, 0);
    assert.deepEqual(Buffer.from(removeSplice(out, TAG)), Buffer.from(inflateFile(original)));
  }
});

test('tag stream: a deflated file that breaks off, is damaged, or is followed by something cannot be tagged', async () => {
  const cases = {
    'cut short': deflated(3_000_000, (stream) => stream.subarray(0, -40)),
    damaged: deflated(3_000_000, () => {
      const stored = deflateRawSync(body(3_000_000), { level: 0 });
      // length and its complement, which open a stored block
      stored.fill(0xff, stored.length - 2_000_000);
      return stored;
    }),
    followed: deflated(3_000_000, (stream) => Buffer.concat([stream, Buffer.from('more')])),
  };
  for (const [name, bytes] of Object.entries(cases))
    await assert.rejects(
      pass(bytes),
      (error) => error instanceof CannotTag && error.refusal.code === 'TAG_INFLATE_FAILED',
      name,
    );
  const gzip = (inflated: Uint8Array): Buffer => {
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(crc32(inflated));
    trailer.writeUInt32LE(inflated.length, 4);
    return trailer;
  };
  for (const tail of [Buffer.alloc(1), gzip(body(100)), Buffer.concat([gzip(body(100)), Buffer.alloc(1)])]) {
    const padded = await pass(deflated(100, (stream) => Buffer.concat([stream, tail])));
    assert.equal(padded.stream.outcome?.kind, 'tagged');
  }
  await assert.rejects(pass(deflated(100, (stream) => Buffer.concat([stream, gzip(body(102))]))), CannotTag);
});

test(
  'tag stream: whatever follows a deflated stream is judged the same in pieces of any size',
  { timeout: 60_000 },
  async () => {
    const behind = (tail: Uint8Array): Buffer => deflated(3_000, (stream) => Buffer.concat([stream, tail]));
    for (const size of [1, 7, 64, 1000, 1_000_000]) {
      for (const length of [0, 1, 8, 9, 400, 5_000]) {
        const { stream, out } = await pass(behind(Buffer.alloc(length)), {}, size);
        assert.equal(stream.outcome?.kind, 'tagged', `${length} NULs in pieces of ${size}`);
        assert.deepEqual(Buffer.from(removeSplice(out, TAG)), Buffer.from(inflateFile(deflated(3_000))));
        const stained = Buffer.concat([Buffer.alloc(length), Buffer.from('x')]);
        await assert.rejects(
          pass(behind(stained), {}, size),
          (error) => error instanceof CannotTag && /something follows/.test(error.message),
          `${length} NULs and a letter in pieces of ${size}`,
        );
      }
    }
  },
);

test('tag stream: a deflated file that inflates to more than it may is refused while it passes', async () => {
  const bomb = deflated(30_000_000);
  assert.ok(bomb.length < 50_000);
  const stream = new TagStream(TAG, { maxInflated: 5_000_000 });
  let out = 0;
  await assert.rejects(async () => {
    for await (const chunk of stream.through(chunks(bomb))) out += chunk.length;
  }, CannotTag);
  assert.ok(out < 20_000, `${out} bytes came out`);
  assert.equal((await pass(bomb, { maxInflated: 31_000_000 })).stream.outcome?.kind, 'tagged');
});

test('tag stream: an error of the source’s, and a reader that has had enough, end it', async () => {
  for (const file of [plain(100_000), deflated(3_000_000)]) {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield* chunks(file.subarray(0, -30));
      throw new Error('the cable is out');
    }
    const stream = new TagStream(TAG);
    await assert.rejects(Array.fromAsync(stream.through(failing())), /the cable is out/);
    let ended = false;
    async function* watched(): AsyncGenerator<Uint8Array> {
      try {
        yield* chunks(file);
      } finally {
        ended = true;
      }
    }
    for await (const chunk of new TagStream(TAG).through(watched())) if (chunk.length > 0) break;
    assert.ok(ended);
  }
});

test('tag stream: what is left alone comes out as it is, with what would have become of it', async () => {
  for (const file of [plain(5000), deflated(5000), Buffer.from('no DICOM at all'), new Uint8Array()]) {
    const left = await pass(file, { leave: true });
    assert.deepEqual(left.out, Buffer.from(file));
    assert.equal(left.stream.outcome?.kind, file.length > 100 ? 'tagged' : 'refused');
    const without = new TagStream(undefined);
    assert.deepEqual(Buffer.concat(await Array.fromAsync(without.through(chunks(file)))), Buffer.from(file));
    assert.equal(without.outcome, undefined);
  }
  const { out } = await pass(plain(5000));
  const again = await pass(out);
  assert.equal(again.stream.outcome?.kind, 'already');
  assert.deepEqual(again.out, out);
});

test('tag stream: what looks at the head gets as much of it as it asks for', async () => {
  const sizes: number[] = [];
  const look = ({ bytes, complete }: { bytes: Uint8Array; complete: boolean }): number | undefined => {
    sizes.push(bytes.length);
    return bytes.length >= 7000 || complete ? undefined : 7000;
  };
  const file = plain(50_000);
  const { out } = await pass(file, { look });
  assert.deepEqual(Buffer.from(removeSplice(out, TAG)), file);
  assert.deepEqual(sizes, [1000, 7000]);
});

test('tag stream: a head of megabytes, and group lengths behind it', async () => {
  const long = Buffer.alloc(12 + 3_000_000, 1);
  Buffer.from([0x19, 0, 1, 0x10, 0x4f, 0x42, 0, 0]).copy(long);
  long.writeUInt32LE(3_000_000, 8);
  const counted = Buffer.from([0x21, 0, 0, 0, 0x55, 0x4c, 4, 0, 10, 0, 0, 0]);
  const other = Buffer.from([0x21, 0, 0x10, 0, 0x4c, 0x4f, 2, 0, 0x41, 0x41]);
  const file = Buffer.concat([plain(0).subarray(0, -12), long, counted, other]);
  const { stream, out } = await pass(file, { fileSize: file.length });
  assert.equal(stream.outcome?.kind, 'tagged');
  assert.deepEqual(Buffer.from(removeSplice(out, TAG)), file);
  assert.equal(out.readUInt32LE(file.length - other.length - 4), 10 + 2 * 8 + 8 + 10);
});

test('tag stream: a place behind more than is held is refused with what to do, and the file passes as it came', async () => {
  const size = 70_000_000;
  const header = Buffer.from([0x19, 0, 1, 0x10, 0x4f, 0x42, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32LE(size, 8);
  const start = Buffer.concat([plain(0).subarray(0, -12), header]);
  const piece = Buffer.alloc(100_000, 1);
  async function* file(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(start);
    for (let at = 0; at < size; at += piece.length) yield piece;
    yield plain(0).subarray(-12);
  }
  const before = createHash('sha256');
  for await (const chunk of file()) before.update(chunk);
  const fileSize = start.length + size + 12;
  const stream = new TagStream(TAG, { fileSize });
  const after = createHash('sha256');
  for await (const chunk of stream.through(file())) after.update(chunk);
  const { outcome } = stream;
  assert.ok(outcome?.kind === 'refused');
  assert.equal(outcome.code, 'TAG_HEAD_TOO_LONG');
  assert.match(outcome.message, /behind the first 67108864 bytes; configure a lower group/);
  assert.equal(after.digest('hex'), before.digest('hex'));
});
