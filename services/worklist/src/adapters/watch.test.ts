import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { until } from '@scanflow/testkit';
import { watchFolder, type FolderWatch } from './watch.ts';

async function scratch(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'worklist-watch-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

interface Counter {
  readings: number;
}

async function watching(
  t: TestContext,
  folder: string,
  times: { lookMs?: number; rereadMs?: number; unsettled?: () => boolean } = {},
): Promise<Counter> {
  const counter = { readings: 0 };
  const { unsettled, ...rest } = times;
  const watch: FolderWatch = await watchFolder({
    folder,
    read: () => {
      counter.readings += 1;
      return Promise.resolve(unsettled?.() ?? false);
    },
    onUnwatched: (reason) => assert.fail(reason),
    ...rest,
  });
  t.after(() => watch.close());
  return counter;
}
/** The counter stands still for longer than any of the pauses under test. */
async function quiet(counter: Counter): Promise<number> {
  let last = -1;
  return until(
    () => {
      const same = counter.readings === last;
      last = counter.readings;
      return same && last;
    },
    { what: 'no more readings', timeoutMs: 5_000, everyMs: 400 },
  );
}
const NEVER = 3_600_000;

test('watch: reads once at the start and not again while nothing changes', async (t) => {
  const counter = await watching(t, await scratch(t), { lookMs: 20, rereadMs: NEVER });
  assert.equal(counter.readings, 1);
  assert.equal(await quiet(counter), 1);
});

test('watch: an event of the kernel leads to a reading', async (t) => {
  const folder = await scratch(t);
  const counter = await watching(t, folder, { lookMs: NEVER });
  await writeFile(join(folder, 'a.wl'), 'x');
  await until(() => counter.readings > 1, { what: 'a second reading', timeoutMs: 1_000 });
});

test('watch: a burst of changes leads to few readings', async (t) => {
  const folder = await scratch(t);
  const counter = await watching(t, folder, { lookMs: NEVER });
  await Promise.all(Array.from({ length: 200 }, (_, n) => writeFile(join(folder, `${n}.wl`), 'x')));
  await until(() => counter.readings > 1, { what: 'a second reading', timeoutMs: 1_000 });
  const readings = await quiet(counter);
  assert.ok(readings < 12, `${readings} readings for one burst`);
});

test('watch: a folder that appears later is read, and watched from then on', async (t) => {
  const folder = join(await scratch(t), 'worklist', 'SCANFLOW');
  const counter = await watching(t, folder, { lookMs: 20, rereadMs: NEVER });
  await mkdir(folder, { recursive: true });
  await until(() => counter.readings > 1, { what: 'the new folder is read', timeoutMs: 1_000 });
  const before = await quiet(counter);
  await writeFile(join(folder, 'a.wl'), 'x');
  await until(() => counter.readings > before, { what: 'its change is read', timeoutMs: 1_000 });
});

test('watch: a folder that takes the place of another is read and watched', async (t) => {
  const root = await scratch(t);
  const folder = join(root, 'served');
  await mkdir(folder);
  await mkdir(join(root, 'new'));
  const counter = await watching(t, folder, { lookMs: 20, rereadMs: NEVER });
  await rename(folder, join(root, 'old'));
  await rename(join(root, 'new'), folder);
  await until(() => counter.readings > 1, { what: 'the new folder is read', timeoutMs: 1_000 });
  const before = await quiet(counter);
  await writeFile(join(folder, 'a.wl'), 'x');
  await until(() => counter.readings > before, { what: 'its change is read', timeoutMs: 1_000 });
});

test('watch: everything is read again now and then, for what no time stamp of the folder tells', async (t) => {
  const counter = await watching(t, await scratch(t), { lookMs: 10, rereadMs: 50 });
  await until(() => counter.readings >= 4, { what: 'four readings', timeoutMs: 2_000 });
});

test('watch: while something is being written it is read again soon', async (t) => {
  let writing = true;
  const counter = await watching(t, await scratch(t), {
    lookMs: 10,
    rereadMs: NEVER,
    unsettled: () => writing,
  });
  await until(() => counter.readings >= 4, { what: 'four readings', timeoutMs: 2_000 });
  writing = false;
  const settled = await quiet(counter);
  assert.equal(await quiet(counter), settled);
});
