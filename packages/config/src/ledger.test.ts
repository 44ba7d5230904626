import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatIssue } from './issue.ts';
import { loadConfig, parseConfig } from './load.ts';
import { MINIMUM, mistakesOf } from './mistakes-kit.test.ts';

/** The mistakes of MINIMUM with this `ledger:`. */
const mistakes = (ledger: string): string[] => mistakesOf(`ledger: ${ledger}\n`);

test('ledger: a file in the data folder unless a server is named', () => {
  const parsed = parseConfig(MINIMUM, 'f');
  assert.ok(parsed.ok);
  assert.deepEqual(parsed.config.ledger, { lease: 60_000 });
});

test('ledger: mistakes', () => {
  assert.deepEqual(mistakes('{ url: postgresql://u@h/d, passwordFile: p, tls: { ca: c }, lease: 30s }'), []);
  assert.deepEqual(mistakes("{ url: 'postgresql://u@a:5432,b,[::1]:5433/d' }"), []);
  for (const url of [
    'postgresql://u@a:5432,/d',
    'postgresql://u@a:x,b/d',
    `postgresql://u@${'h,'.repeat(8)}h/d`,
  ])
    assert.match(mistakes(`{ url: '${url}' }`)[0] ?? '', /^ledger\.url: expected an address/, url);
  assert.match(mistakes("{ url: 'postgresql://a,b/d' }")[0] ?? '', /names no user/);
  assert.match(
    mistakes('{ url: http://h/d }')[0] ?? '',
    /^ledger\.url: expected an address like postgresql:/,
  );
  assert.deepEqual(mistakes('{ url: postgresql://u:secret@h/d }'), [
    'ledger.url: has a password in it; put it into passwordFile',
  ]);
  assert.match(mistakes('{ url: postgresql://h/d }')[0] ?? '', /names no user/);
  assert.match(mistakes('{ url: postgresql://u@h }')[0] ?? '', /names no database/);
  assert.match(mistakes('{ url: postgresql://u@h/d?sslmode=disable }')[0] ?? '', /takes no parameters/);
  assert.deepEqual(mistakes('{ passwordFile: p }'), [
    'ledger.passwordFile: is for a PostgreSQL server, and there is no url',
  ]);
  assert.deepEqual(mistakes('{ url: postgresql://u@h/d, cal2wl: { user: c, passwordFile: p } }'), []);
  assert.deepEqual(mistakes('{ cal2wl: { user: c } }'), [
    'ledger.cal2wl: is for a PostgreSQL server, and there is no url',
  ]);
  assert.match(mistakes('{ lease: 1s }')[0] ?? '', /from 2s to 1h/);
});

test('dashboard.database: the same server, by a user of its own; the same mistakes', async (t) => {
  const wrong = (database: string): string[] => {
    const result = parseConfig(`${MINIMUM}dashboard: { database: ${database} }\n`, 'f');
    return result.ok ? [] : result.issues.map((issue) => formatIssue(issue).replace(/^f:\d+:\d+: /, ''));
  };
  assert.deepEqual(wrong('{ url: postgresql://board@h/d, passwordFile: p, tls: { ca: c } }'), []);
  assert.match(wrong('{ passwordFile: p }')[0] ?? '', /^dashboard\.database\.url: /);
  assert.deepEqual(wrong('{ url: postgresql://u:secret@h/d }'), [
    'dashboard.database.url: has a password in it; put it into passwordFile',
  ]);
  assert.match(wrong('{ url: postgresql://h/d }')[0] ?? '', /names no user/);
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-database-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'scanflow.yaml');
  await writeFile(
    path,
    `${MINIMUM}dashboard: { database: { url: postgresql://u@h/d, passwordFile: p, tls: { ca: c } } }\n`,
  );
  const loaded = await loadConfig(path);
  assert.ok(loaded.ok);
  const { passwordFile, tls } = loaded.config.dashboard.database ?? {};
  assert.deepEqual([passwordFile, tls?.ca], [join(folder, 'p'), join(folder, 'c')]);
});

test('ledger: files are relative to the configuration', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-ledger-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'scanflow.yaml');
  await writeFile(path, `${MINIMUM}ledger: { url: postgresql://u@h/d, passwordFile: p, tls: { ca: c } }\n`);
  const loaded = await loadConfig(path);
  assert.ok(loaded.ok);
  const { passwordFile, tls } = loaded.config.ledger;
  assert.deepEqual([passwordFile, tls?.ca], [join(folder, 'p'), join(folder, 'c')]);
});
