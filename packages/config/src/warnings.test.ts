/** Warnings about a configuration of 0.1.0, and none about one of today; every pattern that we ship runs without backtracking. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { compilePattern } from '@scanflow/booking';
import fc from 'fast-check';
import { labelProblem } from '@scanflow/booking';
import { labelRules } from './booking-rules.ts';
import { parseConfig } from './load.ts';
import type { Config } from './schema.ts';
import { configWarnings, patternsIn } from './rules.ts';

const ROOT = join(import.meta.dirname, '../../..');
const OLD = {
  facility: { name: '-', timezone: 'Europe/Amsterdam' },
  data: '/data',
  scanners: { mr: { aet: 'MR', modality: 'MR' } },
  calendars: { mr: { file: '-', scanner: 'mr' } },
  orthanc: { url: 'http://127.0.0.1' },
  storage: { root: '/project' },
};

function parse(text: string): Config {
  const parsed = parseConfig(text, '-');
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.config;
}
const warned = (more: object): string[] =>
  configWarnings(parse(JSON.stringify({ ...OLD, ...more }))).map(
    ({ path, message }) => `${path}: ${message}`,
  );

test('warnings: the sample has none; a configuration of 0.1.0 goes on, with a warning about labels', async () => {
  const sample = parse(await readFile(join(ROOT, 'config/scanflow.yaml'), 'utf8'));
  assert.deepEqual(configWarnings(sample), []);
  assert.match(warned({}).join(), /^bookings: anybody who books may name any project.*; write labels/);
  assert.deepEqual(warned({ calendars: {} }), []);
  assert.deepEqual(warned({ bookings: { labels: {} } }), []);
});

test('warnings: a calendar that has the name of walk-ins goes on, and says what that means', () => {
  const calendars = { 'walk-in': { file: '-', scanner: 'mr' } };
  const [warning = ''] = warned({ calendars, bookings: { labels: {} } });
  assert.match(warning, /^calendars\.walk-in: this name is kept for walk-ins.*none can be added/);
  const told = (name: string, id: string): string =>
    warned({ calendars: { [name]: { file: '-', scanner: 'mr', id } }, bookings: { labels: {} } }).join();
  assert.match(told('mr', 'walk-in'), /^calendars\.mr: this name is kept/);
  assert.equal(told('walk-in', 'mr'), '');
});

test('warnings: in containers, a port or an address that Compose does not publish; elsewhere both are fine', async () => {
  const parts = { worklist: { bind: '0.0.0.0' }, http: { bind: '0.0.0.0' }, calendars: {} };
  const told = (more: object): string[] =>
    configWarnings(parse(JSON.stringify({ ...OLD, ...parts, ...more })), { inContainer: true }).map(
      ({ path, message }) => `${path}: ${message}`,
    );
  assert.deepEqual(told({}), []);
  const sample = parse(await readFile(join(ROOT, 'config/scanflow.yaml'), 'utf8'));
  assert.deepEqual(configWarnings(sample, { inContainer: true }), []);
  assert.deepEqual(told({ worklist: { bind: '0.0.0.0', port: 2762 } }), [
    'worklist.port: compose.yaml publishes port 11112 of the container, not 2762: no scanner gets through; leave this key out, and set SCANFLOW_WORKLIST_PORT=2762 in .env (or publish 2762 in compose.override.yaml)',
  ]);
  assert.match(told({ commitments: {} }).join(), /^commitments\.bind: 127\.0\.0\.1 is the container alone/);
  assert.match(told({ worklist: {} }).join(), /^worklist\.bind: .*,receiver\.bind: /);
  assert.deepEqual(warned({ ...parts, worklist: { port: 2762 } }), []);
});

test('warnings: a root within another root', () => {
  const storage = { root: '/project', projects: { a: { root: '/project//fast' }, b: { root: '/projects' } } };
  assert.deepEqual(warned({ calendars: {}, storage }), [
    'storage.projects.a.root: /project/fast lies within the root /project, so series of other projects can get folders in it; choose a folder beside /project',
  ]);
  const same = { root: '/project', projects: { a: { root: '/project/', layout: 'study-series' } } };
  assert.deepEqual(warned({ calendars: {}, storage: same }), []);
});

test('warnings: a pattern with look-ahead goes on, and the warning says where it is and what to write', () => {
  const own = String.raw`(?<project>\d+) (?<subject>s\d+) (?<session>\d+)(?!\d)`;
  const told = warned({
    bookings: { labels: { subject: '(?=s).+' } },
    calendars: { mr: { file: '-', scanner: 'mr', patterns: [own] } },
    arrivals: { patterns: { PatientID: '(?<project>(?!x).+)_(?<subject>.+)_(?<session>.+)' } },
  });
  assert.deepEqual(
    told.map((line) => line.split(':')[0]),
    ['bookings.labels.subject', 'calendars.mr.patterns.0', 'arrivals.patterns.PatientID'],
  );
  assert.ok(told[1]?.endsWith(String.raw`; write (?<project>\d+) (?<subject>s\d+) (?<session>\d+)(?:$|\D)`));
});

test('labels: the rules of the sample take its own examples, and no other project', async () => {
  const rules = labelRules(parse(await readFile(join(ROOT, 'config/scanflow.yaml'), 'utf8')));
  assert.equal(labelProblem('project', '3010000.01', rules), undefined);
  assert.equal(labelProblem('subject', 'sub-001', rules), undefined);
  assert.equal(labelProblem('session', 'ses-mri01', rules), undefined);
  for (const project of [
    'not-a-project-number',
    '301000\u0660.01',
    'scanflow-reports',
    '3010000.01 or other',
  ])
    assert.notEqual(labelProblem('project', project, rules), undefined, project);
});

test('labels: without them nothing is asked beyond 0.1.0', () => {
  assert.equal(labelRules(parse(JSON.stringify(OLD))), undefined);
});

/** Every pattern with a label in our samples, documentation and tests of calendars. */
async function shipped(): Promise<string[]> {
  const found = new Set(patternsIn(parse(JSON.stringify(OLD))).map(([, { source }]) => source));
  for (const folder of ['config', 'docs', 'docs/decisions', 'tests/integration', 'demo/src'])
    for (const name of await readdir(join(ROOT, folder))) {
      if (!/\.(?:ya?ml|md|ts)$/.test(name)) continue;
      const text = await readFile(join(ROOT, folder, name), 'utf8');
      for (const [, quoted = ''] of text.matchAll(
        /['"`](\^?[^'"`\n]*\(\?<(?:project|subject|session)>[^'"`\n]*)['"`]/g,
      ))
        if (isPattern(quoted)) found.add(quoted);
    }
  return [...found];
}

function isPattern(source: string): boolean {
  try {
    new RegExp(source, 'u');
    return !source.includes('…');
  } catch {
    return false;
  }
}

/** Decision 18 shows patterns that are to be rewritten. */
const EXAMPLES = /\(\?[!=]|\(\?<[!=]|\\k</;

test('patterns: all that we ship run without backtracking and find what V8 finds, in any title', async () => {
  const sources = (await shipped()).filter((source) => !EXAMPLES.test(source));
  assert.ok(sources.length >= 5, sources.join('\n'));
  const word = fc.constantFrom(
    '3010000.01',
    '3010001.22',
    'sub-001',
    'sub01',
    'ses-mri01',
    'ses-1',
    'P12',
    'S7',
    '1',
  );
  const other = fc.oneof(
    fc.constantFrom(' ', '_', '/', '-', ': ', '\n', 'é', '٣', '😀'),
    fc.string({ maxLength: 3 }),
  );
  const title = fc
    .array(fc.oneof(word, other), { maxLength: 5 })
    .map((parts) => parts.join('').toWellFormed());
  for (const source of sources) {
    const [ours, native] = [compilePattern(source), new RegExp(source, 'u')];
    assert.equal(ours.engine, 'linear', source);
    fc.assert(
      fc.property(title, (text) => {
        const [one, two] = [ours.exec(text), native.exec(text)];
        assert.deepEqual([one?.index, { ...one?.groups }], [two?.index, { ...two?.groups }], text);
      }),
      // V8 backtracks on some titles for hours: always the same ones, and short ones
      { numRuns: 500, seed: 20261129 },
    );
  }
});
