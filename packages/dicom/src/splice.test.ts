import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { inflateFile } from './locate.ts';
import { applyEdits, planSplice, removeSplice } from './splice.ts';
import { TagStream } from './splice-stream.ts';
import { elementsOf, type PrivateTag } from './splice-tag.ts';

/*
 * The oracle is a model: a data set as a list of elements, each encoded by the few lines below. What a splice should
 * give is that list with two more elements, sorted and written out again.
 */
const TAG: PrivateTag = { group: 0x0021, creator: 'SCANFLOW', element: 0x10, vr: 'LO', value: 'DICOM send' };
const FULL: PrivateTag = {
  ...TAG,
  also: [
    { element: 0x11, vr: 'SH', value: 'QYV0NHFE5G7CSX1X' },
    { element: 0x0f, vr: 'DT', value: '20261122091500+0000' },
  ],
};

interface Syntax {
  readonly uid: string;
  readonly explicit: boolean;
  readonly little: boolean;
}
const IMPLICIT: Syntax = { uid: '1.2.840.10008.1.2', explicit: false, little: true };
const EXPLICIT: Syntax = { uid: '1.2.840.10008.1.2.1', explicit: true, little: true };
const BIG_ENDIAN: Syntax = { uid: '1.2.840.10008.1.2.2', explicit: true, little: false };
const JPEG: Syntax = { uid: '1.2.840.10008.1.2.4.70', explicit: true, little: true };
const DEFLATED: Syntax = { uid: '1.2.840.10008.1.2.1.99', explicit: true, little: true };
const SYNTAXES = [IMPLICIT, EXPLICIT, BIG_ENDIAN, JPEG, DEFLATED];

interface Part {
  readonly tag: number;
  readonly vr: string;
  readonly value: Buffer;
  readonly undefinedLength?: boolean;
}
const LONG = ['OB', 'OW', 'SQ', 'UN', 'UT'];

const number = (value: number, size: 2 | 4, { little }: Syntax): Buffer => {
  const bytes = Buffer.alloc(size);
  if (little) bytes.writeUIntLE(value, 0, size);
  else bytes.writeUIntBE(value, 0, size);
  return bytes;
};
const tagBytes = (tag: number, syntax: Syntax): Buffer =>
  Buffer.concat([number(tag >>> 16, 2, syntax), number(tag & 0xffff, 2, syntax)]);

function encode({ tag, vr, value, undefinedLength }: Part, syntax: Syntax): Buffer {
  const length = undefinedLength === true ? 0xffffffff : value.length;
  const head = !syntax.explicit
    ? number(length, 4, syntax)
    : LONG.includes(vr)
      ? Buffer.concat([Buffer.from(`${vr}\0\0`), number(length, 4, syntax)])
      : Buffer.concat([Buffer.from(vr), number(length, 2, syntax)]);
  return Buffer.concat([tagBytes(tag, syntax), head, value]);
}

const lo = (tag: number, text: string, vr = 'LO'): Part => ({
  tag,
  vr,
  value: Buffer.from(text.length % 2 === 0 ? text : `${text} `, 'latin1'),
});

/** The data set, with the group length that counts group 0021 where `counted`. */
function write(parts: readonly Part[], syntax: Syntax, counted: boolean): Buffer {
  const sorted = [...parts].sort((a, b) => a.tag - b.tag);
  const group = sorted.filter(({ tag }) => tag >>> 16 === TAG.group);
  const size = group.reduce((sum, part) => sum + encode(part, syntax).length, 0);
  const total: Part = { tag: 0x00210000, vr: 'UL', value: number(size, 4, syntax) };
  const all = counted ? [...sorted, total].sort((a, b) => a.tag - b.tag) : sorted;
  return Buffer.concat(all.map((part) => encode(part, syntax)));
}

function file(dataSet: Uint8Array, uid: string): Buffer {
  if (uid !== DEFLATED.uid) return inflated(dataSet, uid);
  const stream = deflateRawSync(dataSet);
  return inflated(Buffer.concat([stream, Buffer.alloc(stream.length % 2)]), uid);
}

/** The file with its data set as given, also under the deflated syntax. */
function inflated(dataSet: Uint8Array, uid: string): Buffer {
  const padded = uid.length % 2 === 0 ? uid : `${uid}\0`;
  const meta = encode({ tag: 0x00020010, vr: 'UI', value: Buffer.from(padded) }, EXPLICIT);
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), meta, dataSet]);
}

/** A sequence's value: items, each of defined or undefined length. */
function sequence(items: readonly Buffer[], syntax: Syntax, open: boolean): Buffer {
  const at = (tag: number, length: number): Buffer =>
    Buffer.concat([tagBytes(tag, syntax), number(length, 4, syntax)]);
  const written = items.flatMap((item, index) =>
    index % 2 === 0
      ? [at(0xfffee000, item.length), item]
      : [at(0xfffee000, 0xffffffff), item, at(0xfffee00d, 0)],
  );
  return Buffer.concat([...written, ...(open ? [at(0xfffee0dd, 0)] : [])]);
}

const evenBytes = fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from([...bytes, ...bytes]));
const anyTag = fc.oneof(
  fc.integer({ min: 0x1000, max: 0x14ff }).map((element) => 0x00210000 + element),
  fc.constantFrom(
    0x00080005,
    0x00080018,
    0x00100010,
    0x0020000d,
    0x00200011,
    0x00220001,
    0x00231001,
    0x7fe00010,
  ),
  fc
    .tuple(fc.integer({ min: 4, max: 0x7fff }), fc.integer({ min: 1, max: 0xffff }))
    .map(([g, e]) => g * 0x10000 + e),
);

function anyPart(syntax: Syntax): fc.Arbitrary<Part> {
  const plain = fc.record({
    tag: anyTag,
    vr: fc.constantFrom('OB', 'LO', 'UN', 'US', 'UT'),
    value: evenBytes,
  });
  const nested = fc.tuple(
    anyTag,
    fc.array(fc.array(plain, { maxLength: 3 }), { maxLength: 3 }),
    fc.boolean(),
  );
  const sequences = nested.map(([tag, items, open]): Part => {
    const inner = items.map((parts) => Buffer.concat(parts.map((part) => encode(part, syntax))));
    return { tag, vr: 'SQ', value: sequence(inner, syntax, open), undefinedLength: open };
  });
  return fc.oneof(plain, sequences);
}

const anyCreators = fc.uniqueArray(
  fc.record({
    block: fc.integer({ min: 0x10, max: 0x14 }),
    creator: fc.constantFrom('SIEMENS', 'SCANFLOW', ''),
  }),
  { selector: ({ block }) => block, maxLength: 5 },
);

const anyCase = fc.constantFrom(...SYNTAXES).chain((syntax) =>
  fc.record({
    syntax: fc.constant(syntax),
    tag: fc.constantFrom(TAG, FULL),
    counted: fc.boolean(),
    parts: fc.tuple(fc.array(anyPart(syntax), { maxLength: 12 }), anyCreators).map(([parts, creators]) => {
      const reserved = creators.map(({ block, creator }) => lo(0x00210000 + block, creator));
      const all = [...reserved, ...parts].filter(({ tag }) => (tag & 0xffff) !== 0);
      return [...new Map(all.map((part) => [part.tag, part])).values()];
    }),
  }),
);

/** What should come out, by the model: undefined for a file that is tagged already. */
function expected(parts: readonly Part[], tag: PrivateTag): Part[] | undefined {
  const own = parts
    .filter(
      ({ tag, value }) => tag >= 0x00210010 && tag <= 0x002100ff && value.toString().trim() === TAG.creator,
    )
    .map(({ tag }) => tag & 0xff)
    .sort((a, b) => a - b);
  const has = (element: number): boolean => parts.some(({ tag }) => tag === 0x00210000 + element);
  if (own.some((block) => has(block * 0x100 + tag.element))) return undefined;
  const used = (block: number): boolean =>
    has(block) || parts.some((part) => part.tag >>> 8 === 0x00210000 / 0x100 + block);
  const free = Array.from({ length: 240 }, (_, index) => index + 0x10).find((block) => !used(block)) ?? 0;
  const open = own.find((block) => !elementsOf(tag).some(({ element }) => has(block * 0x100 + element)));
  const block = open ?? free;
  const added = elementsOf(tag).map(({ element, vr, value }) =>
    lo(0x00210000 + block * 0x100 + element, value, vr),
  );
  return [...parts, ...added, ...(open === undefined ? [lo(0x00210000 + block, tag.creator)] : [])];
}

test('splice: a random data set gets the elements at their sorted place, and nothing else changes', () => {
  fc.assert(
    fc.property(anyCase, ({ syntax, parts, counted, tag }) => {
      const original = file(write(parts, syntax, counted), syntax.uid);
      const plan = planSplice(original, tag, true);
      const wanted = expected(parts, tag);
      if (wanted === undefined) {
        assert.equal(plan.kind, 'already');
        return;
      }
      assert.ok(plan.kind === 'splice', JSON.stringify(plan));
      const tagged = applyEdits(inflateFile(original), plan.edits);
      const body = write(wanted, syntax, counted);
      assert.deepEqual(Buffer.from(tagged), inflated(body, syntax.uid));
      assert.equal(planSplice(file(body, syntax.uid), tag, true).kind, 'already');
    }),
    { numRuns: 1000 },
  );
});

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

test('splice: a file that passes in chunks comes out as the model says', async () => {
  await fc.assert(
    fc.asyncProperty(anyCase, fc.integer({ min: 1, max: 400 }), fc.boolean(), async (one, size, known) => {
      const { syntax, parts, counted, tag } = one;
      const original = file(write(parts, syntax, counted), syntax.uid);
      const stream = new TagStream(tag, known ? { fileSize: original.length } : {});
      const out = Buffer.concat(await Array.fromAsync(stream.through(inChunks(original, size))));
      const wanted = expected(parts, tag);
      if (wanted === undefined) {
        assert.deepEqual([stream.outcome?.kind, out], ['already', original]);
        return;
      }
      assert.equal(stream.outcome?.kind, 'tagged');
      assert.deepEqual(Buffer.from(inflateFile(out)), inflated(write(wanted, syntax, counted), syntax.uid));
      assert.equal(out.length % 2, original.length % 2);
    }),
    { numRuns: 500 },
  );
});

test('splice: taking the tag out again gives the original', async () => {
  await fc.assert(
    fc.asyncProperty(anyCase, async ({ syntax, parts, counted, tag }) => {
      const empty = (block: number): boolean => !parts.some((part) => part.tag >>> 8 === 0x2100 + block);
      const reservedForNothing = parts.some(
        (part) =>
          part.tag >>> 8 === 0x2100 && part.value.toString().trim() === TAG.creator && empty(part.tag & 0xff),
      );
      fc.pre(!reservedForNothing);
      const original = file(write(parts, syntax, counted), syntax.uid);
      const stream = new TagStream(tag);
      const tagged = Buffer.concat(await Array.fromAsync(stream.through(inChunks(original, 1000))));
      fc.pre(stream.outcome?.kind === 'tagged');
      assert.deepEqual(Buffer.from(removeSplice(tagged, tag)), Buffer.from(inflateFile(original)));
    }),
    { numRuns: 500 },
  );
});

test('splice: any head of a file leads to the plan of the whole file, by asking for no more than there is', () => {
  fc.assert(
    fc.property(anyCase, fc.nat(), fc.boolean(), ({ syntax, parts, counted }, cut, sizeKnown) => {
      const whole = file(write(parts, syntax, counted), syntax.uid);
      const options = sizeKnown ? { fileSize: whole.length } : {};
      let length = cut % whole.length;
      let plan = planSplice(whole.subarray(0, length), TAG, false, options);
      while (plan.kind === 'needMore') {
        assert.ok(plan.atLeast > length);
        // without a size, it can only find out that the file has ended by asking for one header more
        assert.ok(plan.atLeast <= whole.length + (sizeKnown ? 0 : 12), `${plan.atLeast} of ${whole.length}`);
        length = plan.atLeast;
        plan = planSplice(whole.subarray(0, length), TAG, length >= whole.length, options);
      }
      assert.deepEqual(plan, planSplice(whole, TAG, true));
      if (plan.kind !== 'splice' || plan.deflatedFrom !== undefined) return;
      const streamed = Buffer.concat([
        applyEdits(whole.subarray(0, length), plan.edits),
        whole.subarray(length),
      ]);
      assert.deepEqual(streamed, Buffer.from(applyEdits(whole, plan.edits)));
    }),
    { numRuns: 1000 },
  );
});

test('splice: a file cut anywhere is refused, unless the cut is behind the place or between elements', () => {
  const parts = [
    lo(0x00100010, 'A^B'),
    lo(0x00210010, 'SIEMENS'),
    lo(0x00211001, 'x'),
    lo(0x00280010, 'later on'),
  ];
  for (const syntax of [IMPLICIT, EXPLICIT, BIG_ENDIAN]) {
    const whole = file(write(parts, syntax, true), syntax.uid);
    const start = file(Buffer.alloc(0), syntax.uid).length;
    const bounds = [start, ...[...whole.keys()].slice(start).filter((at) => isBoundary(at))];
    for (let cut = 0; cut < whole.length; cut += 1) {
      const plan = planSplice(whole.subarray(0, cut), TAG, true);
      assert.equal(plan.kind, bounds.includes(cut) ? 'splice' : 'refused', `${syntax.uid} cut at ${cut}`);
    }
    function isBoundary(at: number): boolean {
      const sorted = [...parts, { tag: 0x00210000, vr: 'UL', value: Buffer.alloc(4) }].sort(
        (a, b) => a.tag - b.tag,
      );
      const ends = sorted.map((_, index) =>
        sorted.slice(0, index + 1).reduce((sum, part) => sum + encode(part, syntax).length, start),
      );
      return ends.includes(at);
    }
  }
});

test('splice: bytes changed at random end in a plan, never in an exception or without an end', () => {
  const change = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(anyCase, change, ({ syntax, parts, counted }, changes) => {
      const bytes = file(write(parts, syntax, counted), syntax.uid);
      for (const [at, value] of changes) bytes[132 + (at % (bytes.length - 132))] = value;
      const plan = planSplice(bytes, TAG, true);
      assert.notEqual(plan.kind, 'needMore');
      if (plan.kind === 'splice' && plan.deflatedFrom === undefined)
        assert.equal(planSplice(applyEdits(bytes, plan.edits), TAG, true).kind, 'already');
    }),
    { numRuns: 2000 },
  );
});
