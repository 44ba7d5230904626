/** Where the streamer is asked, and by whom: for the commands that ask it. */
import { userInfo } from 'node:os';
import { loadConfig } from '@scanflow/config';
import { tokenFileOf } from '@scanflow/runtime';
import { addressOfService, apiAt, type Api } from '../api.ts';
import { EXIT, UsageError, type ExitCode, type Io } from '../command.ts';
import { NotAsked, Refused } from './client.ts';

const IN_CONTAINER = '/etc/scanflow/scanflow.yaml';
const DEFAULT_PORT = 9103;

export interface Where {
  readonly url?: string | undefined;
  readonly config?: string | undefined;
  readonly 'token-file'?: string | undefined;
}

/** As in the options, else by the configuration, else on this machine. Throws UsageError. */
export async function streamerApi(where: Where): Promise<Api> {
  const { url, config } = where;
  if (url !== undefined && !/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw new UsageError(`--url takes an address like http://127.0.0.1:9103, not ${url}`);
  const loaded = await loadConfig(config ?? IN_CONTAINER);
  if (!loaded.ok && config !== undefined)
    throw new UsageError(`${config} cannot be used; scanflow check ${config} tells why`);
  const own = loaded.ok ? addressOfService(loaded.config, 'streamer') : `http://127.0.0.1:${DEFAULT_PORT}`;
  const at = url ?? own;
  const asked = where['token-file'];
  if (asked === undefined && !isOurs(at, own))
    return { ...(await apiAt(at, undefined)), trouble: elsewhere(at) };
  return apiAt(at, asked ?? (loaded.ok ? tokenFileOf(loaded.config) : undefined));
}

/** Whoever gets the token may do all: it goes to this machine and to the configured address alone. */
function isOurs(url: string, own: string): boolean {
  const { hostname, origin } = new URL(url);
  return origin === new URL(own).origin || LOOPBACK.test(hostname);
}

const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

const elsewhere = (url: string): string =>
  `${url} is another machine, so the configuration's token was not sent there. --token-file FILE sends one`;

/** Runs what asks the streamer; what it refused is told, and becomes the exit code. */
export async function asking(io: Io, work: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof NotAsked || error instanceof Refused)) throw error;
    io.err.write(`scanflow: ${error.message}\n`);
    return error instanceof NotAsked ? EXIT.notStarted : EXIT.failed;
  }
}

/** Who did it, for the streamer's log. */
export function user(): string {
  try {
    return userInfo().username;
  } catch {
    // a container's user need not have a name
    return 'unknown';
  }
}
