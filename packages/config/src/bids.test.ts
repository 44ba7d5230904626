import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { bidsOf, bidsUrl, ruleFiles, type BidsConfig } from './bids.ts';
import { loadConfig, parseConfig } from './load.ts';
import { MINIMUM, mistakesOf } from './mistakes-kit.test.ts';
import { configWarnings } from './rules.ts';

function section(text: string): BidsConfig {
  const parsed = parseConfig(`${MINIMUM}bids: ${text}`, 'f');
  assert.ok(parsed.ok, JSON.stringify(parsed));
  assert.ok(parsed.config.bids);
  return parsed.config.bids;
}

test('bids: off unless the section is there; empty, it has every default', () => {
  const parsed = parseConfig(MINIMUM, 'f');
  assert.ok(parsed.ok);
  assert.equal(parsed.config.bids, undefined);
  const { port, root, repeats, parallel, timeout } = section('{}');
  assert.deepEqual(
    { port, root, repeats, parallel, timeout },
    { port: 9109, root: '{project}/bids', repeats: 'last', parallel: 1, timeout: 6 * 3_600_000 },
  );
});

test('bids: all projects, those of a list, and those with settings of their own', () => {
  assert.deepEqual(bidsOf(section('{}'), 'p'), { root: 'p/bids', rules: undefined });
  const listed = section('{ projects: [p], rules: r.yaml }');
  assert.deepEqual(bidsOf(listed, 'p'), { root: 'p/bids', rules: 'r.yaml' });
  assert.equal(bidsOf(listed, 'q'), undefined);
  const own = section('{ projects: { p: { root: "data/{project}", rules: p.yaml }, q: {} } }');
  assert.deepEqual(bidsOf(own, 'p'), { root: 'data/p', rules: 'p.yaml' });
  assert.deepEqual(bidsOf(own, 'q'), { root: 'q/bids', rules: undefined });
  assert.deepEqual(ruleFiles(own), [['bids.projects.p.rules', 'p.yaml']]);
  assert.equal(bidsOf(own, 'constructor'), undefined);
});

test('bids: mistakes say what is expected', () => {
  for (const root of ['/abs/{project}', '../{project}', '{project}/../x', '{projet}/bids'])
    assert.match(
      mistakesOf(`bids: { root: '${root}' }`).join(),
      /^bids\.root: expected a folder below/,
      root,
    );
  assert.match(mistakesOf('bids: { root: all/bids }').join(), /^bids\.root: needs \{project\}/);
  assert.match(mistakesOf('bids: { projects: [] }').join(), /^bids\.projects/);
  assert.match(mistakesOf('bids: { repeat: last }').join(), /did you mean repeats\?/);
  assert.match(mistakesOf('bids: { parallel: 99 }').join(), /^bids\.parallel/);
  assert.match(
    mistakesOf('bids: {}\nhooks: { bids: { on: [complete], command: [/bin/true] } }').join(),
    /^hooks\.bids: the section bids has the hook of this name/,
  );
});

test('bids: a hook of this name goes on without the section, with a warning', () => {
  const parsed = parseConfig(`${MINIMUM}hooks: { bids: { on: [complete], command: [/bin/true] } }`, 'f');
  assert.ok(parsed.ok);
  const warnings = configWarnings(parsed.config).map(({ path }) => path);
  assert.ok(warnings.includes('hooks.bids'));
});

test('bids: files of rules lie beside the configuration', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-bids-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'scanflow.yaml');
  await writeFile(file, `${MINIMUM}bids: { rules: a.yaml, projects: { p: { rules: /b.yaml }, q: {} } }`);
  const loaded = await loadConfig(file);
  assert.ok(loaded.ok && loaded.config.bids);
  assert.deepEqual(ruleFiles(loaded.config.bids), [
    ['bids.rules', join(folder, 'a.yaml')],
    ['bids.projects.p.rules', '/b.yaml'],
  ]);
});

test('bids: the service has its name in containers', () => {
  assert.equal(bidsUrl(section('{}'), true), 'http://bids:9109');
  assert.equal(bidsUrl(section('{ port: 9200 }'), false), 'http://127.0.0.1:9200');
  assert.equal(bidsUrl(section('{ url: "http://other:1/" }'), false), 'http://other:1');
});
