import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cronProblem } from './cron.ts';

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
