/** `scanflow doctor`: what is wrong with this installation, and what to do about it? */
import { access } from 'node:fs/promises';
import { formatIssue, loadConfig, configWarnings } from '@scanflow/config';
import { attributeVrs } from '@scanflow/dicom';
import manifest from '../../package.json' with { type: 'json' };
import { CONFIG } from '../installation.ts';
import { EXIT, UsageError, type Command, type ExitCode, type Io, duration, readArgs } from '../command.ts';
import {
  failed,
  SERVICES,
  runChecks,
  type Place,
  type Result,
  type ServiceName,
  ok,
  sees,
  skipped,
  warning,
  type Check,
} from '@scanflow/transfer/doctor/check';
import { bidsChecks } from '../doctor/bids.ts';
import { calendarChecks, healthChecks, ledgerChecks } from '../doctor/health.ts';
import { clockChecks, orthancChecks } from '@scanflow/transfer/doctor/orthanc';
import { destinationChecks } from '@scanflow/transfer/doctor/destinations';
import { scannerChecks, receiverChecks, senderChecks } from '../doctor/senders.ts';
import { secretChecks, storageChecks } from '../doctor/files.ts';
import { resultsText } from '../doctor/results.ts';
import { examChecks, stuckChecks } from '../doctor/stuck.ts';

const help = `Usage: scanflow doctor [NAME …] [--config FILE] [--timeout TIME] [--here] [--json]

Checks the whole installation and reports what is wrong, and what to do: the configuration, secrets and certificates, the
data folder, project storage, clocks, each service, calendars, Orthanc and its settings, C-ECHO and a query with each
scanner's AE title, the ledger, what is stuck, BIDS, and every destination. It sends no image and leaves nothing behind.

  NAME             runs only these checks: secrets, data, storage, clock, cal2wl, worklist, receiver, streamer, dashboard,
                   calendars, orthanc, images, ledger, series, hooks, bids, destinations, or the name of a scanner or a destination
  --config FILE    the configuration (default /etc/scanflow/scanflow.yaml)
  --timeout TIME   longest time for each check, as 10s (default 15s)
  --here           leaves out the services of other containers
  --json           {ok, checks: [{check, state, message, todo, code}]}; state: ok, warning, failed or skipped

A container sees only what belongs to its service. On the host, sh doctor.sh runs it in all of them.

Example:  docker compose exec streamer scanflow doctor
          npx scanflow doctor pacs --config scanflow.yaml
Exit:     0 nothing failed (there may be warnings), 1 something failed, 2 not started (usage, no such file)
`;

const OPTIONS = {
  ...CONFIG,
  timeout: { type: 'string', default: '15s' },
  here: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

const LEAST_MS = 1_000;

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArgs(args, OPTIONS, Infinity);
  const timeoutMs = duration('timeout', values.timeout);
  if (timeoutMs < LEAST_MS) throw new UsageError('--timeout takes at least 1s');
  const { config: file } = values;
  await access(file).catch(() => {
    throw new UsageError(`there is no ${file}; --config FILE names the configuration`);
  });
  const loaded = await loadConfig(file, attributeVrs());
  const results = loaded.ok
    ? await examine(
        file,
        { config: loaded.config, service: serviceOf(io.service), timeoutMs, here: values.here },
        positionals,
        io,
      )
    : loaded.issues.map((issue): Result => ({
        check: 'configuration',
        ...failed(
          formatIssue(issue),
          `Correct it; scanflow check ${file} looks again. Nothing else can be looked at.`,
        ),
      }));
  const good = results.every(({ state }) => state !== 'failed');
  if (values.json) io.out.write(`${JSON.stringify({ ok: good, checks: results }, null, 2)}\n`);
  else {
    const colours = io.out.isTTY;
    io.out.write(resultsText(results, { colours, columns: io.columns || 100 }));
  }
  return good ? EXIT.done : EXIT.failed;
}

async function examine(file: string, place: Place, names: readonly string[], io: Io): Promise<Result[]> {
  const checks = [configurationCheck(file, place), ...checksOf(place, manifest.version)];
  const wanted = chosen(checks, names);
  if ('unknown' in wanted)
    throw new UsageError(
      `there is nothing called ${wanted.unknown} to look at; there are ${checks.map(({ name }) => name).join(', ')}`,
    );
  return runChecks(wanted, { timeoutMs: place.timeoutMs, signal: io.signal });
}

const serviceOf = (name: string | undefined): ServiceName | undefined =>
  SERVICES.find((service) => service === name);

export const doctor: Command = { help, run };

/** All checks that can be made from here, in the order in which they are shown. `version`: of this command. */
export function checksOf(place: Place, version: string): Check[] {
  return [
    ...secretChecks(place),
    ...storageChecks(place),
    ...clockChecks(place),
    ...healthChecks(place, version),
    ...receiverChecks(place, version),
    ...calendarChecks(place),
    ...orthancChecks(place),
    ...scannerChecks(place),
    ...examChecks(place),
    ...ledgerChecks(place),
    ...stuckChecks(place),
    ...bidsChecks(place, version),
    ...senderChecks(place),
    ...destinationChecks(place),
    ...(place.here === true ? [] : elsewhere(place)),
  ];
}

/** Says where to look for the services of other containers. */
const elsewhere = (place: Place): Check[] =>
  SERVICES.filter((service) => !sees(place, service)).map((service) => ({
    name: service,
    run: () =>
      Promise.resolve(
        skipped(
          'what belongs to it is seen from its own container only',
          `docker compose exec ${service} scanflow doctor`,
        ),
      ),
  }));

/** The checks with these names, each a whole name or one of its words. `unknown`: there is no such check. */
export function chosen(checks: readonly Check[], names: readonly string[]): Check[] | { unknown: string } {
  const matches = ({ name }: Check, wanted: string): boolean =>
    name === wanted || name.split(' ').includes(wanted.replace(/s$/, '')) || name.split(' ').includes(wanted);
  const unknown = names.find((wanted) => !checks.some((check) => matches(check, wanted)));
  if (unknown !== undefined) return { unknown };
  return checks.filter((check) => names.length === 0 || names.some((wanted) => matches(check, wanted)));
}

export const configurationCheck = (
  file: string,
  { config, service }: Pick<Place, 'config' | 'service'>,
): Check => ({
  name: 'configuration',
  run: () =>
    Promise.resolve([
      ok(`${file} is good, of ${config.facility.name}`),
      ...configWarnings(config, { inContainer: service !== undefined }).map(({ path, message }) => {
        const [what = '', ...todo] = message.split('; ');
        return warning(`${path}: ${what}.`, capital(`${todo.join('; ')}.`));
      }),
    ]),
});

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
