/** `scanflow secrets init FOLDER`: makes the stack's passwords once, at random, and gives each service its own. */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '@scanflow/failure';
import { createFileOnce, createToken, writeFileAtomic } from '@scanflow/runtime';
import { EXIT, UsageError, type Command, type ExitCode, type Io, readArgs } from '../command.ts';

const help = `Usage: scanflow secrets init FOLDER [--token FILE] [--for SERVICE=FOLDER …]

Creates random passwords for the stack. It never changes one that exists, and adds those that a newer version needs.
The compose stack runs it at each start; docs/install.md explains how to read and replace them.

  --token FILE           also creates the internal token of the services' pages
  --for SERVICE=FOLDER   copies the secrets of SERVICE to a folder of its own (orthanc, streamer, receiver,
                         dashboard, postgres)

Example:  scanflow secrets init /run/secrets/scanflow --token /data/token/http-token --for orthanc=/run/secrets/orthanc
`;

const OPTIONS = { token: { type: 'string' }, for: { type: 'string', multiple: true } } as const;

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { positionals, values } = readArgs(args, OPTIONS, 2);
  const [verb, folder] = positionals;
  if (verb !== 'init' || folder === undefined)
    throw new UsageError('secrets takes: scanflow secrets init FOLDER');
  const readers = (values.for ?? []).map(readerOf);
  const lines = await initSecrets(folder);
  for (const [reader, to] of readers) lines.push(...(await handOut(folder, reader, to)));
  const { token } = values;
  if (token !== undefined)
    lines.push(`${token}: ${(await createToken(token)) ? 'made' : 'is there, left as it is'}`);
  for (const line of lines) io.err.write(`${line}\n`);
  return EXIT.done;
}

function readerOf(text: string): [reader: string, folder: string] {
  const [reader = '', folder = ''] = text.split('=', 2);
  if (!READER_NAMES.includes(reader) || folder === '')
    throw new UsageError(`--for takes SERVICE=FOLDER, of ${READER_NAMES.join(', ')}; not ${text}`);
  return [reader, folder];
}

/** Orthanc's users and the files of their passwords: the streamer (may do everything), people (may look), the receiver. */
const ORTHANC_USERS = {
  scanflow: 'orthanc-password',
  people: 'orthanc-people-password',
  receiver: 'orthanc-receiver-password',
} as const;
const USERS = 'orthanc-users.json';
/** For curl in Orthanc's health check: the process list shows a password on a command line. */
const NETRC = 'orthanc-netrc';
const LEDGER = 'ledger-password';
const INDEX = 'orthanc-index-password';
const BOARD = 'board-password';
const LEASE = 'cal2wl-password';
/** All passwords. Those of PostgreSQL are for compose.scale.yaml: the streamer's ledger, Orthanc's index, the board's users, cal2wl's lease. */
const PASSWORDS: readonly string[] = [...Object.values(ORTHANC_USERS), LEDGER, INDEX, BOARD, LEASE];

/** The files of each service. The streamer also gets files that people add for its destinations. */
const READERS: Readonly<Record<string, readonly string[]>> = {
  orthanc: [USERS, NETRC, INDEX],
  streamer: [ORTHANC_USERS.scanflow, LEDGER],
  receiver: [ORTHANC_USERS.receiver],
  dashboard: [BOARD],
  cal2wl: [LEASE],
  postgres: [LEDGER, INDEX, BOARD, LEASE],
};
const KNOWN = new Set([...PASSWORDS, USERS, NETRC]);

/** Read-only, for the owner (the services) and the group (Orthanc). */
const MODE = 0o440;
const FOLDER_MODE = 0o750;

/**
 * Makes missing files in `folder`: passwords of 43 random characters, `orthanc-users.json` and `orthanc-netrc` from them.
 * Existing files stay, but missing users of Orthanc are added. So it may run at every start, and over a folder of an earlier
 * version.
 *
 * @returns a line about each file, without passwords
 * @throws if the folder cannot be written, or an existing password is unusable
 */
export async function initSecrets(folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  const report: string[] = [];
  for (const name of PASSWORDS) {
    const path = join(folder, name);
    const made = await createFileOnce(path, `${randomBytes(32).toString('base64url')}\n`, { mode: MODE });
    usable(await readFile(path, 'utf8'), path);
    report.push(`${name}: ${made ? 'made' : KEPT}`);
  }
  const users = Object.entries(ORTHANC_USERS).map(async ([user, file]) => {
    const path = join(folder, file);
    return [user, usable(await readFile(path, 'utf8'), path)] as const;
  });
  const passwords = Object.fromEntries(await Promise.all(users)) as Record<
    keyof typeof ORTHANC_USERS,
    string
  >;
  report.push(
    await completeUsers(join(folder, USERS), passwords),
    await makeNetrc(folder, passwords.scanflow),
  );
  return report;
}

const KEPT = 'is there, left as it is';
const otherPassword = (name: string, file: string): string =>
  `${name}: ${KEPT}, but does not hold the password of ${file}: remove it and run this again`;

/** A fragment of Orthanc's configuration. Adds missing users, and keeps the others. */
async function completeUsers(path: string, passwords: Readonly<Record<string, string>>): Promise<string> {
  const text = (users: object): string => `${JSON.stringify({ RegisteredUsers: users }, undefined, 2)}\n`;
  if (await createFileOnce(path, text(passwords), { mode: MODE })) return `${USERS}: made`;
  const there = usersIn(await readFile(path, 'utf8'));
  if (there === undefined)
    return `${USERS}: ${KEPT}, but it is not JSON with RegisteredUsers: remove it and run this again`;
  const missing = Object.keys(passwords).filter((user) => !Object.hasOwn(there, user));
  if (missing.length > 0) await writeFileAtomic(path, text({ ...passwords, ...there }), { mode: MODE });
  const wrong = Object.entries(ORTHANC_USERS).find(
    ([user]) => Object.hasOwn(there, user) && there[user] !== passwords[user],
  );
  if (wrong !== undefined) return otherPassword(USERS, wrong[1]);
  return `${USERS}: ${missing.length > 0 ? `${missing.join(' and ')} added` : KEPT}`;
}

function usersIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const { RegisteredUsers } = JSON.parse(text) as { RegisteredUsers?: unknown };
    return typeof RegisteredUsers === 'object' && RegisteredUsers !== null
      ? (RegisteredUsers as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

async function makeNetrc(folder: string, password: string): Promise<string> {
  const path = join(folder, NETRC);
  const wanted = `machine 127.0.0.1 login scanflow password ${password}\n`;
  if (await createFileOnce(path, wanted, { mode: MODE })) return `${NETRC}: made`;
  const same = (await readFile(path, 'utf8')).includes(password);
  return same ? `${NETRC}: ${KEPT}` : otherPassword(NETRC, ORTHANC_USERS.scanflow);
}

/** The password of a file. Throws if it is unusable: blanks and quotes would end a word of netrc or JSON early. */
function usable(text: string, path: string): string {
  const password = text.replace(/\r?\n$/, '');
  if (/^[\x21\x23-\x5b\x5d-\x7e]{12,128}$/.test(password)) return password;
  throw new Error(
    `${path} holds no usable password: it takes 12 to 128 ASCII characters without blanks, quotes and backslashes. ` +
      'Put one there, or remove all files of this folder to have them made.',
  );
}

export const READER_NAMES = Object.keys(READERS);

/**
 * Copies the secrets of one service to its own folder, and removes others there.
 *
 * @returns a line about each file that could not be copied
 */
export async function handOut(folder: string, reader: string, to: string): Promise<string[]> {
  await mkdir(to, { recursive: true, mode: FOLDER_MODE });
  const own = READERS[reader] ?? [];
  const there = await filesOf(folder);
  const wanted = there.filter((name) => own.includes(name) || (reader === 'streamer' && !KNOWN.has(name)));
  for (const name of await filesOf(to)) if (!wanted.includes(name)) await rm(join(to, name));
  const trouble: string[] = [];
  for (const name of wanted)
    await copy(join(folder, name), join(to, name)).catch((error: unknown) => {
      trouble.push(`${name}: not handed to ${reader}: ${messageOf(error)}`);
    });
  return trouble;
}

/** Names of files that are not hidden. */
async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder);
  const files = await Promise.all(
    entries.map(async (name) => !name.startsWith('.') && (await stat(join(folder, name))).isFile()),
  );
  return entries.filter((_, index) => files[index]);
}

async function copy(from: string, to: string): Promise<void> {
  const content = await readFile(from);
  const before = await readFile(to).catch(() => undefined);
  // an unchanged file stays, so that nobody who watches it wakes up
  if (before?.equals(content) !== true) await writeFileAtomic(to, content, { mode: MODE });
}

export const secrets: Command = { help, run };
