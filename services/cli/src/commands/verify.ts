/** `scanflow verify`: is what was stored still what was stored? */
import { EXIT, UsageError, type Command, type ExitCode, type Io } from '../command.ts';
import { duration, readArgs } from '../options.ts';
import { createClient, NotAsked, Refused } from '../series/client.ts';
import { asking, streamerApi, user } from '../series/streamer-api.ts';
import { watch, type Job } from '../verify/job.ts';
import { isGood, verifyPage } from '../verify/show.ts';

const help = `Usage: scanflow verify [ID | --project P | --since 7d] [--repair] [--json]
       scanflow verify --job JOB [--json]
       scanflow verify acknowledge (ID | --project P) --reason TEXT

Makes the streamer read stored files again and compare them with their SHA-256: the images, series.tar and the copy.
The streamer also does so by itself (storage.verify in the configuration). The first characters of an ID are enough.

  ID               one series; without any of these, everything that is stored
  --project P      all series of one project
  --since 7d       series that were stored within that time
  --repair         restores missing and changed files, from Orthanc while it has them, or from the copy. A changed file
                   is never overwritten: it is kept as NAME_changed
  --job JOB        watches a verification that was started before
  --json           prints JSON

  acknowledge      accepts missing or changed files: they are no failure until something else goes wrong
    --reason TEXT  why; recorded with your name, in the ledger and in series.json

  --url URL        address of the streamer (default: from the configuration, else http://127.0.0.1:9103)
  --config FILE    the configuration (default /etc/scanflow/scanflow.yaml, if it exists)
  --token-file FILE  the internal token of the streamer (default: from the configuration)

After a restart the streamer continues where it was, and the command waits for it. Ctrl-C stops both.

Example:  scanflow verify --project 3010000.01 --repair
          docker compose exec streamer scanflow verify --since 7d
Exit:     0 every file is what was stored, or acknowledged; 1 something is missing, changed, or could not be read;
          2 nothing was started (usage, nothing stored, no streamer)
`;

const COMMON = {
  url: { type: 'string' },
  config: { type: 'string' },
  'token-file': { type: 'string' },
  json: { type: 'boolean', default: false },
  project: { type: 'string' },
} as const;

/** For telling the streamer that nobody waits any more. */
const STOP_MS = 5_000;

async function verifyAll(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArgs(
    args,
    {
      ...COMMON,
      since: { type: 'string' },
      repair: { type: 'boolean', default: false },
      job: { type: 'string' },
    },
    1,
  );
  const { project, since, repair, job } = values;
  const [series] = positionals;
  if ([series, project, since, job].filter((one) => one !== undefined).length > 1)
    throw new UsageError('verify takes one of ID, --project, --since and --job');
  const by = user();
  const wanted = {
    by,
    repair,
    ...(series === undefined ? {} : { series }),
    ...(project === undefined ? {} : { project }),
    ...(since === undefined ? {} : { sinceMs: duration('since', since) }),
  };
  const api = await streamerApi(values);
  const client = createClient(api, io.signal);
  const begun = await (job === undefined
    ? client.ask('/api/verify', wanted)
    : client.ask(`/api/verify/${encodeURIComponent(job)}`));
  // from here on something was started
  try {
    const watched = await watch(begun['job'] as Job, client, io);
    io.out.write(values.json ? `${JSON.stringify(watched, null, 2)}\n` : verifyPage(watched));
    return isGood(watched) ? EXIT.done : EXIT.failed;
  } catch (error) {
    const { id } = begun['job'] as Job;
    if (io.signal.aborted) {
      const last = createClient(api, AbortSignal.timeout(STOP_MS));
      // where that is not heard, the streamer does the rest, and nobody is harmed
      await last.ask(`/api/verify/${id}/stop`, { by }).catch(() => undefined);
      throw new Refused('stopped, and the streamer too');
    }
    if (!(error instanceof NotAsked)) throw error;
    throw new Refused(`${error.message}. Go on watching it with: scanflow verify --job ${id}`);
  }
}

async function acknowledge(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArgs(args, { ...COMMON, reason: { type: 'string' } }, 1);
  const { project, reason } = values;
  const [series] = positionals;
  if (reason === undefined || (series === undefined) === (project === undefined))
    throw new UsageError('acknowledge takes an ID or --project, and --reason TEXT');
  const client = createClient(await streamerApi(values), io.signal);
  const what = series === undefined ? { project } : { series };
  const { acknowledged } = await client.ask('/api/verify/acknowledge', { by: user(), reason, ...what });
  const parts = Array.isArray(acknowledged) ? (acknowledged as { series: string; place: string }[]) : [];
  io.out.write(
    values.json
      ? `${JSON.stringify(parts, null, 2)}\n`
      : parts.map((part) => `${part.series} (${part.place}): acknowledged\n`).join(''),
  );
  return EXIT.done;
}

const run = ([name, ...rest]: readonly string[], io: Io): Promise<ExitCode> =>
  asking(io, () =>
    name === 'acknowledge' ? acknowledge(rest, io) : verifyAll(name === undefined ? [] : [name, ...rest], io),
  );

export const verify: Command = { help, run };
