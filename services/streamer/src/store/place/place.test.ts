import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { dataSet, makeSeries } from '@scanflow/dicom';
import { createOrthanc, type InstanceListing } from '@scanflow/orthanc';
import { routeRules } from '@scanflow/testkit/streamer';
import { createStore } from '../disk/store.ts';
import { BookingIndex } from './bookings.ts';
import { parseLayout } from './layout.ts';
import type { StoreWork } from '../../ledger/rows.ts';
import { findPlace, type Placement, type PlaceDeps } from './place.ts';
import type { Settings } from '../../model/settings.ts';

const settings: Settings = {
  quietMs: 1,
  pollMs: 1,
  route: routeRules(),
  tag: { group: 0x0021, creator: 'SCANFLOW', element: 0x10, vr: 'LO', value: 'DICOM send' },
  layout: parseLayout('{project}/{subject}/{session}/{Rows}/{SOPInstanceUID}.dcm'),
  unmatched: undefined,
  destinations: [],
  limits: { count: 2, bytes: 1e9 },
  retry: { firstMs: 1, capMs: 1 },
  reconcileMs: 1e9,
  recheckMs: 1e9,
};

const work: StoreWork = {
  series: 'one',
  target: 'storage',
  token: '',
  attempts: 0,
  labels: undefined,
  path: undefined,
  increment: 0,
};
const first: InstanceListing = { id: 'i', fileUuid: '', bytes: 0, tags: {} };
const GIVEN = { project: '3010000.09', subject: 'sub-009', session: 'ses-09' };

/** Everything that findPlace needs; Orthanc is a phantom of 16 rows. */
async function rig(
  t: TestContext,
  patientId: string,
): Promise<(over: Partial<StoreWork>) => Promise<Placement>> {
  const base = await mkdtemp(join(tmpdir(), 'scanflow-place-'));
  t.after(() => rm(base, { recursive: true, force: true }));
  const own = join(base, 'own');
  const root = join(base, 'project');
  for (const folder of [own, root]) await mkdir(folder);
  const [image] = makeSeries({
    modality: 'MR',
    images: 1,
    rows: 16,
    columns: 16,
    when: Temporal.ZonedDateTime.from('2026-11-22T10:00[Europe/Amsterdam]'),
    patientId,
    worklistItem: dataSet({ RequestedProcedureID: 'ses-01' }),
  });
  assert.ok(image !== undefined);
  const { bytes } = image;
  const client = createOrthanc({ url: 'http://127.0.0.1:1' });
  t.after(() => client.close());
  async function* chunks(): AsyncGenerator<Uint8Array> {
    await Promise.resolve();
    yield bytes;
  }
  const deps: PlaceDeps = {
    orthanc: {
      ...client,
      notes: () => Promise.resolve({}),
      noteDecision: () => Promise.resolve(),
      origin: () => Promise.resolve({}),
      open: () => Promise.resolve({ bytes: bytes.length, md5: undefined, chunks: chunks() }),
    },
    store: createStore(root, { otherRoots: [own] }),
    bookings: {
      byAccession: () => Promise.resolve(undefined),
      byStudy: () => Promise.resolve(undefined),
      known: () => Promise.resolve(new BookingIndex()),
      labelled: () => Promise.resolve([]),
    },
    settings: {
      ...settings,
      homes: [{ projects: '3010000.09', root: own, layout: parseLayout('{subject}/{SOPInstanceUID}.dcm') }],
    },
  };
  return (over) => findPlace({ ...work, ...over }, { first }, deps, AbortSignal.timeout(60_000));
}

const at = (place: Placement): [below: string, by: string | undefined] => {
  assert.equal(place.kind, 'target');
  return [place.folder.below, place.folder.record.routedBy];
};

test('place: labels that a person gave win over the patterns, and over where it was before', async (t) => {
  const find = await rig(t, '3010000.01_sub-001');
  const patterns = at(await find({}));
  assert.deepEqual(patterns, ['3010000.01/sub-001/ses-01/16', 'patterns']);
  const [below, by] = at(await find({ labels: { ...GIVEN, project: '3010000.02' } }));
  assert.deepEqual([below, by], ['3010000.02/sub-009/ses-09/16', 'person']);
  const [moved] = at(await find({ labels: { ...GIVEN, project: '3010000.02' }, path: patterns[0] }));
  assert.equal(moved, below);
  // late images go where the first ones went
  const same = { project: '3010000.01', subject: 'sub-001', session: 'ses-01' };
  assert.deepEqual(at(await find({ labels: same, path: patterns[0] })), patterns);
});

test('place: a folder that is gone is made anew for the labels that the series had', async (t) => {
  const find = await rig(t, 'nobody');
  assert.equal((await find({})).kind, 'quarantine');
  assert.deepEqual(at(await find({ labels: { ...GIVEN, project: 'p' }, path: 'p/gone' })), [
    'p/sub-009/ses-09/16',
    'kept',
  ]);
});

test('place: a project with a root and a layout of its own', async (t) => {
  const find = await rig(t, 'nobody');
  const [below] = at(await find({ labels: GIVEN }));
  assert.match(below, /^\/.*\/own\/sub-009$/);
  const again = await find({ labels: GIVEN, path: below });
  assert.equal(at(again)[0], below);
});
