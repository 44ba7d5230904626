/** The steps of a series with a real ledger and real folders; plain objects stand in for Orthanc and the destination. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { dataSet, makeSeries } from '@scanflow/dicom';
import { routeRules } from '@scanflow/testkit/streamer';
import { type Failure, FailureError, permanent, transient } from '@scanflow/failure';
import type { InstanceListing, Orthanc } from '@scanflow/orthanc';
import { cleanStep } from '../cleanup/step.ts';
import { commitmentLeg, type Committing } from '../commitment/plan.ts';
import { reported } from '../commitment/sql.ts';
import { commitStep } from '../commitment/step.ts';
import { copyStep } from '../copy/step.ts';
import { arrived } from '../intake/step.ts';
import { nextLeg, nextStore } from '../ledger/claims.ts';
import { openLedger } from '../ledger/database.ts';
import { listSeries } from '../ledger/views.ts';
import { COPY } from '../model/series.ts';
import type { Settings } from '../model/settings.ts';
import type { Ledger } from '../ledger/tx.ts';
import type { Store } from '../store/types.ts';
import type { SendOutcome } from '../send/types.ts';
import type { SeriesView } from '../ledger/rows.ts';
import { forwardStep } from '../send/step.ts';
import { createBookings } from '../store/place/bookings.ts';
import { parseLayout } from '../store/place/layout.ts';
import { createStore } from '../store/disk/store.ts';
import { storeStep } from '../store/step.ts';

const SERIES = 'a';
const IMAGES = 3;
const reach = {
  kind: 'c-store',
  peer: { host: '127.0.0.1', port: 1, calledAet: 'PACS', callingAet: 'SCANFLOW' },
} as const;
const copyLayout = parseLayout('{PatientID}/{SeriesNumber:3}/{InstanceNumber:5}.dcm');
const settings: Settings = {
  quietMs: 1,
  pollMs: 1,
  route: routeRules(),
  tag: { group: 0x0021, creator: 'SCANFLOW', element: 0x10, vr: 'LO', value: 'DICOM send' },
  layout: parseLayout('{project}/{subject}/{session}/{SeriesNumber:3}/{InstanceNumber:5}.dcm'),
  copy: copyLayout,
  unmatched: undefined,
  destinations: [{ name: 'pacs', when: undefined, reach }],
  limits: { count: 2, bytes: 1e9 },
  retry: { firstMs: 1_000, capMs: 1_000 },
  reconcileMs: 1e9,
  recheckMs: 1e9,
};

/**
 * Orthanc with images of one series. `failing`: what the next openings of a file throw. `losing`: how many of the next openings
 * find that somebody deleted the image.
 */
class FakeOrthanc {
  readonly files = new Map<string, Uint8Array>();
  readonly failing: Failure[] = [];
  losing = 0;
  readonly notes: (string | undefined)[] = [];
  readonly #listing = (id: string): InstanceListing => {
    const file = this.files.get(id);
    if (file === undefined) throw new FailureError(permanent('ORTHANC_GONE', 'gone'));
    const number = id.slice(1);
    return { id, fileUuid: `f${number}`, bytes: file.length, tags: { InstanceNumber: number } };
  };

  /** The client's port, as far as these steps use it. */
  readonly port = {
    instances: () => {
      if (this.files.size === 0) throw new FailureError(permanent('ORTHANC_GONE', 'gone'));
      return Promise.resolve([...this.files.keys()].map(this.#listing));
    },
    instance: (id: string) => Promise.resolve(this.#listing(id)),
    versions: () => Promise.resolve([]),
    hasVersions: () => Promise.resolve(false),
    seriesTags: () => Promise.resolve({}),
    origin: () => Promise.resolve({ from: 'PRISMA' }),
    notes: () => Promise.resolve({}),
    noteLeaving: (_: string, since: string | undefined) => Promise.resolve(void this.notes.push(since)),
    remove: (id: string) => Promise.resolve(void this.files.delete(id)),
    open: ({ id }: { readonly id: string }) => {
      const failure = this.failing.shift();
      if (failure !== undefined) return Promise.reject(new FailureError(failure));
      if (this.losing > 0) {
        this.losing -= 1;
        this.files.delete(id);
      }
      const file = this.files.get(id);
      if (file === undefined) return Promise.reject(new FailureError(permanent('ORTHANC_GONE', 'gone')));
      const md5 = createHash('md5').update(file).digest('hex');
      return Promise.resolve({ bytes: file.length, md5, chunks: Readable.from([file]) });
    },
  } as unknown as Orthanc;
}

interface Rig {
  readonly orthanc: FakeOrthanc;
  readonly ledger: Ledger;
  readonly store: Store;
  readonly copies: Store;
  readonly root: string;
  now: number;
}

async function rig(t: TestContext): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-steps-'));
  const ledger = openLedger(join(folder, 'ledger.sqlite'), {
    consequences: { hooksFor: () => [], sessionQuietMs: 0, commits: () => true },
  });
  t.after(async () => {
    await ledger.close();
    await rm(folder, { recursive: true, force: true });
  });
  const root = join(folder, 'project');
  const copy = join(folder, 'copy');
  await mkdir(root);
  await mkdir(copy);
  const orthanc = new FakeOrthanc();
  const images = makeSeries({
    modality: 'MR',
    images: IMAGES,
    when: Temporal.ZonedDateTime.from('2026-11-22T10:00[Europe/Amsterdam]'),
    patientId: '3010000.01_sub-001',
    worklistItem: dataSet({ RequestedProcedureID: 'ses-01' }),
  });
  for (const { bytes } of images) orthanc.files.set(`i${orthanc.files.size + 1}`, bytes);
  await ledger.write(arrived, { seq: 1, database: undefined }, [SERIES], 0, 0);
  return { orthanc, ledger, store: createStore(root), copies: createStore(copy), root, now: 1_000 };
}

const never = new AbortController().signal;
const depsOf = (of: Rig) => ({
  orthanc: of.orthanc.port,
  ledger: of.ledger,
  store: of.store,
  settings,
  bookings: createBookings(join(of.root, 'none')),
  clock: { now: () => of.now, random: () => 0.5 },
});

async function store(of: Rig): Promise<Awaited<ReturnType<typeof storeStep>>> {
  const work = await of.ledger.write(nextStore, of.now, [COPY]);
  assert.ok(work !== undefined, 'nothing is due');
  return storeStep(work, depsOf(of), never);
}

async function legTo(of: Rig, target: string) {
  const work = await of.ledger.write(nextLeg, target, of.now);
  assert.ok(work !== undefined, `nothing is due for ${target}`);
  return work;
}

async function view({ ledger }: Rig): Promise<SeriesView> {
  const [found] = await ledger.read(listSeries, { limit: 1 });
  assert.ok(found !== undefined);
  return found;
}

/** The leg's state, what it has of how much, and its failure. */
async function leg(of: Rig, target: string): Promise<unknown[]> {
  const found = (await view(of)).legs.find((one) => one.target === target);
  return [found?.state, found?.done, found?.total, found?.failure?.code];
}

test('store step: images are tagged, recorded, and opened for the destination', async (t) => {
  const of = await rig(t);
  const outcome = await store(of);
  assert.ok(outcome.kind === 'stored', JSON.stringify(outcome));
  assert.deepEqual([outcome.stored, outcome.fresh, outcome.failure], [IMAGES, IMAGES, undefined]);
  const { path, labels } = await view(of);
  assert.deepEqual(labels, { project: '3010000.01', subject: 'sub-001', session: 'ses-01' });
  const record = await of.store.record(path ?? '');
  assert.equal(record?.state, 'stored');
  assert.ok(record.instances.every(({ tagged }) => tagged));
  assert.equal(record.provenance?.increments[0]?.from, 'PRISMA');
  assert.deepEqual(await leg(of, 'storage'), ['done', IMAGES, IMAGES, undefined]);
  assert.deepEqual(await leg(of, 'pacs'), ['pending', 0, IMAGES, undefined]);
});

test('store step: what Orthanc serves wrongly is tried again, and what it serves then is stored', async (t) => {
  const of = await rig(t);
  of.orthanc.failing.push(transient('ORTHANC_UNREACHABLE', 'away'));
  const outcome = await store(of);
  assert.ok(outcome.kind === 'later', JSON.stringify(outcome));
  assert.equal(outcome.failure.code, 'ORTHANC_UNREACHABLE');
  assert.equal((await leg(of, 'storage'))[3], 'ORTHANC_UNREACHABLE');
  of.now += outcome.delayMs ?? 0;
  assert.equal((await store(of)).kind, 'stored');
  assert.deepEqual(await leg(of, 'storage'), ['done', IMAGES, IMAGES, undefined]);
});

test('store step: a series that left Orthanc before it was stored fails visibly', async (t) => {
  const of = await rig(t);
  of.orthanc.files.clear();
  const outcome = await store(of);
  assert.ok(outcome.kind === 'failed', JSON.stringify(outcome));
  assert.deepEqual(await leg(of, 'storage'), ['failed', 0, 0, 'SOURCE_GONE']);
});

test('copy step: everything goes to the copy as it came', async (t) => {
  const of = await rig(t);
  await store(of);
  const work = await legTo(of, COPY);
  const outcome = await copyStep(work, copyLayout, { ...depsOf(of), store: of.copies }, never);
  assert.deepEqual(outcome, { kind: 'copied', images: IMAGES, fresh: IMAGES, failure: undefined });
  const record = await of.copies.record((await view(of)).copyPath ?? '');
  const came = [...of.orthanc.files.values()].map((file) => createHash('sha256').update(file).digest('hex'));
  assert.deepEqual(record?.instances.map(({ sha256 }) => sha256).sort(), came.sort());
  assert.deepEqual(await leg(of, COPY), ['done', IMAGES, IMAGES, undefined]);
});

for (const lost of [1, 2])
  test(`copy step: ${lost} images that are deleted while the folder is looked for keep no other from the copy`, async (t) => {
    const of = await rig(t);
    await store(of);
    of.orthanc.losing = lost;
    const work = await legTo(of, COPY);
    const outcome = await copyStep(work, copyLayout, { ...depsOf(of), store: of.copies }, never);
    assert.ok(outcome.kind === 'copied', JSON.stringify(outcome));
    assert.deepEqual([outcome.images, outcome.failure?.code], [IMAGES - lost, 'SOURCE_GONE']);
    const record = await of.copies.record((await view(of)).copyPath ?? '');
    assert.equal(record?.counts.stored, IMAGES - lost);
    assert.deepEqual(await leg(of, COPY), ['failed', IMAGES - lost, IMAGES, 'SOURCE_GONE']);
  });

test('copy step: a series whose every image is deleted meanwhile fails visibly', async (t) => {
  const of = await rig(t);
  await store(of);
  of.orthanc.losing = IMAGES;
  const work = await legTo(of, COPY);
  await copyStep(work, copyLayout, { ...depsOf(of), store: of.copies }, never);
  assert.deepEqual((await leg(of, COPY)).toSpliced(1, 2), ['failed', 'SOURCE_GONE']);
});

/** Sends to a destination that answers each image with what `answer` says. */
async function send(of: Rig, answer: (index: number) => Omit<SendOutcome, 'id'>) {
  let index = 0;
  const carrier = {
    close: () => undefined,
    async *send(items: AsyncIterable<{ readonly id: string }>) {
      for await (const { id } of items) yield { id, ...answer(index++) } as SendOutcome;
    },
  };
  const destination = { name: 'pacs', when: undefined, reach, carrier, pace: undefined, hours: undefined };
  return forwardStep(await legTo(of, 'pacs'), destination, depsOf(of), never);
}

const SENT = { result: 'sent' } as const;

test('send step: what was refused is given up visibly, and only what was left is sent again', async (t) => {
  const of = await rig(t);
  await store(of);
  const away = { result: 'failed', failure: transient('ASSOCIATION_LOST', 'away') } as const;
  const first = await send(of, (index) => (index === 0 ? SENT : away));
  assert.ok(first.kind === 'later', JSON.stringify(first));
  assert.deepEqual(await leg(of, 'pacs'), ['pending', 1, IMAGES, 'ASSOCIATION_LOST']);
  of.now += first.delayMs;
  const refused = { result: 'failed', failure: permanent('STATUS_REFUSED', 'no') } as const;
  const second = await send(of, (index) => (index === 0 ? refused : SENT));
  assert.ok(second.kind === 'forwarded', JSON.stringify(second));
  assert.deepEqual([second.sent, second.failure?.code], [1, 'STATUS_REFUSED']);
  assert.deepEqual(await leg(of, 'pacs'), ['failed', 2, IMAGES, 'STATUS_REFUSED']);
});

test('commitment step: a series is committed once a report names every image', async (t) => {
  const of = await rig(t);
  await store(of);
  await send(of, () => SENT);
  const asked: string[][] = [];
  const committing: Committing = {
    name: 'pacs',
    withinMs: 60_000,
    attempts: 2,
    batch: 100,
    asker: {
      newUid: () => '2.25.1',
      ask: (_, references) => {
        asked.push(references.map(({ sopInstanceUid }) => sopInstanceUid));
        return Promise.resolve({ ok: true, status: 0 });
      },
    },
  };
  const target = commitmentLeg('pacs');
  const step = async () => commitStep(await legTo(of, target), committing, depsOf(of), never);
  assert.deepEqual(await step(), { kind: 'waiting', asked: ['2.25.1'], resent: 0 });
  assert.equal(asked[0]?.length, IMAGES);
  const report = { transactionUid: '2.25.1', committed: new Set(asked[0]), failed: new Map<string, never>() };
  assert.equal((await of.ledger.write(reported, ['pacs'], report, of.now)).kind, 'taken');
  assert.deepEqual(await step(), { kind: 'settled', failure: undefined });
  assert.equal((await leg(of, target))[0], 'done');
});

/** A series that is complete, so that it may leave Orthanc. */
async function complete(of: Rig): Promise<SeriesView> {
  await store(of);
  await copyStep(await legTo(of, COPY), copyLayout, { ...depsOf(of), store: of.copies }, never);
  await send(of, () => SENT);
  const commit = await legTo(of, commitmentLeg('pacs'));
  await of.ledger.write(async (tx) => {
    await tx.run('DELETE FROM leg WHERE series = ? AND target = ?', [commit.series, commit.target]);
    await tx.run(`UPDATE series SET state = 'complete' WHERE id = ?`, [commit.series]);
  });
  return view(of);
}

test('cleanup step: what is stored and whole leaves Orthanc', async (t) => {
  const of = await rig(t);
  const outcome = await cleanStep(await complete(of), depsOf(of), never);
  assert.deepEqual(outcome, { kind: 'cleaned', images: IMAGES });
  assert.equal(of.orthanc.files.size, 0);
});

test('cleanup step: nothing leaves Orthanc where a stored file has changed', async (t) => {
  const of = await rig(t);
  const series = await complete(of);
  const record = await of.store.record(series.path ?? '');
  await writeFile(of.store.pathOf(series.path ?? '', record?.instances[0]?.file ?? ''), 'other bytes');
  const outcome = await cleanStep(series, depsOf(of), never);
  assert.ok(outcome.kind === 'refused');
  assert.equal(outcome.failure.code, 'CLEANUP_FILE_CHANGED');
  assert.equal(of.orthanc.files.size, IMAGES);
});
