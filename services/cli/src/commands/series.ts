/** `scanflow series`: where are my images, and what to do about those that are not there yet? */
import { defined, given } from '@scanflow/failure/defined';
import { EXIT, UsageError, type Command, type ExitCode, type Io, readArgs, wholeNumber } from '../command.ts';
import type { Likely } from '@scanflow/booking';
import { loadConfig } from '@scanflow/config';
import { IN_CONTAINER, openPeer } from '../installation.ts';
import {
  actionsOf,
  createClient,
  STREAMER,
  STREAMER_HELP,
  streamerApi,
  user,
  type Client,
  type Labels,
  type SeriesRow,
} from '../series/client.ts';
import { askBookings, likelyOf, likelyText, queriesFor } from '../series/likely.ts';
import { orderMany, FILTER_HELP, FILTER_OPTIONS, queryOf, type Filters } from '../series/many.ts';
import { seriesPage, seriesTable } from '../series/show.ts';
import { answerTo, plain } from '../terminal.ts';

const help = `Usage: scanflow series list [FILTER …] [--limit N] [--json]
       scanflow series show ID [--json]
       scanflow series release ID --project P --subject S --session T [--yes]
       scanflow series move ID --project P --subject S --session T --reason "…" [--keep] [--send] [--yes]
       scanflow series retry ID [--target NAME]
       scanflow series retry [FILTER …] [--target NAME] [--yes]
       scanflow series skip ID --target NAME [--reason "…"]
       scanflow series skip [--all | FILTER …] --target NAME [--reason "…"] [--yes]

Talks to the streamer on this machine, or in this container. The first characters of an ID are enough. scanflow find
looks for series by whatever you know of them.

  list               lists series, the latest first
    ${FILTER_HELP}
    --limit N        most series to list (default 50)
  show               shows one series: where its images are, what is stuck, the output of hooks. Of a quarantined one:
                     who sent it, when it was scanned, and which bookings may be its own
  release            stores a quarantined series under this project, subject and session: shows the folder, and asks on a
                     terminal. A series that was sent again with other identifiers (ROUTE_CORRECTED) stays where it is
  move               moves a stored series from wrong labels to these: shows both folders, and asks on a terminal. Then the
                     streamer stores it again, verifies every image, and removes the old folder. Files there that Scanflow
                     did not write, or that changed, stay and are listed
    --reason "…"     why; kept with the series
    --keep           keeps the old folder
    --send           sends the series to destinations again, and runs hooks
  retry              retries at once what failed or waits: storing, sending and hooks, also the hooks of its session.
                     If nothing failed, it checks the files, and pulls missing ones again while Orthanc has them.
                     Without ID: all series of the filters that failed or wait; counts them first, and asks
    --target NAME    retries only this: storage, the name of a destination, or hook:NAME. A destination that was added
                     later gets the series now, if its rule allows it
  skip               gives up a destination or a hook: nothing waits for it any more, and images that are due for deletion
                     leave Orthanc. Works for those that left the configuration, too. Without ID: all series of the
                     filters; counts them first, and asks
    --target NAME    the name of a destination, commitment:NAME, or hook:NAME
    --all            of every series; for a hook: of every series and session, once it has left the configuration
    --reason "…"     why a destination is given up

  --yes              does not ask
  --json             prints JSON, for list, show, release and move
  ${STREAMER_HELP}

Example:  scanflow series list --state failed --since 2d
          docker compose exec streamer scanflow series retry --target pacs --state failed
Exit:     0 done, 1 the streamer refused or failed, 2 not started (usage, no such series, no streamer, not confirmed)
`;

const COMMON = {
  ...STREAMER,
  json: { type: 'boolean', default: false },
} as const;
const TEXT = { type: 'string' } as const;
const LABELS = { project: TEXT, subject: TEXT, session: TEXT } as const;
const YES = { type: 'boolean', default: false } as const;
type CommonValues = ReturnType<typeof readArgs<typeof COMMON>>['values'];
type PlaceValues = CommonValues & { readonly yes: boolean };

const actions: Readonly<Record<string, (args: readonly string[], io: Io) => Promise<ExitCode>>> = {
  list: async (args, io) => {
    const { values } = readArgs(args, { ...COMMON, ...FILTER_OPTIONS, limit: TEXT });
    const limit = wholeNumber('limit', values.limit, { min: 1, max: 10_000, otherwise: 50 });
    const client = await clientOf(values, io);
    const series = await client.list({ ...filtersOf(values, client), limit: String(limit) });
    io.out.write(values.json ? `${JSON.stringify(series, null, 2)}\n` : seriesTable(series));
    return EXIT.done;
  },
  show: async (args, io) => {
    const { values, positionals } = readArgs(args, COMMON, 1);
    const client = await clientOf(values, io);
    const series = await client.one(idOf(positionals, 'show'));
    const likely = series.state === 'quarantined' ? await likelyFor(series, values, io) : undefined;
    if (values.json) io.out.write(`${JSON.stringify({ ...series, ...defined({ likely }) }, null, 2)}\n`);
    else {
      io.out.write(seriesPage(series, client.timezone));
      if (likely !== undefined) io.out.write(`\n${likelyText(series.id, likely, client.timezone)}`);
    }
    return EXIT.done;
  },
  release: async (args, io) => {
    const { values, positionals } = readArgs(args, { ...COMMON, ...LABELS, yes: YES }, 1);
    const { project, subject, session } = values;
    if (project === undefined || subject === undefined || session === undefined)
      throw new UsageError('release takes --project, --subject and --session');
    const id = idOf(positionals, 'release');
    const labels = { project, subject, session };
    const body = { ...labels, by: user() };
    return place({ id, order: 'release', labels, body }, values, io);
  },
  move: async (args, io) => {
    const { values, positionals } = readArgs(
      args,
      {
        ...COMMON,
        ...LABELS,
        reason: TEXT,
        keep: { type: 'boolean', default: false },
        send: { type: 'boolean', default: false },
        yes: YES,
      },
      1,
    );
    const { project, subject, session, reason, keep, send } = values;
    if (project === undefined || subject === undefined || session === undefined || reason === undefined)
      throw new UsageError('move takes --project, --subject, --session and --reason');
    const id = idOf(positionals, 'move');
    const labels = { project, subject, session };
    const body = { ...labels, reason, keep, send, by: user() };
    return place({ id, order: 'move', labels, body }, values, io);
  },
  retry: async (args, io) => {
    const { values, positionals } = readArgs(
      args,
      { ...COMMON, ...FILTER_OPTIONS, target: TEXT, yes: YES },
      1,
    );
    const { target, yes } = values;
    const client = await clientOf(values, io);
    const query = filtersOf(values, client);
    const [id] = positionals;
    if (id === undefined) {
      if (target === undefined && Object.keys(query).length === 0)
        throw new UsageError(
          'retry takes the id of a series, --target NAME, or filters such as --state failed',
        );
      return orderMany({ order: 'retry', query, target, yes }, client, io);
    }
    requireAlone(query, 'retry');
    const { targets } = await client.change(id, 'retry', { by: user(), ...defined({ target }) });
    io.out.write(`${id}: ${Array.isArray(targets) ? targets.join(', ') : 'it'} is tried again now\n`);
    return EXIT.done;
  },
  skip: async (args, io) => {
    const options = { ...COMMON, ...FILTER_OPTIONS, target: TEXT, reason: TEXT, all: YES, yes: YES } as const;
    const { values, positionals } = readArgs(args, options, 1);
    const { target = '', reason, yes, all } = values;
    if (target === '') throw new UsageError('skip takes --target: the name of a destination, or hook:NAME');
    const client = await clientOf(values, io);
    const query = filtersOf(values, client);
    const [id] = positionals;
    if (id !== undefined) {
      requireAlone({ ...query, ...(all ? { all: 'yes' } : {}) }, 'skip');
      await client.change(id, 'skip', { by: user(), target, ...defined({ reason }) });
      io.out.write(`${id}: ${target} is skipped\n`);
      return EXIT.done;
    }
    if (all && target.startsWith('hook:')) return skipHook(target, client, io);
    if (!all && Object.keys(query).length === 0)
      throw new UsageError('skip takes the id of a series, filters such as --state failed, or --all');
    return orderMany({ order: 'skip', query, target, reason, yes }, client, io);
  },
};

interface Placing {
  readonly id: string;
  readonly order: 'release' | 'move';
  readonly labels: Labels;
  readonly body: object;
}

const PLACED: Readonly<Record<Placing['order'], (id: string) => readonly [question: string, done: string]>> =
  {
    release: (id) => ['Release it?', `${id}: released; it is being stored`],
    move: (id) => ['Move it?', `${id}: is being moved; scanflow series show ${id} says when it is done`],
  };

/** Shows where the series lies and where it goes, by the streamer's own rule, and asks on a terminal before it goes there. */
async function place({ id, order, labels, body }: Placing, values: PlaceValues, io: Io): Promise<ExitCode> {
  const { yes, json } = values;
  const client = await clientOf(values, io);
  const seen = await client.ask(`/api/board/series/${encodeURIComponent(id)}/preview`, labels);
  const [to, from] = [String(seen['path']), given(seen['from'], String)];
  const where = order === 'move' ? [`${id} lies in ${plain(from ?? 'no folder yet')}`] : [];
  // JSON is the only thing that a program reads
  const out = json ? io.err : io.out;
  out.write([...where, `${id} goes to ${plain(to)}`, ''].join('\n'));
  const [question, done] = PLACED[order](id);
  // a program that ran this before there was a question cannot answer it
  if (io.terminal && !yes && !/^y(?:es)?$/i.test(await answerTo(`${question} [y/N] `, io))) {
    io.err.write('scanflow: not confirmed; nothing is done\n');
    return EXIT.notStarted;
  }
  await client.change(id, order, body);
  const report = { id: seen['id'], order, ...defined({ from }), to };
  io.out.write(json ? `${JSON.stringify(report, null, 2)}\n` : `${done}\n`);
  return EXIT.done;
}

async function skipHook(target: string, client: Client, io: Io): Promise<ExitCode> {
  const { skipped } = await client.ask('/api/hooks/skip', { by: user(), target });
  io.out.write(`${target}: ${String(skipped)} ${skipped === 1 ? 'run is' : 'runs are'} skipped\n`);
  return EXIT.done;
}

const filtersOf = (values: Filters, { timezone }: Client): Readonly<Record<string, string>> =>
  queryOf(values, { now: Temporal.Now.instant(), timezone });

/** An ID names one series, and filters name many. */
function requireAlone(filters: object, action: string): void {
  const [filter] = Object.keys(filters);
  if (filter !== undefined)
    throw new UsageError(`${action} takes the id of a series or filters (${filter}), not both`);
}

/** What cal2wl knows of the time of the scan; undefined where it cannot be asked, which is reported. */
async function likelyFor(
  series: SeriesRow,
  { config: file }: { readonly config?: string | undefined },
  io: Io,
): Promise<Likely[] | undefined> {
  const loaded = await loadConfig(file ?? IN_CONTAINER);
  if (!loaded.ok) return undefined;
  const { config } = loaded;
  const found = await askBookings(
    await openPeer(config, 'cal2wl', io.service),
    queriesFor(series),
    io.signal,
  );
  if ('trouble' in found) {
    io.err.write(`scanflow: ${found.trouble}: no likely bookings are shown\n`);
    return undefined;
  }
  return likelyOf(series, found, config.scanners);
}

function idOf([id]: readonly string[], action: string): string {
  if (id === undefined)
    throw new UsageError(`${action} takes the id of a series; scanflow series list shows them`);
  return id;
}

const clientOf = async (values: CommonValues, io: Io): Promise<Client> =>
  createClient(await streamerApi(values), io.signal);

export const series: Command = { help, run: actionsOf('series', actions) };
