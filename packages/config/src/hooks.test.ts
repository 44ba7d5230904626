import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig, parseConfig } from './load.ts';
import { MINIMUM, mistakesOf } from './mistakes-kit.test.ts';

/** The mistakes of MINIMUM with `hooks:` of these lines. */
const mistakes = (...hooks: string[]): string[] =>
  mistakesOf(`hooks:\n${hooks.map((line) => `  ${line}\n`).join('')}`);

test('hooks: what is left out has its default, and nothing is deleted unasked', () => {
  const parsed = parseConfig(`${MINIMUM}hooks: { nifti: { on: [stored], command: [/bin/true] } }`, 'f');
  assert.ok(parsed.ok);
  const { hooks, sessions, cleanup } = parsed.config;
  assert.deepEqual(hooks, { nifti: { on: ['stored'], command: ['/bin/true'], environment: {}, retries: 5 } });
  assert.deepEqual(sessions, { quiet: 30 * 60_000 });
  assert.deepEqual(cleanup, {});
});

test('hooks: mistakes between the keys', () => {
  assert.deepEqual(mistakes('a: { on: [stored] }'), ['hooks.a: expected exactly one of command and url']);
  assert.deepEqual(mistakes("a: { on: [stored], command: [convert, '{folder}'] }"), [
    'hooks.a.command.0: expected the absolute path of a program, like /usr/local/bin/convert',
  ]);
  const [wrong] = mistakes("a: { on: [stored], command: [/bin/x, '{foldr}'] }");
  assert.match(wrong ?? '', /^hooks\.a\.command\.1: there is no \{foldr\} .*did you mean \{folder\}\?$/);
  assert.deepEqual(mistakes('a: { on: [stored], command: [/bin/x], secretFile: s }'), [
    'hooks.a.secretFile: signs requests to a url, and there is none',
  ]);
  assert.deepEqual(mistakes('a: { on: [stored], url: http://x/, environment: { A: b } }'), [
    'hooks.a.environment: is for a command, and there is none',
  ]);
  assert.deepEqual(mistakes('a: { on: [complete], url: http://x/, when: { modality: [MR] } }'), [
    'hooks.a.when: a session has no modality of its own; leave when out',
  ]);
  assert.match(mistakes('a: { on: [stord], url: http://x/ }')[0] ?? '', /did you mean stored\?/);
});

test('hooks: secretFile is relative to the configuration', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-hooks-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'scanflow.yaml');
  await writeFile(file, `${MINIMUM}hooks: { a: { on: [failed], url: http://x/, secretFile: key } }`);
  const loaded = await loadConfig(file);
  assert.ok(loaded.ok);
  assert.equal(loaded.config.hooks['a']?.secretFile, join(folder, 'key'));
});
