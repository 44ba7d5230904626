/** `scanflow verify`: are the stored files still what was stored? */
import { defined, given } from '@scanflow/failure/defined';
import { sleep } from '@scanflow/runtime';
import { EXIT, UsageError, type Command, type ExitCode, type Io, duration, readArgs } from '../command.ts';
import {
  asking,
  createClient,
  NotAsked,
  Refused,
  STREAMER,
  STREAMER_HELP,
  streamerApi,
  Unreachable,
  user,
  type Client,
} from '../series/client.ts';
import { bar, plain, Progress, textTable, timeLeft } from '../terminal.ts';

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

  ${STREAMER_HELP}

After a restart the streamer continues where it was, and the command waits for it. Ctrl-C stops both.

Example:  scanflow verify --project 3010000.01 --repair
          docker compose exec streamer scanflow verify --since 7d
Exit:     0 every file is as it was stored, or acknowledged; 1 something is missing, changed, or could not be read;
          2 nothing was started (usage, nothing stored, no streamer)
`;

const COMMON = {
  ...STREAMER,
  json: { type: 'boolean', default: false },
  project: { type: 'string' },
} as const;

/** Longest wait for the streamer to stop the job. */
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
    ...defined({ series, project, sinceMs: given(since, (since) => duration('since', since)) }),
  };
  const api = await streamerApi(values);
  const client = createClient(api, io.signal);
  const begun = await (job === undefined
    ? client.ask('/api/verify', wanted)
    : client.ask(`/api/verify/${encodeURIComponent(job)}`));
  // from here on, something was started
  try {
    const watched = await watch(begun['job'] as Job, client, io);
    io.out.write(values.json ? `${JSON.stringify(watched, null, 2)}\n` : verifyPage(watched));
    return isGood(watched) ? EXIT.done : EXIT.failed;
  } catch (error) {
    const { id } = begun['job'] as Job;
    if (io.signal.aborted) {
      const last = createClient(api, AbortSignal.timeout(STOP_MS));
      // if that fails, the streamer does the rest, which is harmless
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

export interface Job {
  readonly id: string;
  readonly total: number;
  readonly done: number;
  readonly good: number;
  readonly acknowledged: number;
  readonly repaired: number;
  /** It reads slowly because images are arriving. */
  readonly slow?: boolean;
}

export interface Result {
  readonly series: string;
  readonly place: string;
  readonly done: boolean;
  readonly outcome?: {
    readonly state: 'good' | 'acknowledged' | 'failing' | 'unknown';
    readonly code?: string;
    readonly message?: string;
    readonly files: number;
    readonly findings: readonly { readonly file: string; readonly kind: string }[];
    readonly repair?: { readonly restored: number; readonly left: number; readonly message?: string };
  };
}

export interface Watched {
  readonly job: Job;
  readonly results: readonly Result[];
}

const POLL_MS = 500;
/** Counting a million series takes the streamer a moment. */
const MOST_POLL_MS = 10_000;
const SERIES_PER_MS = 50;
/** How long to wait for a streamer that restarts: it continues the job. */
const GONE_MS = 300_000;

/** Watches a job to its end. Throws NotAsked or Refused, and the reason of the signal. */
export async function watch(first: Job, client: Client, io: Io): Promise<Watched> {
  const progress = new Progress(io);
  let job = first;
  let answered = performance.now();
  try {
    while (job.done < job.total) {
      await sleep(Math.min(Math.max(POLL_MS, job.total / SERIES_PER_MS), MOST_POLL_MS), io.signal);
      io.signal.throwIfAborted();
      try {
        job = (await client.ask(`/api/verify/${first.id}`))['job'] as Job;
        answered = performance.now();
        show(progress, job);
      } catch (error) {
        if (
          !(error instanceof Unreachable || error instanceof Refused) ||
          performance.now() - answered > GONE_MS
        )
          throw error;
        progress.update(() => 'waiting for the streamer, which does not answer; it goes on by itself');
      }
    }
    return (await client.ask(`/api/verify/${first.id}?results=1`)) as unknown as Watched;
  } finally {
    progress.end();
  }
}

function show(progress: Progress, { done, total, good, acknowledged, slow }: Job): void {
  const bad = done - good - acknowledged;
  progress.update(
    (seconds) =>
      `${bar(done, total)}${bad > 0 ? `  ${bad} not good` : ''}${slow === true ? '  slowly: images arrive' : ''}${timeLeft(done, total, seconds)}`,
  );
}

const HEAD = ['ID', 'WHERE', 'OUTCOME', 'FILES', 'WRONG'];
/** Characters of an id. */
const SHORT = 8;
const MOST_FILES = 5;

/** A line for each series that is not good, below it what is wrong, and the total. Pure. */
export function verifyPage({ job, results }: Watched): string {
  const wrong = results.filter(({ outcome }) => outcome?.state !== 'good');
  const table = wrong.length === 0 ? '' : textTable([HEAD, ...wrong.map(rowOf)], [3, 4]);
  const details = wrong.filter(({ outcome }) => outcome?.state !== 'acknowledged').map(detailOf);
  return [table, ...details, summaryOf({ job, results })].filter((part) => part !== '').join('\n');
}

const rowOf = ({ series, place, outcome }: Result): string[] => [
  series.slice(0, SHORT),
  place,
  outcome?.state === 'acknowledged' ? 'acknowledged' : (outcome?.code ?? 'not looked at'),
  String(outcome?.files ?? 0),
  String(outcome?.findings.length ?? 0),
];

function detailOf({ series, place, outcome }: Result): string {
  if (outcome === undefined) return '';
  const { findings, repair, message = '' } = outcome;
  const files = findings.slice(0, MOST_FILES).map(({ file, kind }) => `  ${kind}: ${plain(file)}\n`);
  const more = findings.length > MOST_FILES ? '  …; scanflow series show has more\n' : '';
  const put =
    repair === undefined
      ? ''
      : `  put back: ${repair.restored}, left: ${repair.left}${repair.message === undefined ? '' : `. ${plain(repair.message)}`}\n`;
  const text = plain(message).replaceAll(/\bID\b/g, series.slice(0, SHORT));
  return `${series.slice(0, SHORT)} (${place}): ${text}\n${files.join('')}${more}${put}`;
}

function summaryOf({ job, results }: Watched): string {
  const { total, good, acknowledged, repaired } = job;
  const left = total - good - acknowledged;
  const parts = [
    `${good} of ${total} good`,
    ...(acknowledged > 0 ? [`${acknowledged} acknowledged`] : []),
    ...(left > 0 ? [`${left} not good`] : []),
    ...(repaired > 0 ? [`${repaired} files put back`] : []),
  ];
  const cut = results.length < total ? ` (${results.length} of ${total} are listed)` : '';
  return `${parts.join(', ')}${cut}\n`;
}

/** Whether every file is as it was stored, or acknowledged. */
export const isGood = ({ job }: Watched): boolean => job.good + job.acknowledged === job.total;

export const verify: Command = { help, run };
