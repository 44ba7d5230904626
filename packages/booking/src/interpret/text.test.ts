import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainText } from './text.ts';

test('plainText: tags become lines or nothing, entities characters, plain text stays', () => {
  assert.equal(
    plainText('<p>Project: 1</p><b>Subject</b>: sub&#45;001&amp;'),
    '\nProject: 1\nSubject: sub-001&',
  );
  assert.equal(plainText('a < b and c > d'), 'a < b and c > d');
});

test('plainText: styles and scripts go with what they hold, in any case; one that never ends is text', () => {
  assert.equal(plainText('a<STYLE type="x">b {}</style >c<script>d</SCRIPT>e<style>f'), 'acef');
});

test('plainText: what stands behind pages of other text is kept', () => {
  assert.match(plainText(`<b>${'x'.repeat(200_000)}</b>\nSubject: sub-001`), /\nSubject: sub-001$/);
});

for (const [name, piece] of [
  ['tags that never close', '<a'],
  ['styles that never end', '<style>'],
  ['blocks that never close', '<p '],
] as const)
  test(`plainText: 300,000 ${name} cost as little as any text`, () => {
    const few = cpuOf(() => plainText('x '.repeat(150_000)));
    const many = cpuOf(() => plainText(piece.repeat(300_000)));
    // quadratic work would be a thousand times more
    assert.ok(many < 50 * few + 500_000, `${many} µs against ${few} µs`);
  });

function cpuOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
