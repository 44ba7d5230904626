/** Our C-MOVE against dcmqrscp, Orthanc, and a scripted source for every status of PS3.4 table C.4-2. */
import { strict as assert } from 'node:assert';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { defined } from '@scanflow/failure/defined';
import { dataSet, makeSeries, sopClasses, text } from '@scanflow/dicom';
import { findAll, move, type MoveOrder, type Peer, type SubOperations } from '@scanflow/dimse';
import { freePort, startDcmqrscp, startOrthanc, startStorescp, type Storescp } from '@scanflow/testkit';
import {
  startScriptedArchive,
  type ArchivedImage,
  type ArchiveScript,
  type ScriptedMove,
} from '@scanflow/testkit/dimse/scripted-archive';

const WHEN = Temporal.ZonedDateTime.from('2026-11-22T09:00[Europe/Amsterdam]');
const STUDY = '2.25.7001';

const images = (count: number, seriesNumber = 1): ArchivedImage[] => [
  ...makeSeries({
    modality: 'MR',
    images: count,
    rows: 16,
    columns: 16,
    when: WHEN,
    seed: seriesNumber,
    seriesNumber,
    studyInstanceUid: STUDY,
    seriesInstanceUid: `${STUDY}.${seriesNumber}`,
  }),
];

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'dimse-move-'));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

const peerAt = (port: number, calledAet = 'SOURCE', more: Partial<Peer> = {}): Peer => ({
  host: '127.0.0.1',
  port,
  calledAet,
  callingAet: 'SCANFLOW',
  ...more,
});

const order = (more: Partial<MoveOrder> = {}): MoveOrder => ({
  sopClass: sopClasses.studyRootMove,
  destination: 'TARGET',
  identifier: dataSet({ QueryRetrieveLevel: 'STUDY', StudyInstanceUID: STUDY }),
  ...more,
});

async function archive(t: TestContext, script: ArchiveScript): Promise<Peer> {
  const source = await startScriptedArchive({ images: images(3), ...script });
  t.after(() => source.close());
  return peerAt(source.port);
}

async function target(t: TestContext): Promise<Storescp> {
  const storescp = await startStorescp({ folder: await folder(t), aet: 'TARGET' });
  t.after(() => storescp.stop());
  return storescp;
}

test('move: dcmqrscp sends a study, and one series of it; an unknown and a dead target are told apart', async (t) => {
  const storescp = await target(t);
  const root = await folder(t);
  const files = join(root, 'files');
  await mkdir(files);
  for (const { sopInstanceUid, bytes } of [...images(3), ...images(2, 2)])
    await writeFile(join(files, sopInstanceUid), bytes);
  const targets = { TARGET: storescp.port, DEAD: await freePort() };
  const source = await startDcmqrscp({ folder: root, targets });
  t.after(() => source.stop());
  await source.fill(files);
  const peer = peerAt(source.port, source.aet);
  const seen: SubOperations[] = [];
  const whole = await move(peer, order({ onProgress: (counts) => seen.push(counts) }));
  assert.equal(whole.result, 'complete', JSON.stringify(whole));
  assert.deepEqual([whole.status, whole.counts.completed, whole.counts.failed], [0, 5, 0]);
  assert.equal((await storescp.files()).length, 5);
  assert.ok(seen.length > 0 && seen.every(({ completed }) => completed !== undefined));
  const series = dataSet({
    QueryRetrieveLevel: 'SERIES',
    StudyInstanceUID: STUDY,
    SeriesInstanceUID: `${STUDY}.2`,
  });
  const one = await move(peer, order({ identifier: series }));
  assert.deepEqual([one.result, one.counts.completed], ['complete', 2]);
  const unknown = await move(peer, order({ destination: 'NOBODY' }));
  assert.ok(unknown.result === 'failed');
  assert.deepEqual(
    [unknown.status, unknown.failure.code, unknown.failure.kind],
    [0xa801, 'MOVE_UNKNOWN_TARGET', 'permanent'],
  );
  const dead = await move(peer, order({ destination: 'DEAD' }));
  assert.ok(dead.result === 'failed' || dead.result === 'partial', JSON.stringify(dead));
  assert.equal(dead.failure.kind, 'transient');
});

test('move: Orthanc sends a study; an unknown target is a failure', async (t) => {
  const storescp = await target(t);
  const orthanc = await startOrthanc({
    folder: await folder(t),
    extra: {
      DicomModalities: { target: ['TARGET', '127.0.0.1', storescp.port], us: ['SCANFLOW', '127.0.0.1', 1] },
    },
  });
  t.after(() => orthanc.stop());
  for (const { bytes } of images(4)) await orthanc.upload(bytes);
  const peer = peerAt(orthanc.dicomPort, orthanc.aet);
  const whole = await move(peer, order());
  assert.equal(whole.result, 'complete', JSON.stringify(whole));
  assert.equal((await storescp.files()).length, 4);
  const unknown = await move(peer, order({ destination: 'NOBODY' }));
  assert.equal(unknown.result, 'failed', JSON.stringify(unknown));
});

test('findAll: several queries over one association, each with its own matches', async (t) => {
  const peer = await archive(t, { images: [...images(3), ...images(2, 2)] });
  const identifiers = [1, 2, 3].map((number) =>
    dataSet({
      QueryRetrieveLevel: 'IMAGE',
      StudyInstanceUID: STUDY,
      SeriesInstanceUID: `${STUDY}.${number}`,
      SOPInstanceUID: '',
    }),
  );
  const found = await findAll(peer, { sopClass: sopClasses.studyRootFind, identifiers });
  assert.ok(found.ok);
  assert.deepEqual(
    found.answers.map(({ matches }) => matches.length),
    [3, 2, 0],
  );
  const uids = found.answers[0]?.matches.map((match) => text(match, 'SOPInstanceUID'));
  assert.deepEqual(new Set(uids), new Set(images(3).map(({ sopInstanceUid }) => sopInstanceUid)));
});

const FINALS: readonly [
  what: string,
  status: number,
  counts:
    readonly [remaining: number | undefined, completed: number, failed: number, warning: number] | undefined,
  failedUids: readonly string[] | undefined,
  expected: readonly [result: string, code?: string, kind?: string],
][] = [
  ['0000 with all sent', 0x0000, [undefined, 3, 0, 0], undefined, ['complete']],
  ['0000 without counts', 0x0000, undefined, undefined, ['complete']],
  [
    '0000 with failures is no success',
    0x0000,
    [undefined, 1, 2, 0],
    undefined,
    ['partial', 'MOVE_INCOMPLETE', 'transient'],
  ],
  [
    '0000 with a list of failed images is none either',
    0x0000,
    undefined,
    ['1.2.3'],
    ['partial', 'MOVE_INCOMPLETE', 'transient'],
  ],
  [
    '0000 with images remaining',
    0x0000,
    [2, 1, 0, 0],
    undefined,
    ['partial', 'MOVE_INCOMPLETE', 'transient'],
  ],
  [
    'B000 with failures',
    0xb000,
    [undefined, 2, 1, 0],
    ['1.2.3'],
    ['partial', 'MOVE_INCOMPLETE', 'transient'],
  ],
  ['B000 for warnings alone', 0xb000, [undefined, 2, 0, 1], undefined, ['complete']],
  ['B000 without a word', 0xb000, undefined, undefined, ['partial', 'MOVE_INCOMPLETE', 'transient']],
  ['A701', 0xa701, undefined, undefined, ['failed', 'MOVE_REFUSED', 'transient']],
  ['A702', 0xa702, [0, 0, 3, 0], undefined, ['failed', 'MOVE_REFUSED', 'transient']],
  ['A801', 0xa801, undefined, undefined, ['failed', 'MOVE_UNKNOWN_TARGET', 'permanent']],
  ['A900', 0xa900, undefined, undefined, ['failed', 'MOVE_FAILED', 'permanent']],
  ['Cxxx', 0xc123, undefined, undefined, ['failed', 'MOVE_FAILED', 'transient']],
  ['0122', 0x0122, undefined, undefined, ['failed', 'MOVE_FAILED', 'permanent']],
  ['FE00 that nobody asked for', 0xfe00, [2, 1, 0, 0], undefined, ['cancelled', 'MOVE_FAILED', 'transient']],
];

for (const [what, status, counts, failedUids, [result, code, kind]] of FINALS)
  test(`move: ${what}`, async (t) => {
    const peer = await archive(t, {
      onMove: (asked) => {
        const [remainingSubOperations, completedSubOperations, failedSubOperations, warningSubOperations] =
          counts ?? [];
        const told = defined({
          remainingSubOperations,
          completedSubOperations,
          failedSubOperations,
          warningSubOperations,
        });
        return asked.final(status, told, failedUids);
      },
    });
    const outcome = await move(peer, order());
    assert.equal(outcome.status, status);
    const failure = outcome.result === 'complete' ? undefined : outcome.failure;
    assert.deepEqual(
      [outcome.result, failure?.code, failure?.kind],
      [result, code, kind],
      failure?.message ?? '',
    );
    assert.deepEqual(outcome.failedUids, failedUids ?? []);
    if (counts !== undefined) assert.equal(outcome.counts.failed, counts[2]);
  });

test('move: the failed images are read from the final response, and counts from the pending ones', async (t) => {
  const peer = await archive(t, {
    onMove: async (asked) => {
      assert.deepEqual([asked.level, asked.destination, asked.images.length], ['STUDY', 'TARGET', 3]);
      await asked.pending({ remainingSubOperations: 2, completedSubOperations: 1, failedSubOperations: 0 });
      await asked.pending({ remainingSubOperations: 1, completedSubOperations: 1, failedSubOperations: 1 });
      await asked.final(0xb000, { failedSubOperations: 2 }, ['1.2.3', '1.2.3.4']);
    },
  });
  const seen: (number | undefined)[] = [];
  const outcome = await move(peer, order({ onProgress: ({ remaining }) => seen.push(remaining) }));
  assert.deepEqual(seen, [2, 1]);
  assert.deepEqual(outcome.failedUids, ['1.2.3', '1.2.3.4']);
});

test('move: a source that is silent for too long, breaks off or closes is ambiguous, with the last counts', async (t) => {
  const counts = { remainingSubOperations: 2, completedSubOperations: 1 };
  const scripts = {
    silent: () => undefined,
    abort: (asked: ScriptedMove) => asked.abort(),
    close: (asked: ScriptedMove) => asked.close(),
  };
  for (const [what, then] of Object.entries(scripts)) {
    const peer = await archive(t, {
      onMove: async (asked) => {
        await asked.pending(counts);
        then(asked);
      },
    });
    const outcome = await move(peer, order({ quietMs: what === 'silent' ? 3_000 : 60_000 }));
    assert.ok(outcome.result === 'failed', what);
    assert.deepEqual([outcome.failure.code, outcome.failure.kind], ['MOVE_LOST', 'ambiguous'], what);
    assert.equal(outcome.counts.completed, 1, what);
    assert.equal(outcome.status, undefined, what);
  }
});

test('move: a silence within the limit, longer than that for other responses, is nothing', async (t) => {
  const quiet = Promise.withResolvers<undefined>();
  const source = await archive(t, {
    onMove: async (asked) => {
      await quiet.promise;
      await asked.final(0);
    },
  });
  const peer = { ...source, timeouts: { response: 200 } };
  const timer = setTimeout(() => quiet.resolve(undefined), 800);
  t.after(() => clearTimeout(timer));
  const outcome = await move(peer, order({ quietMs: 60_000 }));
  assert.equal(outcome.result, 'complete');
});

test('move: a signal that aborts sends C-CANCEL, and what had gone is in the counts', async (t) => {
  const stop = new AbortController();
  let heard = false;
  const peer = await archive(t, {
    onMove: async (asked) => {
      await asked.pending({ remainingSubOperations: 2, completedSubOperations: 1 });
      asked.cancelled.addEventListener('abort', () => {
        heard = true;
        void asked.final(0xfe00, { remainingSubOperations: 2, completedSubOperations: 1 });
      });
    },
  });
  const outcome = await move(peer, order({ onProgress: () => stop.abort() }), stop.signal);
  assert.ok(outcome.result === 'cancelled', JSON.stringify(outcome));
  assert.deepEqual(
    [outcome.status, outcome.failure.code, outcome.counts.completed],
    [0xfe00, 'CANCELLED', 1],
  );
  assert.ok(heard);
});

test('move: a source that goes on after C-CANCEL is left', async (t) => {
  const stop = new AbortController();
  const source = await archive(t, { onMove: (asked) => asked.pending({ completedSubOperations: 1 }) });
  const peer = { ...source, timeouts: { release: 300 } };
  const outcome = await move(peer, order({ onProgress: () => stop.abort() }), stop.signal);
  assert.ok(outcome.result === 'cancelled', JSON.stringify(outcome));
  assert.equal(outcome.failure.code, 'CANCELLED');
});

test('move: nobody there, no such service, and an AE title that cannot be', async (t) => {
  const nobody = await move(peerAt(await freePort()), order());
  assert.ok(nobody.result === 'failed');
  assert.equal(nobody.failure.code, 'DEST_UNREACHABLE');
  const storescp = await target(t);
  const noMove = await move(peerAt(storescp.port, 'TARGET'), order());
  assert.ok(noMove.result === 'failed');
  assert.equal(noMove.failure.code, 'NOT_NEGOTIATED');
  const long = await move(peerAt(1), order({ destination: 'SEVENTEEN_LETTERS' }));
  assert.ok(long.result === 'failed');
  assert.equal(long.failure.code, 'AET_TOO_LONG');
});
