import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { until } from '@scanflow/testkit';
import { watchConfig } from './watch.ts';
import type { Log } from '@scanflow/runtime';

const textOf = (name: string): string =>
  JSON.stringify({
    facility: { name, timezone: 'UTC' },
    data: '/data',
    scanners: {},
    orthanc: { url: 'http://orthanc:8042' },
    storage: { root: '/project' },
  });
const SOON = { timeoutMs: 10_000, everyMs: 5 };

interface Watched {
  readonly file: string;
  readonly used: string[];
  /** Resolves when the next line of this event is logged; gives its fields. */
  readonly logged: (event: string, count?: number) => Promise<string>;
}

/** A file that is watched, with what was used of it. */
async function watched(t: TestContext): Promise<Watched> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-watch-'));
  const file = join(folder, 'scanflow.yaml');
  await writeFile(file, textOf('first'));
  const used: string[] = [];
  const lines: [level: string, event: string, fields: string][] = [];
  const write =
    (level: string) =>
    (event: string, fields?: object): void =>
      void lines.push([level, event, JSON.stringify(fields)]);
  const log: Log = {
    error: write('error'),
    warn: write('warn'),
    info: write('info'),
    debug: write('debug'),
    child: () => log,
  };
  const watch = watchConfig({ file, log, use: ({ facility }) => void used.push(facility.name), everyMs: 5 });
  t.after(async () => {
    watch.close();
    await rm(folder, { recursive: true, force: true });
  });
  const logged = async (event: string, count = 1): Promise<string> => {
    const found = (): (typeof lines)[number][] =>
      lines.filter(([level, name]) => `${level} ${name}` === event);
    await until(() => found().length >= count, { what: event, ...SOON });
    assert.equal(found().length, count, `${event} is logged once for each change`);
    return found().at(-1)?.[2] ?? '';
  };
  return { file, used, logged };
}

/** Another file takes the name, as editors and `kubectl` do. */
async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

test('watchConfig: a valid change is used', async (t) => {
  const { file, used, logged } = await watched(t);
  await replace(file, textOf('second'));
  await logged('info configuration.changed');
  assert.deepEqual(used, ['second']);
});

test('watchConfig: one with mistakes is a warning that says which, and what was used before stays', async (t) => {
  const { file, used, logged } = await watched(t);
  await replace(file, textOf('second').replace('"UTC"', '"Nowhere/Land"'));
  const warning = await logged('warn configuration.unusable');
  assert.match(warning, /timezone/);
  assert.match(warning, /stays in use; correct the file/);
  assert.deepEqual(used, []);
  await replace(file, textOf('third'));
  await logged('info configuration.changed');
  assert.deepEqual(used, ['third']);
});

test('watchConfig: a file that is gone is a warning, and counts again once it is back', async (t) => {
  const { file, used, logged } = await watched(t);
  await replace(file, textOf('second'));
  await logged('info configuration.changed');
  await rm(file);
  assert.match(await logged('warn configuration.unusable'), /ENOENT/);
  assert.deepEqual(used, ['second']);
  await writeFile(file, textOf('back'));
  await until(() => used.at(-1) === 'back', { what: 'the file is used again', ...SOON });
});

test('watchConfig: a file that stays as it is changes nothing', async (t) => {
  const { file, used, logged } = await watched(t);
  // two changes bound the looks between them
  await replace(file, textOf('second'));
  await logged('info configuration.changed');
  await replace(file, textOf('third'));
  await logged('info configuration.changed', 2);
  assert.deepEqual(used, ['second', 'third']);
});
