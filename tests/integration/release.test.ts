import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { against, BUNDLED, composedVersion, notesOf, type Standing } from '../../scripts/release/plan.ts';

const ROOT = join(import.meta.dirname, '../..');
const CHANGELOG = `# Changelog

## 0.3.0 (unreleased)

- To come.

## [0.2.0] - 2026-12-01

### Added

- One.

## 0.1.0

- The first.
`;
const GOOD: Standing = {
  version: '0.2.0',
  composed: '0.2.0',
  changelog: CHANGELOG,
  changed: '',
  tags: ['v0.2.0'],
};

test('release: notes are the section of the version, to the next one', () => {
  assert.equal(notesOf(CHANGELOG, '0.2.0'), '### Added\n\n- One.\n');
  assert.equal(notesOf(CHANGELOG, '0.1.0'), '- The first.\n');
  assert.equal(notesOf(CHANGELOG, '0.2'), undefined);
});

test('release: a tagged commit with its section goes out; each thing that is missing is a reason', () => {
  assert.deepEqual(against(GOOD), []);
  const one = (change: Partial<Standing>): string => {
    const reasons = against({ ...GOOD, ...change });
    assert.equal(reasons.length, 1, reasons.join('\n'));
    return reasons[0] ?? '';
  };
  assert.match(one({ tags: ['v0.1.0'] }), /no tag v0\.2\.0/);
  assert.match(one({ changed: ' M README.md' }), /README\.md/);
  assert.match(one({ composed: '0.1.0' }), /version 0\.1\.0/);
  assert.match(one({ changelog: '# Changelog\n' }), /no section 0\.2\.0/);
  assert.match(one({ version: '0.3.0', composed: '0.3.0', tags: ['v0.3.0'] }), /unreleased/);
  assert.match(against({ ...GOOD, version: '2' }).join('\n'), /MAJOR\.MINOR\.PATCH/);
});

test('release: every image of every compose file has the version of package.json, and a build as the fallback', async () => {
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  for (const name of ['', '.demo', '.monitoring', '.scale']) {
    const text = await readFile(join(ROOT, `compose${name}.yaml`), 'utf8');
    assert.equal(composedVersion(text), version, `compose${name}.yaml`);
    const images = text.match(/^\s*image: .*$/gm) ?? [];
    for (const image of images)
      assert.match(image, /'\$\{SCANFLOW_REGISTRY:-\}scanflow-[a-z0-9]+:\$\{SCANFLOW_VERSION:-[^}]+\}'/);
  }
});

test('release: the bundle has the files of docker/ that a page has you copy', async () => {
  const page = await readFile(join(ROOT, 'docs/swarm.md'), 'utf8');
  const named = new Set(page.match(/\bdocker\/[\w/.-]+\.cfg\b/g));
  assert.ok(named.size > 0);
  for (const file of named) assert.ok(BUNDLED.includes(file), file);
});
