/** A PostgreSQL and its replica, and one address that moves from the one to the other. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { startPostgres, until, type Postgres } from '@scanflow/testkit';

interface Pair {
  readonly primary: Postgres;
  readonly replica: Postgres;
}

/** A primary that acknowledges nothing before its replica has it on disk. */
export async function pair(t: TestContext): Promise<Pair> {
  const { primary, replica } = await asynchronousPair(t);
  await primary.query('postgres', `ALTER SYSTEM SET synchronous_standby_names = 'replica'`);
  await primary.query('postgres', 'SELECT pg_reload_conf()');
  const state = 'SELECT sync_state FROM pg_stat_replication';
  await until(async () => (await primary.query('postgres', state)) === 'sync\n', {
    what: 'the replica is a synchronous one',
    timeoutMs: 30_000,
  });
  return { primary, replica };
}

/** A primary that waits for nobody. */
export async function asynchronousPair(t: TestContext): Promise<Pair> {
  const primary = await startPostgres();
  t.after(() => primary.stop());
  const replica = await startPostgres(primary);
  t.after(() => replica.stop());
  return { primary, replica };
}

/** Once the replica has all that the primary wrote so far, it gets nothing more. */
export async function cutReplica({ primary, replica }: Pair): Promise<void> {
  const written = (await primary.query('postgres', 'SELECT pg_current_wal_lsn()')).trim();
  const caughtUp = `SELECT pg_last_wal_replay_lsn() >= '${written}'`;
  await until(async () => (await replica.query('postgres', caughtUp)) === 't\n', {
    what: 'the replica has everything',
    timeoutMs: 30_000,
  });
  await replica.query('postgres', `ALTER SYSTEM SET primary_conninfo = ''`);
  await replica.query('postgres', 'SELECT pg_reload_conf()');
  const receiving = 'SELECT count(*) FROM pg_stat_wal_receiver';
  await until(async () => (await replica.query('postgres', receiving)) === '0\n', {
    what: 'the replica gets nothing more',
    timeoutMs: 30_000,
  });
}

export const promote = (replica: Postgres): Promise<string> =>
  replica.query('postgres', 'SELECT pg_promote()');
export const portOf = (server: Postgres): string => new URL(server.url).port;

export interface Address {
  readonly port: number;
  readonly url: string;
  /** The machine loses its power: nothing answers any more, and no connection is closed. */
  silence(): void;
  /** Another machine takes the address: it knows nothing of the connections before. */
  move(port: string): void;
  /** Closes every connection. */
  cut(): void;
}

/**
 * An address that moves from one machine to another.
 *
 * @param hears what the client says; true: nothing goes back to it any more
 */
export async function address(
  t: TestContext,
  port: string,
  hears: (said: Buffer) => boolean = () => false,
): Promise<Address> {
  let target: string | undefined = port;
  const sockets = new Set<Socket>();
  const pipes = new Set<Socket>();
  const server = createServer((near) => {
    sockets.add(near);
    near.on('error', () => undefined);
    if (target === undefined) return;
    const far = connect(Number(target), '127.0.0.1');
    far.on('error', () => near.destroy());
    pipes.add(far);
    near.on('data', (said: Buffer) => {
      // on its way to the server, and no answer to it
      if (hears(said)) far.unpipe(near).resume();
    });
    near.pipe(far).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const own = (server.address() as AddressInfo).port;
  t.after(() => {
    for (const socket of [...sockets, ...pipes]) socket.destroy();
    server.close();
  });
  return {
    port: own,
    url: `postgresql://scanflow@127.0.0.1:${own}/postgres`,
    silence() {
      target = undefined;
      for (const far of pipes) far.unpipe();
      for (const near of sockets) {
        near.unpipe();
        near.resume();
      }
    },
    move(next) {
      target = next;
    },
    cut() {
      for (const socket of [...sockets, ...pipes]) socket.destroy();
    },
  };
}

/** Orthanc's options for an index in the database `orthanc` at this port, as docker/orthanc/orthanc.json has them. */
export const orthancOn = (
  { password }: Postgres,
  port: number | string,
): { plugins: string[]; extra: Record<string, unknown> } => ({
  plugins: ['libOrthancPostgreSQLIndex.so'],
  extra: {
    SyncStorageArea: true,
    PostgreSQL: {
      EnableIndex: true,
      EnableStorage: false,
      ConnectionUri: `postgresql://scanflow:${encodeURIComponent(password)}@127.0.0.1:${port}/orthanc`,
      IndexConnectionsCount: 1,
    },
  },
});
