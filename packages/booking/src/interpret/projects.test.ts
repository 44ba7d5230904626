/** Lists of projects as facilities keep them, and what is none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProjects } from './projects.ts';

const names = (text: string): string[] | undefined => {
  const projects = parseProjects(text);
  return projects && [...projects];
};

test('projects: one a line with comments, in any line ends, or a JSON array', () => {
  assert.deepEqual(names('\ufeff# ours\r\n3010000.01\r\n\r\nP7 # since May\r\nA#1\n'), [
    '3010000.01',
    'P7',
    'A#1',
  ]);
  assert.deepEqual(names(' ["3010000.01", " P7 ", ""] '), ['3010000.01', 'P7']);
});

test('projects: an empty list, a page of HTML and broken JSON are no list, so that they refuse nobody', () => {
  for (const text of [
    '',
    '# nothing yet\n',
    '<!doctype html>\n<p>Log in</p>',
    '["a", 1]',
    '["a"',
    '{}x'.repeat(40),
  ])
    assert.equal(names(text), undefined, text);
});
