/** Two Orthancs on one PostgreSQL index and one folder of images, as docs/scale.md says it. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { openPostgres, type Database } from '@scanflow/database';
import { FailureError, permanent } from '@scanflow/failure';
import {
  findPostgres,
  freePort,
  startOrthanc,
  startPostgres,
  type OrthancOptions,
  type Postgres,
  type RunningOrthanc,
} from '@scanflow/testkit';
import { makeRig, scratch, type Rig, type RigOptions } from './streamer-support.ts';

const PLUGIN = 'libOrthancPostgreSQLIndex.so';
const INDEX = 'orthanc';

export const skip =
  findPostgres() === undefined || !existsSync(`/usr/share/orthanc/plugins/${PLUGIN}`)
    ? 'PostgreSQL, or Orthanc’s plugin for it, is not installed'
    : false;

/** It keeps a table of its own beside those of Orthanc. */
const SESSION = {
  holds: 'the index',
  user: 'the test',
  section: 'orthanc',
  application: 'test',
  migrations: [],
  versionTable: 'test_version',
  migrationLock: 1,
  tooNew: () => new FailureError(permanent('X', 'x')),
};

export interface TwoOrthancs {
  readonly server: Postgres;
  /** As the rig's Orthanc: the first of the two. */
  readonly rig: Rig;
  readonly first: RunningOrthanc;
  readonly second: RunningOrthanc;
  /** Another session of the index, ended with the test. */
  readonly session: () => Database;
  /** Empties the index: a new database of the same name. Both Orthancs have to be down. */
  readonly wipe: () => Promise<void>;
  /** Sections of a configuration with both addresses, the second one first. */
  readonly both: object;
}

/** A user that both know: the configuration has one password for all addresses. */
async function sharedUser(
  folder: string,
): Promise<{ username: string; password: string; passwordFile: string }> {
  const password = randomBytes(18).toString('base64url');
  const passwordFile = join(folder, 'both-password');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  return { username: 'both', password, passwordFile };
}

/**
 * Starts everything but the streamer.
 *
 * @param orthancUrl the address that the services use for both Orthancs; the two addresses where absent
 */
export async function startTwo(
  t: TestContext,
  options: RigOptions = {},
  orthancUrl?: (urls: readonly string[], identity: () => Promise<string>) => Promise<string>,
): Promise<TwoOrthancs> {
  const server = await startPostgres();
  t.after(() => server.stop());
  await server.makeDatabase(INDEX);
  const folder = await scratch(t);
  await mkdir(join(folder, 'images'));
  const user = await sharedUser(folder);
  const common = optionsOf(folder, server, user);
  const [firstPort, secondPort] = [await freePort(), await freePort()];
  // the second first: the rig starts the other
  const second = await startOrthanc({ ...common('2'), folder: join(folder, '2'), httpPort: secondPort });
  t.after(() => second.kill());
  const urls = [`http://127.0.0.1:${secondPort}`, `http://127.0.0.1:${firstPort}`];
  const identity = async (): Promise<string> =>
    (await server.query('postgres', `SELECT oid FROM pg_database WHERE datname = '${INDEX}'`)).trim();
  const url = (await orthancUrl?.(urls, identity)) ?? urls;
  const { username, passwordFile } = user;
  const both = { url, username, passwordFile };
  const rig = await makeRig(t, {
    ...options,
    orthanc: { ...common('1'), httpPort: firstPort },
    extra: { orthanc: both, ...options.extra },
  });
  return {
    server,
    rig,
    first: rig.orthanc,
    second,
    both,
    session: () => {
      const url = `postgresql://scanflow@127.0.0.1:${portOf(server)}/${INDEX}`;
      const database = openPostgres({ url, password: () => Promise.resolve(server.password) }, SESSION);
      // a transaction that a failed test left open would let it wait
      t.after(() => void database.close());
      return database;
    },
    wipe: async () => {
      await server.query('postgres', `DROP DATABASE ${INDEX} WITH (FORCE)`);
      await server.makeDatabase(INDEX);
    },
  };
}

const portOf = ({ url }: Postgres): number => Number(new URL(url).port);

const optionsOf =
  (folder: string, server: Postgres, user: { username: string; password: string }) =>
  (name: string): Omit<OrthancOptions, 'folder'> => ({
    plugins: [PLUGIN],
    users: { [user.username]: user.password },
    extra: {
      StorageDirectory: join(folder, 'images'),
      DatabaseServerIdentifier: `index@${name}`,
      PostgreSQL: {
        EnableIndex: true,
        EnableStorage: false,
        Host: '127.0.0.1',
        Port: portOf(server),
        Database: INDEX,
        Username: 'scanflow',
        Password: server.password,
        Lock: false,
        IndexConnectionsCount: 3,
      },
    },
  });

/**
 * One address before both, as a service of Kubernetes: each request goes to the other Orthanc than the one before. /system shows
 * identifiers as Orthanc does from 1.11.1 on: those of our image.
 */
export async function alternating(
  t: TestContext,
  urls: readonly string[],
  identity: () => Promise<string>,
): Promise<string> {
  let turn = 0;
  const server = createServer((request, response) => {
    turn += 1;
    const at = turn % urls.length;
    const ahead = httpRequest(`${urls[at] ?? ''}${request.url ?? ''}`, {
      method: request.method ?? 'GET',
      headers: request.headers,
    });
    ahead.on('error', () => response.destroy());
    ahead.on('response', (answer) => {
      if (request.url === '/system') {
        void identified(answer, identity, at).then((text) => response.end(text));
        return;
      }
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    request.pipe(ahead);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function identified(
  answer: IncomingMessage,
  identity: () => Promise<string>,
  at: number,
): Promise<string> {
  const system = JSON.parse(await text(answer)) as object;
  return JSON.stringify({ ...system, DatabaseServerIdentifier: `${await identity()}@${at}` });
}
