/** A real PostgreSQL (Debian's) in a folder of its own, on a free loopback port, with a password. */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { chown, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from './certificates.ts';
import { freePort, run, startProgram, type Program } from './process.ts';

export interface Postgres {
  /** Without the password. */
  readonly url: string;
  readonly password: string;
  /** File that holds the password. */
  readonly passwordFile: string;
  /** Makes an empty database; gives its address. */
  makeDatabase(name: string): Promise<string>;
  /** Runs one statement, as `psql` prints it. */
  query(database: string, sql: string): Promise<string>;
  /** Ends the server at once, whoever is connected; what it had acknowledged is kept. */
  halt(): Promise<void>;
  /** Ends the server as a machine without power does. */
  kill(): Promise<void>;
  /** Starts it again, at the same address. */
  resume(): Promise<void>;
  /** Starts it anew with this certificate, or without TLS. */
  secure(certificate: Certificate | undefined): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

const VERSIONS = '/usr/lib/postgresql';
const USER = 'scanflow';
const TIMEOUT_MS = 60_000;

/** Folder of Debian's newest PostgreSQL programs; undefined where there is none. */
export function findPostgres(): string | undefined {
  if (!existsSync(VERSIONS)) return undefined;
  const versions = readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a));
  return versions.map((name) => join(VERSIONS, name, 'bin')).find((bin) => existsSync(join(bin, 'postgres')));
}

/** Starts a server, or a replica of one, and waits until it answers. The caller stops it. A replica's name for its primary is `replica`. */
export async function startPostgres(primary?: Postgres): Promise<Postgres> {
  const place = await makePlace(primary?.password);
  const { folder, password, passwordFile, port, tool } = place;
  const data = join(folder, 'data');
  if (primary === undefined) {
    const init = ['-D', data, '-U', USER, `--pwfile=${passwordFile}`, '-A', 'scram-sha-256', '-E', 'UTF8'];
    await tool('initdb', [...init, '--locale=C', '--no-sync']);
  } else {
    const from = `${primary.url}?application_name=replica`;
    await tool('pg_basebackup', ['-D', data, '-d', from, '-R', '-X', 'stream', '-c', 'fast', '--no-sync']);
  }
  const query = (database: string, sql: string): Promise<string> => {
    const connection = ['-h', '127.0.0.1', '-p', String(port), '-U', USER, '-d', database];
    return tool('psql', [...connection, '-v', 'ON_ERROR_STOP=1', '-AtXc', sql]);
  };
  const start = (more: readonly string[] = []): Promise<Program> => startServer(place, query, more);
  let program = await start();
  // SIGINT is its fast end: it throws everybody out
  const halt = (): Promise<void> => program.stop('SIGINT', TIMEOUT_MS);
  return {
    url: `postgresql://${USER}@127.0.0.1:${port}/postgres`,
    password,
    passwordFile,
    query,
    halt,
    kill: () => program.stop('SIGKILL'),
    async makeDatabase(name) {
      await query('postgres', `CREATE DATABASE ${name}`);
      return `postgresql://${USER}@127.0.0.1:${port}/${name}`;
    },
    async resume() {
      program = await start();
    },
    async secure(certificate) {
      await halt();
      program = await start(certificate === undefined ? [] : await tlsSettings(folder, certificate));
    },
    async stop() {
      await halt();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Place {
  readonly folder: string;
  readonly port: number;
  readonly password: string;
  readonly passwordFile: string;
  /** Start of the command line of one of its programs. */
  readonly command: (program: string) => string[];
  /** Runs one of its programs to its end; gives what it prints. */
  readonly tool: (program: string, args: readonly string[]) => Promise<string>;
}

async function makePlace(password = randomBytes(18).toString('base64url')): Promise<Place> {
  const bin = findPostgres();
  if (bin === undefined) throw new Error('PostgreSQL is not installed: apt-get install postgresql');
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-pg-'));
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  const as = await unprivileged(folder, passwordFile);
  const command = (program: string): string[] => [...as, join(bin, program)];
  const tool = async (program: string, args: readonly string[]): Promise<string> => {
    const [name = '', ...rest] = [...command(program), ...args];
    const env = { PGPASSWORD: password, LC_ALL: 'C' };
    const { code, stdout, stderr } = await run(name, rest, { cwd: folder, env, timeoutMs: TIMEOUT_MS });
    if (code !== 0) throw new Error(`${program} ended with ${String(code)}: ${stderr}${stdout}`);
    return stdout;
  };
  return { folder, port: await freePort(), password, passwordFile, command, tool };
}

async function startServer(
  { folder, port, command, tool }: Place,
  query: Postgres['query'],
  more: readonly string[],
): Promise<Program> {
  // the machine of a test does not lose its power: what is written need not reach the disk
  const own = ['port=' + String(port), 'listen_addresses=127.0.0.1', 'fsync=off'];
  const settings = [...own, ...more].flatMap((one) => ['-c', one]);
  const [name = '', ...rest] = [
    ...command('postgres'),
    '-D',
    join(folder, 'data'),
    '-k',
    folder,
    ...settings,
  ];
  const program = await startProgram(name, rest, { cwd: folder, env: { LC_ALL: 'C' } });
  await tool('pg_isready', ['-h', '127.0.0.1', '-p', String(port), '-t', '30', '-q']).catch(() => undefined);
  for (let left = 300; left > 0; left -= 1) {
    if (program.exited()) throw new Error(`PostgreSQL ended at once:\n${program.output()}`);
    if ((await query('postgres', 'SELECT 1').catch(() => '')) === '1\n') return program;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`PostgreSQL does not answer:\n${program.output()}`);
}

/** It takes a key only from a file of its own that nobody else may read. */
async function tlsSettings(folder: string, { key, certificate }: Certificate): Promise<string[]> {
  const files = { ssl_key_file: [key, 'server.key'], ssl_cert_file: [certificate, 'server.pem'] } as const;
  const { uid, gid } = await stat(folder);
  const settings = ['ssl=on'];
  for (const [setting, [from, name]] of Object.entries(files)) {
    const path = join(folder, name);
    await writeFile(path, await readFile(from), { mode: 0o600 });
    await chown(path, uid, gid);
    settings.push(`${setting}=${path}`);
  }
  return settings;
}

/** PostgreSQL refuses to run as root: as root it runs as the user that Debian's package made. Gives the prefix. */
async function unprivileged(folder: string, passwordFile: string): Promise<string[]> {
  if (process.getuid?.() !== 0) return [];
  const ids = await Promise.all(
    ['-u', '-g'].map(async (flag) => (await run('id', [flag, 'postgres'])).stdout.trim()),
  );
  const [uid = '', gid = ''] = ids;
  if (uid === '') throw new Error('there is no user postgres, as whom PostgreSQL could run');
  await chown(folder, Number(uid), Number(gid));
  await chown(passwordFile, Number(uid), Number(gid));
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--'];
}
