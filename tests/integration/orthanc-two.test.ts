/** Two Orthancs stand in for each other: numbers of changes that appear late, alternating answers, and one that dies. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Database, Statements } from '@scanflow/database';
import { storescu, until } from '@scanflow/testkit';
import { startRig, hashOf, dataSetHash } from './receiver-support.ts';
import { alternating, skip, startTwo, type TwoOrthancs } from './orthanc-two-support.ts';
import { phantom, sendTo, settled, type Rig } from './streamer-support.ts';
import { folderOf, verifyManifest, verifyStored } from './streamer-verify.ts';

const IMAGES = 5;
const patient = (number: number): string => `3010000.01_sub-00${number}`;

/** Tables of Orthanc's index with rows of images. */
const ROWS = [
  ...['resources', 'attachedfiles', 'maindicomtags', 'dicomidentifiers'],
  ...['metadata', 'patientrecyclingorder', 'changes'],
];

/** Takes everything out of the index that is in it, as if its transaction had not ended yet. The files stay. */
async function takeOut(tx: Statements): Promise<void> {
  await tx.run('SET LOCAL session_replication_role = replica', []);
  for (const table of ROWS) {
    await tx.run(`CREATE TABLE held_${table} AS SELECT * FROM ${table}`, []);
    await tx.run(`DELETE FROM ${table}`, []);
  }
}

/**
 * The transaction of an Orthanc that writes these images: it has its numbers, and stays open. It goes without the triggers that
 * let others wait for it, as in the plugin's versions from 6.0 on.
 */
async function writeLate(
  tx: Statements,
  begun: (value: undefined) => void,
  go: Promise<undefined>,
): Promise<void> {
  await tx.run('SET LOCAL session_replication_role = replica', []);
  for (const table of ROWS.filter((name) => name !== 'changes'))
    await tx.run(`INSERT INTO ${table} SELECT * FROM held_${table}`, []);
  await tx.run(
    `INSERT INTO changes SELECT nextval('changes_seq_seq'), changetype, internalid, resourcetype, date FROM held_changes ORDER BY seq`,
    [],
  );
  begun(undefined);
  await go;
  // "Last" is the number that was committed last, although others are higher
  await tx.run('UPDATE globalintegers SET value = (SELECT min(seq) FROM changes) WHERE key = 6', []);
}

/** Begins the late transaction; gives what commits it. */
async function beginLate(index: Database): Promise<() => Promise<void>> {
  const begun = Promise.withResolvers<undefined>();
  const gate = Promise.withResolvers<undefined>();
  const written = index.transaction((tx) => writeLate(tx, begun.resolve, gate.promise));
  await Promise.race([begun.promise, written]);
  return () => {
    gate.resolve(undefined);
    return written;
  };
}

const gapsOf = async (rig: Rig): Promise<number> =>
  Number(/^scanflow_streamer_change_gaps (\d+)$/m.exec(await rig.metrics())?.[1]);

const reconciled = (rig: Rig, times: number): Promise<true> =>
  until<true>(() => rig.streamer().output().split('reconciled').length > times || undefined, {
    what: 'the streamer has compared everything',
    timeoutMs: 30_000,
  });

/** One image's transaction is open while the other Orthanc's series is stored, with higher numbers. */
async function overtaken(
  t: TestContext,
): Promise<TwoOrthancs & { commitLate: () => Promise<void>; gaps: number }> {
  const two = await startTwo(t);
  const { rig, first, second, session } = two;
  const index = session();
  const early = await phantom(join(rig.folder, 'late'), { images: IMAGES, patientId: patient(1) });
  await sendTo(first, early.folder);
  await index.transaction(takeOut);
  await rig.start();
  await settled(rig, 0);
  await reconciled(rig, 1);
  const commitLate = await beginLate(index);
  const next = await phantom(join(rig.folder, 'next'), {
    images: IMAGES,
    patientId: patient(2),
    seriesNumber: 2,
  });
  await sendTo(second, next.folder);
  const [stored] = await settled(rig, 1, ['complete']);
  assert.ok(stored !== undefined);
  assert.equal(await verifyStored(rig, stored), IMAGES);
  // PostgreSQL may have refused another transaction: its numbers are missing, too
  const gaps = await gapsOf(rig);
  assert.ok(gaps > 0, 'the numbers below are missing');
  return { ...two, commitLate, gaps };
}

async function bothStored(rig: Rig, gaps: number): Promise<void> {
  const all = await settled(rig, 2, ['complete']);
  for (const series of all) assert.equal(await verifyStored(rig, series), IMAGES);
  await until(async () => (await gapsOf(rig)) < gaps || undefined, {
    what: 'their numbers are missing no longer',
    timeoutMs: 10_000,
  });
  assert.doesNotMatch(rig.streamer().output(), /ORTHANC_(WIPED|REPLACED)/);
}

test(
  'two orthancs: images whose lower numbers appear after higher ones are found at once',
  { skip },
  async (t) => {
    const { rig, commitLate, gaps } = await overtaken(t);
    await commitLate();
    const committed = performance.now();
    await bothStored(rig, gaps);
    t.diagnostic(`stored ${Math.round(performance.now() - committed)} ms after the late commit`);
    assert.equal(rig.streamer().output().split('reconciled').length - 1, 1, 'the feed found them');
  },
);

test(
  'two orthancs: a streamer that starts meanwhile goes on with the missing numbers',
  { skip },
  async (t) => {
    const { rig, commitLate, gaps } = await overtaken(t);
    await rig.streamer().stop('SIGKILL');
    await rig.start();
    await reconciled(rig, 1);
    await commitLate();
    await bothStored(rig, gaps);
    assert.equal(rig.streamer().output().split('reconciled').length - 1, 1, 'the feed found them');
  },
);

test(
  'two orthancs: answers of both in turn, while scanners send to both, are one database; a wiped one shows',
  { skip },
  async (t) => {
    const two = await startTwo(t, {}, (urls, identity) => alternating(t, urls, identity));
    const { rig, first, second, wipe } = two;
    await rig.start();
    const made = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((number) =>
        phantom(join(rig.folder, `mr${number}`), {
          images: 20,
          seriesNumber: number,
          patientId: patient(number),
        }),
      ),
    );
    const folders = made.map(({ folder }) => folder);
    // the last one goes to both at the same time
    const sends = folders.map((folder, index) => sendTo(index % 2 === 0 ? first : second, folder));
    await Promise.all([...sends, sendTo(first, folders.at(-1) ?? '')]);
    const all = await settled(rig, folders.length, ['complete']);
    for (const series of all) assert.equal(await verifyStored(rig, series), 20);
    assert.doesNotMatch(rig.streamer().output(), /ORTHANC_(WIPED|REPLACED)/);
    assert.equal(rig.streamer().output().split('reconciled').length - 1, 1);
    await Promise.all([first.stop(), second.stop()]);
    await wipe();
    await first.start();
    await second.start();
    const fresh = await phantom(join(rig.folder, 'fresh'), {
      images: 2,
      seriesNumber: 9,
      patientId: patient(9),
    });
    await sendTo(second, fresh.folder);
    await rig.streamer().said(/ORTHANC_(WIPED|REPLACED)/);
    await settled(rig, folders.length + 1, ['complete']);
  },
);

/** Hashes of the stored data sets, in order. */
async function hashesIn(folder: string): Promise<string[]> {
  const { instances } = await verifyManifest(folder);
  const hashes = instances.map(async ({ file }) => dataSetHash(await readFile(join(folder, file))));
  return (await Promise.all(hashes)).sort();
}

test(
  'two orthancs: one is killed while scanners send to both; they send again, and nothing is lost or doubled',
  { skip },
  async (t) => {
    const { rig, first, second, both } = await startTwo(t, { extra: { tag: { apply: 'none' } } });
    const receiver = await startRig(t, { sections: { orthanc: both } });
    await rig.start();
    const many = 80;
    const made = await Promise.all(
      [1, 2, 3].map((number) =>
        phantom(join(rig.folder, `mr${number}`), {
          images: many,
          seriesNumber: number,
          patientId: patient(number),
        }),
      ),
    );
    const [direct, other, received] = made;
    assert.ok(direct !== undefined && other !== undefined && received !== undefined);
    const count = async (): Promise<number> => ((await first.get('/instances')) as string[]).length;
    const cut = sendTo(second, direct.folder).then(
      () => 'sent',
      () => 'cut',
    );
    const whole = sendTo(first, other.folder);
    // by the receiver, which uses the second one: the scanner sees nothing of its death
    const through = storescu({ port: receiver.port, calledAet: 'SCANFLOW' }, [received.folder]);
    await until(async () => (await count()) > 30 || undefined, {
      what: 'images arrive',
      timeoutMs: 30_000,
      everyMs: 10,
    });
    await second.kill();
    const before = await count();
    assert.equal(await cut, 'cut', 'the scanner had sent everything before');
    await Promise.all([whole, through]);
    await sendTo(first, direct.folder);
    t.diagnostic(`${before} of ${3 * many} images were in when it was killed`);
    const all = await settled(rig, 3, ['complete']);
    assert.equal(await count(), 3 * many);
    const stored = await Promise.all(all.map(async (series) => hashesIn(folderOf(series))));
    const sent = await Promise.all(
      made.map(async ({ files }) => (await Promise.all(files.map(hashOf))).sort()),
    );
    assert.deepEqual(stored.sort(), sent.sort());
    const health = await until(
      async () => {
        const said = JSON.stringify((await rig.health()).body);
        return said.includes('ORTHANC_ONE_AWAY') ? said : undefined;
      },
      { what: 'the streamer shows that one is away', timeoutMs: 45_000 },
    );
    assert.ok(health.includes(`"at":"${first.url}"`), 'it says which one answers');
  },
);
