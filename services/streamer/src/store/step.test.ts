import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { dataSet, makeSeries } from '@scanflow/dicom';
import { findOrthanc, startOrthanc, type RunningOrthanc } from '@scanflow/testkit';
import { createBookings } from './place/bookings.ts';
import { openLedger } from '../ledger/database.ts';
import { createOrthanc } from '@scanflow/orthanc';
import { createStore } from './disk/store.ts';
import { parseLayout } from './place/layout.ts';
import { routeRules } from '@scanflow/testkit/streamer';
import type { Settings } from '../model/settings.ts';
import { storeStep, type StoreDeps } from './step.ts';
import { arrived } from '../intake/step.ts';
import { nextStore } from '../ledger/claims.ts';
import { listSeries } from '../ledger/views.ts';
import { releaseSeries } from './sql.ts';

const settings: Settings = {
  quietMs: 1,
  pollMs: 1,
  route: routeRules(),
  tag: { group: 0x0021, creator: 'SCANFLOW', element: 0x10, vr: 'LO', value: 'DICOM send' },
  layout: parseLayout(
    '{project}/{subject}/{session}/{SeriesNumber:3}/{InstanceNumber:5}_{SOPInstanceUID}.dcm',
  ),
  unmatched: undefined,
  destinations: [
    {
      name: 'pacs',
      when: undefined,
      reach: {
        kind: 'c-store',
        peer: { host: '127.0.0.1', port: 1, calledAet: 'PACS', callingAet: 'SCANFLOW' },
      },
    },
  ],
  limits: { count: 2, bytes: 1e9 },
  retry: { firstMs: 1, capMs: 1 },
  reconcileMs: 1e9,
  recheckMs: 1e9,
};

interface Place extends StoreDeps {
  readonly running: RunningOrthanc;
  readonly root: string;
  readonly series: string;
}

async function place(t: TestContext, images: number, extra: Record<string, unknown> = {}): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-step-'));
  const running = await startOrthanc({ folder: join(folder, 'orthanc'), extra });
  const ledger = openLedger(join(folder, 'ledger.sqlite'));
  const { url, username, password } = running;
  const orthanc = createOrthanc({ url, username, password });
  t.after(async () => {
    orthanc.close();
    await ledger.close();
    await running.kill();
    await rm(folder, { recursive: true });
  });
  for (const { bytes } of makeSeries({
    modality: 'MR',
    images,
    when: Temporal.ZonedDateTime.from('2026-11-22T10:00[Europe/Amsterdam]'),
    patientId: '3010000.01_sub-001',
    worklistItem: dataSet({ RequestedProcedureID: 'ses-01' }),
  }))
    assert.equal((await running.upload(bytes)).status, 200);
  const [series = ''] = (await running.get('/series')) as string[];
  const root = join(folder, 'project');
  await mkdir(root);
  const clock = { now: () => Temporal.Now.instant().epochMilliseconds, random: () => 0.5 };
  const bookings = createBookings(join(folder, 'bookings'));
  const store = createStore(root);
  await ledger.write(arrived, { seq: 1, database: undefined }, [series], 0, 0);
  return { orthanc, ledger, store, bookings, settings, clock, running, root, series };
}

/** Claims and does the next store step. */
async function step(deps: Place): Promise<Awaited<ReturnType<typeof storeStep>>> {
  const work = await deps.ledger.write(nextStore, deps.clock.now() + 60_000);
  assert.ok(work !== undefined, 'nothing is due');
  return storeStep(work, deps, new AbortController().signal);
}

/** Files of images below Orthanc's own folder, in no particular order. */
async function orthancFiles(running: RunningOrthanc): Promise<string[]> {
  const entries = await readdir(join(running.folder, 'storage'), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const heads = await Promise.all(files.map(async (file) => (await readFile(file)).subarray(128, 132)));
  return files.filter((_, index) => heads[index]?.toString() === 'DICM');
}

const skip = findOrthanc() === undefined ? 'Orthanc is not installed' : false;

test(
  'store step: files that Orthanc’s disk spoilt are given up visibly, the others are stored',
  { skip },
  async (t) => {
    // its cache would still serve what was received
    const deps = await place(t, 4, { MaximumStorageCacheSize: 0 });
    const [flipped = '', cut = ''] = await orthancFiles(deps.running);
    const handle = await open(flipped, 'r+');
    await handle.write(Buffer.from([0xff, 0x00, 0xff]), 0, 3, 5000);
    await handle.close();
    await truncate(cut, 6000);
    for (let attempt = 1; attempt < 4; attempt += 1) {
      const outcome = await step(deps);
      assert.ok(outcome.kind === 'later', JSON.stringify(outcome));
      assert.match(outcome.failure.code, /^ORTHANC_(CORRUPT|TRUNCATED)$/);
    }
    const outcome = await step(deps);
    assert.ok(outcome.kind === 'stored');
    assert.equal(outcome.stored, 2);
    assert.match(outcome.failure?.code ?? '', /^ORTHANC_(CORRUPT|TRUNCATED)$/);
    const [view] = await deps.ledger.read(listSeries, { limit: 1 });
    assert.deepEqual(
      view?.legs.map(({ target, state, done, total }) => [target, state, done, total]),
      [
        ['storage', 'failed', 2, 4],
        ['pacs', 'pending', 0, 2],
      ],
    );
    const record = await deps.store.record(view.path ?? '');
    assert.equal(record?.failures.length, 2);
    assert.equal(
      (await readdir(join(deps.root, view.path ?? ''))).length,
      4,
      'a spoilt file is in the folder',
    );
  },
);

test('store step: where Orthanc keeps no MD5, the length is checked', { skip }, async (t) => {
  const deps = await place(t, 2, { StoreMD5ForAttachments: false });
  const outcome = await step(deps);
  assert.ok(outcome.kind === 'stored', JSON.stringify(outcome));
  assert.equal(outcome.stored, 2);
});

test('store step: a ledger that was lost finds what is stored, and doubles nothing', { skip }, async (t) => {
  const deps = await place(t, 3);
  assert.equal((await step(deps)).kind, 'stored');
  const [view] = await deps.ledger.read(listSeries, { limit: 1 });
  const folder = join(deps.root, view?.path ?? '');
  const before = await digests(folder);
  const ledger = openLedger(join(deps.root, '..', 'another.sqlite'));
  t.after(() => ledger.close());
  await ledger.write(arrived, { seq: 1, database: undefined }, [deps.series], 0, 0);
  const outcome = await step({ ...deps, ledger });
  assert.ok(outcome.kind === 'stored');
  assert.equal(outcome.fresh, 0);
  assert.deepEqual(await digests(folder), before);
});

test('store step: a folder that a person took away is filled again', { skip }, async (t) => {
  const deps = await place(t, 3);
  await step(deps);
  await rm(join(deps.root, '3010000.01'), { recursive: true });
  await deps.ledger.write(releaseSeries, deps.series, undefined, 0);
  const outcome = await step(deps);
  assert.ok(outcome.kind === 'stored');
  assert.equal(outcome.fresh, 3);
});

async function digests(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).sort();
  const pairs = names.map(async (name) => [
    name,
    createHash('sha256')
      .update(await readFile(join(folder, name)))
      .digest('hex'),
  ]);
  return Object.fromEntries(await Promise.all(pairs)) as Record<string, string>;
}
