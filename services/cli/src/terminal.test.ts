import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLEAR_LINE, outputTo, plain } from './terminal.ts';

function written(text: string, isTTY: boolean): string {
  let all = '';
  outputTo({ isTTY, write: (part) => ((all += part), true) }).write(text);
  return all;
}

/** Title, clearing, colour; the same in C1; a name turned round; a line over another; bells. */
const HOSTILE = [
  '\x1b]0;OWNED\x07',
  '\x1b[2J',
  '\x9b31m',
  '\u202egpj.exe',
  '\rAll sent.',
  '\x08\x08',
  '\u2066x\u2069',
];

test('terminal: nothing of others steers it', () => {
  for (const isTTY of [true, false])
    for (const text of HOSTILE) assert.match(written(text, isTTY), /^[\x20-\x7e]+$/, JSON.stringify(text));
});

test('terminal: colours and the line that is drawn again pass, and only to a terminal', () => {
  const ours = `${CLEAR_LINE}\u001b[31;1mFAILED\u001b[0m  a\n`;
  assert.equal(written(ours, true), ours);
  assert.ok(!written(ours, false).includes('\u001b'));
});

test('terminal: lines stay lines, and other scripts stay as they are', () => {
  const text = 'één\nジョン\n';
  assert.equal(written(text, false), text);
});

test('terminal: JSON stays exact', () => {
  const value = { name: `${HOSTILE.join('')} é "x" \\ \n` };
  assert.deepEqual(JSON.parse(written(JSON.stringify(value, null, 2), true)), value);
});

test('terminal: a cell is one line', () => {
  assert.equal(plain('a\x1b[31mb\n c\u202e\u0085d'), 'ab c d');
});
