import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Role } from '../access/roles.ts';
import { banners } from './routes.ts';

const at = (text: string): number => Temporal.Instant.from(text).epochMilliseconds;
const NOW = at('2026-11-28T15:00:00Z');
const paused = {
  since: at('2026-11-28T13:02:00Z'),
  by: 'anna',
  reason: 'the <b>archive</b> is updated',
  waiting: 12,
};
const shown = (role: Role, since = paused.since): string =>
  banners(
    [{ name: 'pacs', paused: { ...paused, since } }, { name: 'research' }],
    { name: 'x', role, projects: [], addresses: [] },
    NOW,
    'Europe/Amsterdam',
  )?.toString() ?? '';

test('banner: who paused which destination since when and why, how many series wait, and the button that ends it', () => {
  const page = shown('it');
  assert.match(page, /pacs is paused since 14:02 by anna: the &lt;b&gt;archive&lt;\/b&gt; is updated\./);
  assert.match(page, /<a href="\/series\?target=pacs&amp;leg=paused">12 series wait\.<\/a>/);
  assert.match(page, /action="\/destinations\/pacs\/resume"/);
  assert.doesNotMatch(page, /research/);
  assert.match(shown('it', at('2026-11-27T13:02:00Z')), /since 27 Nov 14:02/);
});

test('banner: operators see it and cannot end it; members read neither who nor why', () => {
  assert.match(shown('operator'), /by anna/);
  assert.doesNotMatch(shown('operator'), /<form/);
  assert.match(shown('member'), /Sending to pacs is paused since 14:02\./);
  assert.doesNotMatch(shown('member'), /anna|archive|12 series|<form|<a /);
});

test('banner: where nothing is paused, none', () => {
  assert.equal(
    banners([{ name: 'pacs' }], { name: 'x', role: 'it', projects: [], addresses: [] }, NOW, 'UTC'),
    undefined,
  );
});
