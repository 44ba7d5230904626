/** XML from strangers: what it says, however it is cut into pieces, and what is too much. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { XmlError, xmlReader } from './xml.ts';

const LIMITS = { depth: 5, parts: 100, piece: 200_000 };

function read(text: string, cuts: readonly number[] = [], limits = LIMITS): string[] {
  const seen: string[] = [];
  const reader = xmlReader(
    {
      open: (name, attributes) => seen.push(`<${name}${JSON.stringify(attributes)}`),
      close: (name) => seen.push(`>${name}`),
      text: (found) => seen.push(found),
    },
    limits,
  );
  const bytes = Buffer.from(text);
  let from = 0;
  for (const cut of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
    reader.write(bytes.subarray(from, cut));
    from = Math.max(from, cut);
  }
  reader.end();
  return seen;
}

const reasonOf = (text: string, limits = LIMITS): string => {
  try {
    read(text, [], limits);
    return 'read';
  } catch (error) {
    assert.ok(error instanceof XmlError, String(error));
    return error.reason;
  }
};

const GOOD = '<?xml version="1.0"?><d:a xmlns:d="DAV:" x="1">é &amp; &#13;<b/><![CDATA[<c>]]></d:a>';

test('xml: names without prefix, entities and CDATA as text', () => {
  assert.deepEqual(read(GOOD), ['<a{"xmlns:d":"DAV:","x":"1"}', 'é & \r', '<b{}', '>b', '<c>', '>a']);
});

test('xml: the same, wherever the pieces are cut', () => {
  const whole = read(GOOD).join('');
  fc.assert(
    fc.property(fc.array(fc.nat(Buffer.byteLength(GOOD))), (cuts) => {
      assert.equal(read(GOOD, cuts).join(''), whole);
    }),
  );
});

test('xml: cut, broken, and a document type with its entities', () => {
  for (const text of ['', '<a>', '<a><b/>', '<a/', '<a>text']) assert.equal(reasonOf(text), 'cut', text);
  for (const text of ['<a></b>', '<a>&x;</a>', 'plain', '<a/><a/>', '<a b=1/>'])
    assert.ok(['broken', 'cut'].includes(reasonOf(text)), text);
  const bomb = '<!DOCTYPE a [<!ENTITY x "xxxxxxxx"><!ENTITY y "&x;&x;&x;">]><a>&y;</a>';
  assert.equal(reasonOf(bomb), 'broken');
});

test('xml: too deep, too many parts of any kind, and a piece without end', () => {
  assert.equal(reasonOf('<a>'.repeat(5) + '</a>'.repeat(5)), 'read');
  assert.equal(reasonOf('<a>'.repeat(6) + '</a>'.repeat(6)), 'too much');
  for (const part of ['<b/>', '<b></b>', '<!-- -->', '<?x y?>', '<![CDATA[x]]>'])
    assert.equal(reasonOf(`<a>${part.repeat(101)}</a>`), 'too much', part);
  const attributes = Array.from({ length: 101 }, (_, index) => ` a${index}="1"`).join('');
  assert.equal(reasonOf(`<a${attributes}/>`), 'too much');
  const long = 'x'.repeat(400_000);
  for (const text of [
    `<a>${long}</a>`,
    `<a b="${long}"/>`,
    `<${long}/>`,
    `<a><!--${long}--></a>`,
    `<!DOCTYPE ${long}><a/>`,
  ])
    assert.equal(reasonOf(text), 'too much', text.slice(0, 20));
});

test('xml: what the handler throws is what comes out', () => {
  const reader = xmlReader(
    {
      open: () => {
        throw new RangeError('of the handler');
      },
    },
    LIMITS,
  );
  assert.throws(() => reader.write(Buffer.from('<a>')), /of the handler/);
});
