import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonPieces, readJson } from './json.ts';

/** The bytes of the text, cut at these places. */
function cut(text: string, places: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text);
  const at = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted(
    (a, b) => a - b,
  );
  return at.slice(1).map((to, index) => bytes.subarray(at[index], to));
}

const places = fc.array(fc.nat(), { maxLength: 12 });
/** JSON.parse takes `__proto__` as a name like others; what is compared here are the values. */
const values = fc.jsonValue({ maxDepth: 5 });

void test('readJson: reads what JSON.parse reads, wherever the pieces are cut', async () => {
  await fc.assert(
    fc.asyncProperty(values, fc.constantFrom(0, 1, 3), places, async (value, indent, at) => {
      const text = JSON.stringify(value, null, indent);
      assert.deepEqual(await readJson(cut(text, at)), JSON.parse(text));
    }),
  );
});

void test('readJson: objects of lists, beside numbers and lists, keep their places', async () => {
  for (const value of [
    [1, { a: [{ b: '}]"\\' }] }, [{ c: 1 }], { place: 0 }, null],
    { place: 3, list: [{ place: 5 }, 0, {}], deep: { list: [{ x: 1 }] }, none: [] },
    [],
    {},
    'text',
    7,
  ])
    assert.deepEqual(await readJson(cut(JSON.stringify(value), [5, 9, 11, 20])), value);
});

void test('readJson: what JSON.parse refuses is refused', async () => {
  const good = JSON.stringify({ version: 1, list: [{ a: 'b' }, { c: [1] }] });
  const broken = [
    '',
    '[{"a":1]',
    '[{"a":1}',
    '[{"a":1},]',
    '{"list":[{"a":1}]]',
    '[{}] x',
    '[{"a"}]',
    ']{',
    '[{"a":1}}',
  ];
  for (let length = 0; length < good.length; length += 1) broken.push(good.slice(0, length));
  for (const text of broken) {
    assert.throws(() => JSON.parse(text) as unknown, SyntaxError, text);
    await assert.rejects(readJson(cut(text, [3, 8])), SyntaxError, text);
  }
});

void test('readJson: an object of a list is handed on before the next one comes', async () => {
  const seen: number[] = [];
  let sent = 0;
  let ahead = 0;
  async function* list(): AsyncGenerator<Uint8Array, void, undefined> {
    await Promise.resolve();
    yield Buffer.from('[');
    for (; sent < 50_000; sent += 1) {
      ahead = Math.max(ahead, sent - seen.length);
      yield Buffer.from(`${sent === 0 ? '' : ','}\n{"id": ${sent}, "text": "${'x'.repeat(200)}"}`);
    }
    yield Buffer.from(']\n');
  }
  const whole = await readJson(list(), (one) => {
    const { id } = one as { id: number };
    seen.push(id);
    return id;
  });
  assert.equal(ahead, 0);
  assert.deepEqual(whole, seen);
  assert.equal(seen.length, 50_000);
});

void test('jsonPieces: the text of JSON.stringify', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), values), (value) => {
      assert.equal([...jsonPieces(value)].join(''), `${JSON.stringify(value, null, 1)}\n`);
    }),
  );
  const odd = { a: undefined, b: [undefined, { c: undefined, d: 'line\nend' }], e: [], f: {} };
  assert.equal([...jsonPieces(odd)].join(''), `${JSON.stringify(odd, null, 1)}\n`);
});

void test('jsonPieces: a long list comes in pieces of bounded length', () => {
  const instances = Array.from({ length: 50_000 }, (_, id) => ({ id, text: 'x'.repeat(500) }));
  let longest = 0;
  for (const piece of jsonPieces({ version: 1, instances })) longest = Math.max(longest, piece.length);
  assert.ok(longest < 128 * 1024, `${longest} characters`);
});
