import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHARACTER_SETS, characterSet, NARROW_SETS, WIDE_SETS } from './character-set.ts';

const isGood = (term: unknown): boolean => characterSet.safeParse(term).success;

test('character set: every single one, and those with code extensions', () => {
  for (const term of CHARACTER_SETS) assert.ok(isGood(term), term);
  for (const number of [...NARROW_SETS, ...WIDE_SETS]) {
    assert.ok(isGood(`ISO 2022 IR ${number}`), number);
    assert.ok(isGood(`\\ISO 2022 IR ${number}`), number);
  }
  assert.ok(isGood('ISO 2022 IR 13\\ISO 2022 IR 87\\ISO 2022 IR 159'));
});

test('character set: what is none is a mistake', () => {
  const wrong = [
    '',
    'latin1',
    'iso_ir 100',
    'ISO_IR 999',
    'ISO 2022 IR 192',
    'ISO_IR 100\\ISO_IR 144',
    'ISO 2022 IR 87\\ISO 2022 IR 13',
    100,
  ];
  for (const term of wrong) assert.ok(!isGood(term), String(term));
  const message = characterSet.safeParse('latin1').error?.issues[0]?.message ?? '';
  assert.match(message, /^expected a character set such as ISO_IR 100.*got "latin1"$/);
});
