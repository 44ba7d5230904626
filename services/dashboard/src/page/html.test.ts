import assert from 'node:assert/strict';
import { test } from 'node:test';
import { html } from './html.ts';

const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' autofocus onfocus=alert(1) x='",
  '</title><svg onload=alert(1)>',
  '<!--',
  ']]>',
  '&lt;script&gt;',
  '${alert(1)}',
];

test('html: hostile text between tags and in attributes stays text', () => {
  for (const text of HOSTILE) {
    const page = html`<p title="${text}">${text}</p>`.toString();
    const inside = page.slice('<p title="'.length, -'</p>'.length);
    assert.equal((page.match(/</g) ?? []).length, 2, page);
    assert.equal((inside.match(/"/g) ?? []).length, 1, page);
    assert.equal(inside.includes("'"), false, page);
  }
});

test('html: pieces stand in pieces as they are, and lists in their order', () => {
  const rows = ['a', '<b>'].map((text) => html`<li>${text}</li>`);
  assert.equal(html`${rows}`.toString(), '<li>a</li><li>&lt;b&gt;</li>');
});

test('html: nothing is shown for what is not there', () => {
  assert.equal(html`<p>${undefined}${false}${0}</p>`.toString(), '<p>0</p>');
});

test('html: a character that turns the reading direction, and a control character, show by their number', () => {
  assert.equal(html`${'a\u202Eb'}`.toString(), 'a\uFFFD202Eb');
  assert.equal(html`${'a\u0007\tb\n'}`.toString(), 'a\uFFFD0007\tb\n');
});
