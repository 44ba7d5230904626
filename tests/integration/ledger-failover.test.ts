/** PostgreSQL fails over, really: the primary is killed, its synchronous replica is promoted, and the work goes on by itself. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openPostgres, type Database } from '@scanflow/database';
import { FailureError, permanent } from '@scanflow/failure';
import { findPostgres, startStorescp, until, type Postgres } from '@scanflow/testkit';
import { address, pair, portOf, promote } from './postgres-pair.ts';
import { startShared, type Streamer } from './streamer-shared-support.ts';
import { makeRig, phantom, scratch, sendTo } from './streamer-support.ts';
import { folderOf, verifyForwarded, verifyStored } from './streamer-verify.ts';

const skip = findPostgres() === undefined ? 'PostgreSQL is not installed' : false;
const [SERIES, IMAGES] = [6, 24];

/** One address for several servers, as `ledger.url` takes it. */
const oneAddress = (...servers: readonly Postgres[]): string =>
  `postgresql://scanflow@${servers.map((one) => `127.0.0.1:${portOf(one)}`).join(',')}/postgres`;

const faults = async (streamers: readonly Streamer[]): Promise<string[]> =>
  Promise.all(streamers.map((one) => one.health().catch(() => '')));

test(
  'failover: the primary is killed while two streamers work; they go on at the promoted replica',
  { skip },
  async (t) => {
    const { primary, replica } = await pair(t);
    const scp = await startStorescp({ folder: await scratch(t), aet: 'PACS' });
    t.after(() => scp.stop());
    const rig = await makeRig(t, { destinations: { pacs: scp.port } });
    // the replica first: it answers, and is passed over
    const shared = { ...primary, url: oneAddress(replica, primary) };
    const streamers = await Promise.all([1, 2].map(() => startShared(t, rig, shared)));
    const numbers = Array.from({ length: SERIES }, (_, index) => index + 1);
    const made = await Promise.all(
      numbers.map((number) =>
        phantom(join(rig.folder, `mr${number}`), { images: IMAGES, studyId: `ses-mri0${number}` }),
      ),
    );
    await sendTo(rig.orthanc, ...made.map(({ folder }) => folder));
    await until(async () => (await scp.files()).length > IMAGES, {
      what: 'the streamers send',
      timeoutMs: 60_000,
    });
    await primary.kill();
    const left = SERIES * IMAGES - (await scp.files()).length;
    assert.ok(left > 0, 'the work was done before the primary died');
    const gone = performance.now();
    await until(async () => (await faults(streamers)).every((one) => one.includes('it is a replica')), {
      what: 'both show that the ledger is away',
      timeoutMs: 60_000,
    });
    t.diagnostic(`shown after ${Math.round(performance.now() - gone)} ms; ${left} images were left to send`);
    for (const { program } of streamers) await program.said(/LEDGER_UNREACHABLE/);
    await promote(replica);
    const promoted = performance.now();
    const all = await until(
      async () => {
        const found = await streamers[0]?.series().catch(() => undefined);
        return found?.length === SERIES && found.every(({ state }) => state === 'complete')
          ? found
          : undefined;
      },
      { what: 'all series complete', timeoutMs: 120_000, everyMs: 100 },
    );
    t.diagnostic(`complete ${Math.round(performance.now() - promoted)} ms after the promotion`);
    for (const series of all) assert.equal(await verifyStored(rig, series), IMAGES);
    const folders = all.map(folderOf);
    assert.equal(new Set(folders).size, SERIES);
    assert.equal(await verifyForwarded(folders, await scp.files()), SERIES * IMAGES);
    // what was on its way when the ledger went may go twice: a series for each streamer, and no more
    const sent = scp.program.output().split('Received Store Request').length - 1;
    t.diagnostic(`${sent} images sent for ${SERIES * IMAGES}`);
    assert.ok(sent <= (SERIES + streamers.length) * IMAGES, `${sent} images were sent`);
    await until(async () => (await faults(streamers)).every((one) => !one.includes('PostgreSQL')), {
      what: 'both are well again',
      timeoutMs: 60_000,
    });
  },
);

const SERVER = {
  holds: 'the ledger',
  user: 'the streamer',
  section: 'ledger',
  application: 'test',
  migrations: ['CREATE TABLE note (text TEXT NOT NULL)'],
  versionTable: 'note_version',
  migrationLock: 1,
  tooNew: () => new FailureError(permanent('X', 'x')),
};

/** What a test waits for a server. */
const SHORT = { statementMs: 400, connectMs: 400 };

function opened(t: TestContext, url: string | readonly string[], { password }: Postgres): Database {
  const database = openPostgres({ url, password: () => Promise.resolve(password), ...SHORT }, SERVER);
  t.after(() => database.close());
  return database;
}

const write = (database: Database, text: string): Promise<number> =>
  database.transaction((tx) => tx.run('INSERT INTO note VALUES (?)', [text]));
const texts = (database: Database): Promise<unknown[]> =>
  database.read(async (tx) => (await tx.all('SELECT text FROM note ORDER BY text')).map(({ text }) => text));

test(
  'failover: an address that falls silent is given up in time, and works when it has moved',
  { skip },
  async (t) => {
    const { primary, replica } = await pair(t);
    const place = await address(t, portOf(primary));
    const database = opened(t, place.url, primary);
    await write(database, 'before');
    place.silence();
    const began = performance.now();
    // the first on a connection that is there, the second on a new one
    await assert.rejects(write(database, 'lost'), { code: 'LEDGER_UNREACHABLE', kind: 'transient' });
    await assert.rejects(write(database, 'lost'), { code: 'LEDGER_UNREACHABLE', kind: 'transient' });
    assert.ok(performance.now() - began < 10_000, 'it waited far beyond its limits');
    await primary.kill();
    await promote(replica);
    place.move(portOf(replica));
    await write(database, 'after');
    assert.deepEqual(await texts(database), ['after', 'before']);
  },
);

test(
  'failover: a replica is neither read nor written, and a server that loses its part is left',
  { skip },
  async (t) => {
    const { primary, replica } = await pair(t);
    const database = opened(t, [replica.url, primary.url], primary);
    const only = opened(t, replica.url, primary);
    await write(database, 'one');
    for (const act of [texts, (one: Database) => write(one, 'two')])
      await assert.rejects(act(only), { code: 'LEDGER_UNREACHABLE', message: /it is a replica/ });
    await primary.kill();
    await assert.rejects(write(database, 'three'), { code: 'LEDGER_UNREACHABLE' });
    await promote(replica);
    await write(database, 'four');
    assert.deepEqual(await texts(only), ['four', 'one']);
  },
);

test(
  'failover: without its replica, the primary acknowledges nothing, and goes on when another one is named',
  { skip },
  async (t) => {
    const { primary, replica } = await pair(t);
    const database = opened(t, primary.url, primary);
    await write(database, 'one');
    await replica.kill();
    await assert.rejects(write(database, 'two'), { code: 'LEDGER_UNREACHABLE', kind: 'transient' });
    await primary.query('postgres', `ALTER SYSTEM RESET synchronous_standby_names`);
    await primary.query('postgres', 'SELECT pg_reload_conf()');
    const waiting = `SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`;
    await until(async () => (await primary.query('postgres', waiting)) === '0\n', {
      what: 'no commit waits for a replica any more',
      timeoutMs: 30_000,
    });
    await write(database, 'three');
    // it was committed there, only not acknowledged: whoever wrote it does it again
    assert.deepEqual(await texts(database), ['one', 'three', 'two']);
  },
);
