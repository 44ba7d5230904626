/** `scanflow doctor`: what is wrong with this installation, and what to do about it? */
import { access } from 'node:fs/promises';
import { formatIssue, loadConfig } from '@scanflow/config';
import { attributeVrs } from '@scanflow/dicom';
import manifest from '../../package.json' with { type: 'json' };
import { CONFIG } from '../config.ts';
import { EXIT, UsageError, type Command, type ExitCode, type Io } from '../command.ts';
import { checksOf, chosen, configurationCheck } from '../doctor/checks.ts';
import {
  failed,
  SERVICES,
  resultsText,
  runChecks,
  type Place,
  type Result,
  type ServiceName,
} from '../doctor/check.ts';
import { duration, readArgs } from '../options.ts';

const help = `Usage: scanflow doctor [NAME …] [--config FILE] [--timeout TIME] [--json]

Checks the whole installation and reports what is wrong, and what to do: the configuration, secrets and certificates, the
data folder, project storage, clocks, each service, calendars, Orthanc and its settings, C-ECHO and a query with each
scanner's AE title, the ledger, what is stuck, and every destination. It sends no image and leaves nothing behind.

  NAME             runs only these checks: secrets, data, storage, clock, cal2wl, worklist, streamer, calendars, orthanc, images,
                   ledger, series, destinations, or the name of a scanner or a destination
  --config FILE    the configuration (default /etc/scanflow/scanflow.yaml)
  --timeout TIME   longest time for each check, as 10s (default 15s)
  --json           {ok, checks: [{check, state, message, todo, code}]}; state: ok, warning, failed or skipped

A container sees only what belongs to its service: run it in streamer, then in worklist and cal2wl.

Example:  docker compose exec streamer scanflow doctor
          npx scanflow doctor pacs --config scanflow.yaml
Exit:     0 nothing failed (there may be warnings), 1 something failed, 2 not started (usage, no such file)
`;

const OPTIONS = {
  ...CONFIG,
  timeout: { type: 'string', default: '15s' },
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
        { config: loaded.config, service: serviceOf(io.service), timeoutMs },
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
