/** `scanflow page`: shows a page of a service, with the internal token. */
import { messageOf } from '@scanflow/failure';
import { notAdmitted, openApi, CONFIG, openConfig } from '../installation.ts';
import { EXIT, UsageError, type Command, type ExitCode, type Io, readArgs } from '../command.ts';

const help = `Usage: scanflow page SERVICE PATH [--config FILE]

Shows a page of a service that runs on this machine, or in this container: cal2wl /api/bookings, /api/calendars;
worklist /api/worklist, /api/queries, /api/rejected, /api/performed; streamer /api/series, /api/sessions.csv, /api/hooks; and /healthz
and /metrics of each.

  --config FILE   the configuration of the service (default /etc/scanflow/scanflow.yaml)

Example:  docker compose exec cal2wl scanflow page cal2wl /api/bookings
Exit:     0 shown, 1 the service refused or failed, 2 not started (usage, configuration, no such service)
`;

const TIMEOUT_MS = 30_000;

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArgs(args, CONFIG, 2);
  const [service = '', path = ''] = positionals;
  const config = await openConfig(values.config);
  const { ports } = config.http;
  if (!isService(service, ports) || !path.startsWith('/'))
    throw new UsageError(`page takes a service (${Object.keys(ports).join(', ')}) and a path like /healthz`);
  const api = await openApi(config, service);
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  try {
    const response = await fetch(`${api.url}${path}`, { signal, headers: api.headers, redirect: 'error' });
    const text = await response.text();
    if (response.status === 401) throw new Error(notAdmitted(api));
    io.out.write(text.endsWith('\n') ? text : `${text}\n`);
    return response.ok ? EXIT.done : EXIT.failed;
  } catch (error) {
    const { cause } = error instanceof Error ? error : {};
    io.err.write(`scanflow: ${service} at ${api.url}: ${messageOf(cause ?? error)}\n`);
    return EXIT.failed;
  }
}

const isService = <Ports extends object>(name: string, ports: Ports): name is string & keyof Ports =>
  Object.hasOwn(ports, name);

export const page: Command = { help, run };
