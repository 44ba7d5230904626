import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeDataSet,
  DicomDecodeError,
  encodeDataSet,
  matches,
  transferSyntaxes,
  type DataSet,
  type Element,
  type Tag,
} from './index.ts';
import { vrOf } from './dictionary.ts';
import { requireVr } from './layout.ts';

const { implicitVRLittleEndian, explicitVRLittleEndian, explicitVRBigEndian } = transferSyntaxes;
const syntaxes = [implicitVRLittleEndian, explicitVRLittleEndian, explicitVRBigEndian];
const characterSets = ['ISO_IR 6', 'ISO_IR 100', 'ISO_IR 144', 'ISO_IR 192', 'GB18030', 'GBK'];

const TAGS: readonly Tag[] = [
  ...[
    0x00080020, 0x00080050, 0x00080060, 0x00080090, 0x00081030, 0x00100010, 0x00100020, 0x00101030,
    0x001021c0,
  ],
  ...[
    0x00104000, 0x0018106c, 0x0020000d, 0x00200013, 0x00280009, 0x00280010, 0x00189087, 0x00321060,
    0x00080119,
  ],
  ...[0x00080120, 0x00400001, 0x00090010, 0x00091001, 0x00081110, 0x00400100, 0x00400275],
];
const ASCII = Array.from('abcXYZ019 _-.^=');
const LETTERS: Readonly<Record<string, readonly string[]>> = {
  'ISO_IR 6': ASCII,
  'ISO_IR 100': [...ASCII, 'ü', 'é', 'ÿ', 'ß'],
  'ISO_IR 144': [...ASCII, 'Ж', 'ђ', 'я'],
  'ISO_IR 192': [...ASCII, 'ü', 'Ж', '山', '𠮷', '\u0301'],
  GB18030: [...ASCII, 'ü', '山', '誠', '𠮷'],
  GBK: [...ASCII, 'ü', '山', '誠'],
};
const texts = (characterSet: string, extended: boolean): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom(...(extended ? (LETTERS[characterSet] ?? ASCII) : ASCII)), { maxLength: 12 })
    .map((letters) => letters.join('').trim());

function elements(vr: string, characterSet: string, depth: number): fc.Arbitrary<Element> {
  const { kind, size, multiple, extended } = requireVr(vr);
  if (kind === 'sequence') {
    const item = dataSets(characterSet, depth - 1);
    return fc.array(item, { maxLength: 3 }).map((items) => ({ vr: 'SQ', kind: 'sequence', items }));
  }
  if (kind === 'binary') {
    const unit = vr === 'UN' || vr === 'OB' ? 2 : size;
    return fc
      .array(fc.uint8Array({ minLength: unit, maxLength: unit }), { maxLength: 4 })
      .map((parts) => ({ vr, kind: 'binary', bytes: new Uint8Array(Buffer.concat(parts)) }));
  }
  return fc.array(texts(characterSet, extended), { maxLength: multiple ? 3 : 1 }).map((values) => ({
    vr,
    kind: 'text',
    values: values.every((value) => value === '') && values.length < 2 ? [] : values,
  }));
}

function dataSets(characterSet: string, depth: number): fc.Arbitrary<DataSet> {
  const usable = TAGS.filter((tag) => depth > 0 || vrOf(tag) !== 'SQ');
  const pair = fc
    .constantFrom(...usable)
    .chain((tag) =>
      elements(vrOf(tag), characterSet, depth).map((element): [Tag, Element] => [tag, element]),
    );
  return fc.array(pair, { maxLength: 8 }).map((pairs) => new Map(pairs));
}

const encodings = fc.constantFrom(...characterSets).chain((characterSet) =>
  fc.record({
    characterSet: fc.constant(characterSet),
    syntax: fc.constantFrom(...syntaxes),
    dataSet: dataSets(characterSet, 3),
  }),
);

/** Values that are all padding are one with the empty element only where they end the list: those are left out. */
const isStable = (dataSet: DataSet): boolean =>
  [...dataSet.values()].every((element) =>
    element.kind === 'text'
      ? element.values.length === 0 ||
        element.values.some((value) => value !== '') ||
        element.values.length > 1
      : element.kind !== 'sequence' || element.items.every(isStable),
  );

test('codec: any data set is decoded as it was encoded', () => {
  fc.assert(
    fc.property(encodings, ({ characterSet, syntax, dataSet }) => {
      fc.pre(isStable(dataSet));
      const bytes = encodeDataSet(dataSet, syntax, characterSet);
      assert.equal(bytes.length % 2, 0);
      const decoded = new Map(decodeDataSet(bytes, syntax));
      const declared = decoded.get(0x00080005);
      assert.deepEqual(declared?.kind === 'text' ? declared.values : ['ISO_IR 6'], [characterSet]);
      decoded.delete(0x00080005);
      assert.deepEqual(decoded, new Map([...dataSet].sort(([one], [other]) => one - other)));
    }),
    { numRuns: 500 },
  );
});

/** Decodes, and lets only DicomDecodeError pass. */
function survives(bytes: Uint8Array, syntax: string): void {
  try {
    const decoded = decodeDataSet(bytes, syntax);
    encodeDataSet(decoded, explicitVRLittleEndian, 'ISO_IR 192');
    matches(decoded, decoded);
  } catch (error) {
    if (!(error instanceof DicomDecodeError)) throw error;
    assert.ok(error.offset >= 0 && error.offset <= bytes.length);
  }
}

test('codec: random bytes only ever give DicomDecodeError, fast', () => {
  const started = performance.now();
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), fc.constantFrom(...syntaxes), survives), {
    numRuns: 2000,
  });
  assert.ok(performance.now() - started < 20_000);
});

test('codec: damaged data sets only ever give DicomDecodeError', () => {
  const damages = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(encodings, damages, fc.nat(), ({ characterSet, syntax, dataSet }, changes, cut) => {
      const bytes = encodeDataSet(dataSet, syntax, characterSet);
      for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
      survives(bytes, syntax);
      survives(bytes.subarray(0, cut % (bytes.length + 1)), syntax);
    }),
    { numRuns: 1500 },
  );
});
