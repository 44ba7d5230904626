/** Answers of STOW-RS in XML, as servers write them and as hostile ones would. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAnswer } from './answer.ts';

const attribute = (tag: string, inside: string): string =>
  `<DicomAttribute tag="${tag}" vr="UI">${inside}</DicomAttribute>`;
const value = (text: string): string => `<Value number="1">${text}</Value>`;
const item = (inside: string): string => `<Item number="1">${inside}</Item>`;
const model = (inside: string): string =>
  `<NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM">${inside}</NativeDicomModel>`;

const stored = attribute(
  '00081199',
  item(attribute('00081155', value('1.2.3')) + attribute('00081196', value('45056'))),
);
const refused = attribute(
  '00081198',
  item(attribute('00081155', value('1.2.4')) + attribute('00081197', value('272'))),
);
const told = (text: string): unknown => {
  const answer = parseAnswer(text);
  return answer && { stored: [...answer.stored], failed: [...answer.failed] };
};
const expected = { stored: [['1.2.3', 45056]], failed: [['1.2.4', 272]] };

test('answer: XML, with a declaration, a prefix, a wrapper, comments and CDATA', () => {
  const plain = model(stored + refused);
  assert.deepEqual(told(plain), expected);
  assert.deepEqual(told(`<?xml version="1.0" encoding="UTF-8"?>\n${plain}`), expected);
  assert.deepEqual(told(`<answer><!-- of ours -->${plain}</answer>`), expected);
  assert.deepEqual(told(plain.replace('1.2.3', '<![CDATA[1.2.3]]>')), expected);
  const prefixed = plain.replaceAll(/<(\/?)(?=[A-Z])/g, '<$1n:').replace('xmlns=', 'xmlns:n=');
  assert.deepEqual(told(prefixed), expected);
});

test('answer: what is cut, broken, other XML, or too much is none', () => {
  const plain = model(stored);
  for (const text of [plain.slice(0, -5), `${plain}<a>`, '<html></html>', plain.replace('</Item>', '')])
    assert.equal(told(text), undefined, text.slice(0, 40));
  const began = performance.now();
  assert.equal(told(model('<a/>'.repeat(2_000_000))), undefined);
  assert.equal(told(model(item('').replace('</Item>', '').repeat(1_000_000))), undefined);
  assert.equal(told(`<!DOCTYPE a [<!ENTITY x "1.2.3">]>${model(stored.replace('1.2.3', '&x;'))}`), undefined);
  assert.ok(performance.now() - began < 30_000);
});
