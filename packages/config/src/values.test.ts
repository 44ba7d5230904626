import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cronProblem, CHARACTER_SETS, characterSet, NARROW_SETS, WIDE_SETS } from './values.ts';

for (const expression of [
  '* * * * *',
  '*/5 * * * *',
  '0 */5 * * * *',
  '0,30 7-19 * * MON-FRI',
  '15 3 1-7/2 jan,JUL 7',
  '  5   4 * * 0 ',
])
  test(`cron: ${expression} is good`, () => assert.equal(cronProblem(expression), undefined));

for (const [expression, expected] of [
  ['', /five fields/],
  ['* * * *', /five fields/],
  ['* * * * * * *', /five fields/],
  ['60 * * * *', /60 is no minute, which goes from 0 to 59/],
  ['* 24 * * *', /24 is no hour/],
  ['* * 0 * *', /0 is no day of the month/],
  ['* * * 13 *', /13 is no month/],
  ['* * * * 8', /8 is no day of the week/],
  ['60 * * * * *', /60 is no second/],
  ['5-1 * * * *', /5-1 is no minute/],
  ['*/0 * * * *', /no minute/],
  ['5/10 * * * *', /no minute/],
  ['1,,2 * * * *', /no minute/],
  ['a b c d e', /a is no minute/],
  ['* * * mon *', /mon is no month/],
  ['* * * * jan', /jan is no day of the week/],
] as const)
  test(`cron: ${JSON.stringify(expression)} is refused`, () =>
    assert.match(cronProblem(expression) ?? 'good', expected));

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
