/** `scanflow user` and `scanflow console`: who may sign in to the day board, and which scanners have a page without signing in. */
import { defined } from '@scanflow/failure/defined';
import type { Config } from '@scanflow/config';
import { messageOf } from '@scanflow/failure';
import { EXIT, readArgs, UsageError, type Command, type ExitCode, type Io } from '../command.ts';
import { CONFIG, openConfig, notAdmitted, openApi } from '../installation.ts';
import { plain, textTable } from '../terminal.ts';

export interface User {
  readonly name: string;
  readonly role: string;
  readonly projects: readonly string[];
  readonly addresses: readonly string[];
  readonly hasPassword: boolean;
  /** The identity provider at which they sign in; absent for one with a password here. */
  readonly issuer?: string;
}

export interface Console {
  /** Of its scanner. */
  readonly name: string;
  /** UTC instants: when its link was made, and when its page was last loaded. */
  readonly made: string;
  readonly seen?: string;
  /** Browsers that have a cookie for it. */
  readonly open: number;
}

interface Answer {
  readonly users?: readonly User[];
  readonly consoles?: readonly Console[];
  /** One-time link. */
  readonly link?: string;
  readonly error?: string;
}

/** The dashboard does not answer, or refuses; the message says what to do. */
export class UserError extends Error {
  override name = 'UserError';
}

const TIMEOUT_MS = 10_000;

/** All users. Throws UserError. */
export const readUsers = async (config: Config, signal: AbortSignal): Promise<readonly User[]> =>
  (await ask(config, '/api/users', {}, signal)).users ?? [];

/** `path`: below /api/users, like `/anna/invite`; empty to add one. Throws UserError. */
export const postUser = (config: Config, path: string, body: object, signal: AbortSignal): Promise<Answer> =>
  ask(config, `/api/users${path}`, { method: 'POST', body: JSON.stringify(body) }, signal);

/** All consoles that have a link. Throws UserError. */
export const readConsoles = async (config: Config, signal: AbortSignal): Promise<readonly Console[]> =>
  (await ask(config, '/api/consoles', {}, signal)).consoles ?? [];

/** Makes or revokes the link of a console; a new link is in the answer. Throws UserError. */
export const postConsole = (
  config: Config,
  name: string,
  action: 'link' | 'revoke',
  signal: AbortSignal,
): Promise<Answer> =>
  ask(config, `/api/consoles/${encodeURIComponent(name)}/${action}`, { method: 'POST', body: '{}' }, signal);

async function ask(
  config: Config,
  path: string,
  request: { readonly method?: string; readonly body?: string },
  signal: AbortSignal,
): Promise<Answer> {
  const api = await openApi(config, 'dashboard');
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const headers = { ...api.headers, 'content-type': 'application/json' };
  let response: Response;
  try {
    response = await fetch(`${api.url}${path}`, { ...request, headers, signal: limit, redirect: 'error' });
  } catch (error) {
    signal.throwIfAborted();
    throw new UserError(
      `the dashboard does not answer at ${api.url} (${messageOf(error)}): is it running, and here? In containers: docker compose exec dashboard scanflow …`,
    );
  }
  if (response.status === 401) throw new UserError(notAdmitted(api));
  const answer = (await response.json().catch(() => ({}))) as Answer;
  if (response.ok) return answer;
  throw new UserError(answer.error ?? `the dashboard answered ${response.status}`);
}

const help = `Usage: scanflow user [list] [--json] [--config FILE]
       scanflow user invite [NAME] [--config FILE]
       scanflow user add NAME [--role ROLE] [--project PROJECT …] [--address MAIL …] [--config FILE]
       scanflow user role NAME [ROLE] [--project PROJECT …] [--address MAIL …] [--config FILE]
       scanflow user password NAME [--config FILE]
       scanflow user remove NAME [--config FILE]

Who may sign in to the day board, and in which role:

  member             sees the projects that you name, and sessions that they booked
  operator           sees all days, series and Health, and adds walk-ins
  it                 sees everything, and may also retry, release, accept and manage users

What you can do:

  list               shows all users
  invite             prints a one-time link with which NAME sets a password; the link works for a day. Without NAME, the link is
                     for the user admin, whom the command makes with the role it if there are no users yet
  add                makes a user, and prints the link; the role is member unless you give --role
  role               changes role, projects and addresses; values that you leave out stay
  password           sets the password that standard input holds, and ends all sessions of NAME
  remove             removes a user, with all sessions

  --project PROJECT  a project that a member sees; you may repeat it
  --address MAIL     a mail address of the user: they see the sessions that it booked; you may repeat it
  --json             prints JSON, for list
  --config FILE      the configuration of the dashboard (default /etc/scanflow/scanflow.yaml)

Example:  docker compose exec dashboard scanflow user invite
Exit:     0 done, 1 it could not be done, 2 nothing was done (usage, configuration)
`;

const OPTIONS = {
  json: { type: 'boolean', default: false },
  role: { type: 'string' },
  project: { type: 'string', multiple: true },
  address: { type: 'string', multiple: true },
  ...CONFIG,
} as const;

const ROLES: readonly string[] = ['member', 'operator', 'it'];
const FIRST = 'admin';

type Values = ReturnType<typeof readArgs<typeof OPTIONS>>['values'];

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArgs(args, OPTIONS, 3);
  const [action = 'list', name, role] = positionals;
  const needed = { list: [0], invite: [0, 1], add: [1], role: [1, 2], password: [1], remove: [1] }[action];
  if (needed?.includes(positionals.length - Math.min(1, positionals.length)) !== true)
    throw new UsageError(
      'user takes list, invite [NAME], add NAME, role NAME [ROLE], password NAME, or remove NAME',
    );
  const given = role ?? values.role;
  if (action === 'role' && given === undefined && !values.project && !values.address)
    throw new UsageError('user role needs a ROLE, --project or --address');
  if (given !== undefined && !ROLES.includes(given))
    throw new UsageError(`there is no role ${given}; there are ${ROLES.join(', ')}`);
  const config = await openConfig(values.config);
  try {
    await act(action, name ?? '', given, values, config, io);
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    io.err.write(`scanflow: ${plain(error.message)}\n`);
    return EXIT.failed;
  }
}

async function act(
  action: string,
  name: string,
  role: string | undefined,
  { json, project, address }: Values,
  config: Config,
  io: Io,
): Promise<void> {
  const of = `/${encodeURIComponent(name)}`;
  const post = (path: string, body: object = {}) => postUser(config, path, body, io.signal);
  const rights = {
    ...defined({ role, projects: project, addresses: address?.map((one) => one.toLowerCase()) }),
  };
  switch (action) {
    case 'list':
      io.out.write(listed(await readUsers(config, io.signal), json));
      return;
    case 'invite':
      io.out.write(`${await invited(name, config, io)}\n`);
      return;
    case 'add':
      io.out.write(`${(await post('', { role: 'member', ...rights, name })).link ?? ''}\n`);
      return;
    case 'role':
      await post(`${of}/role`, rights);
      return;
    case 'password':
      await post(`${of}/password`, { password: await typed() });
      return;
    default:
      await post(`${of}/remove`);
  }
}

/** The link; the first administrator is made by it. */
async function invited(name: string, config: Config, io: Io): Promise<string> {
  const users = name === '' ? await readUsers(config, io.signal) : [];
  const answer =
    name === '' && users.length === 0
      ? await postUser(config, '', { name: FIRST, role: 'it' }, io.signal)
      : await postUser(config, `/${encodeURIComponent(name || FIRST)}/invite`, {}, io.signal);
  return answer.link ?? '';
}

/** The first line of standard input: a password never stands in the arguments, which others can see. */
async function typed(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    if (chunk.includes('\n')) break;
  }
  return Buffer.concat(chunks).toString('utf8').split(/\r?\n/)[0] ?? '';
}

function listed(users: readonly User[], json: boolean): string {
  if (json) return `${JSON.stringify(users, null, 2)}\n`;
  const rows = users.map(({ name, role, projects, addresses, hasPassword, issuer }) =>
    [
      name,
      role,
      projects.join(' '),
      addresses.join(' '),
      issuer ?? (hasPassword ? 'password' : 'no password yet'),
    ].map(plain),
  );
  return textTable([['user', 'role', 'projects', 'addresses', 'signs in by'], ...rows]);
}

export const user: Command = { help, run };

const consoleHelp = `Usage: scanflow console [list] [--json] [--config FILE]
       scanflow console link SCANNER [--config FILE]
       scanflow console revoke SCANNER [--config FILE]

Links to the console of a scanner: a page for a wall or a side table that shows the day of that scanner, without signing in.

  list            shows the consoles that have a link, and how many browsers have opened it
  link            prints a new link for a scanner of the configuration; the former one and its browsers no longer count
  revoke          ends the link of a scanner, and closes the page in all browsers that have it

  --json          prints JSON, for list
  --config FILE   the configuration of the dashboard (default /etc/scanflow/scanflow.yaml)

Example:  docker compose exec dashboard scanflow console link prisma
Exit:     0 done, 1 it could not be done, 2 nothing was done (usage, configuration)
`;

const CONSOLE_OPTIONS = { json: { type: 'boolean', default: false }, ...CONFIG } as const;

async function runConsole(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArgs(args, CONSOLE_OPTIONS, 2);
  const [action = 'list', name = ''] = positionals;
  const isList = action === 'list' && name === '';
  if (!isList && ((action !== 'link' && action !== 'revoke') || name === ''))
    throw new UsageError('console takes list, link SCANNER, or revoke SCANNER');
  const config = await openConfig(values.config);
  try {
    if (isList) io.out.write(listedConsoles(await readConsoles(config, io.signal), values.json));
    else {
      const { link } = await postConsole(config, name, action === 'link' ? 'link' : 'revoke', io.signal);
      if (link !== undefined) io.out.write(`${link}\n`);
    }
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    io.err.write(`scanflow: ${plain(error.message)}\n`);
    return EXIT.failed;
  }
}

function listedConsoles(consoles: readonly Console[], json: boolean): string {
  if (json) return `${JSON.stringify(consoles, null, 2)}\n`;
  const rows = consoles.map(({ name, made, open, seen = 'never' }) =>
    [name, made, String(open), seen].map(plain),
  );
  return textTable([['console', 'link made', 'browsers', 'last seen'], ...rows]);
}

export const consoleCommand: Command = { help: consoleHelp, run: runConsole };
