/** `scanflow series`: where are my images, and what to do about those that are not there yet? */
import { defined } from '@scanflow/failure/defined';
import { EXIT, UsageError, type Command, type ExitCode, type Io, readArgs, wholeNumber } from '../command.ts';
import {
  actionsOf,
  createClient,
  STREAMER,
  STREAMER_HELP,
  streamerApi,
  user,
  type Client,
} from '../series/client.ts';
import { seriesPage, seriesTable } from '../series/show.ts';

const help = `Usage: scanflow series list [--state STATE] [--limit N] [--json]
       scanflow series show ID [--json]
       scanflow series release ID --project P --subject S --session T
       scanflow series move ID --project P --subject S --session T --reason "…" [--keep] [--send]
       scanflow series retry ID [--target NAME]
       scanflow series skip ID --target hook:NAME
       scanflow series skip --all --target hook:NAME

Talks to the streamer on this machine, or in this container. The first characters of an ID are enough.

  list               lists series, the latest first
    --state STATE    only collecting, working, complete, failed or quarantined ones
    --limit N        most series to list (default 50)
  show               shows one series: where its images are, what is stuck, the output of hooks
  release            stores a quarantined series under this project, subject and session. A series that was sent again with
                     other identifiers (ROUTE_CORRECTED) stays where it is
  move               moves a stored series from wrong labels to these: stores it again, verifies every image, and removes the
                     old folder. Files there that Scanflow did not write, or that changed, stay and are listed
    --reason "…"     why; kept with the series
    --keep           keeps the old folder
    --send           sends the series to destinations again, and runs hooks
  retry              retries at once what failed or waits: storing, sending and hooks, also the hooks of its session.
                     If nothing failed, it checks the files, and pulls missing ones again while Orthanc has them
    --target NAME    retries only this: storage, the name of a destination, or hook:NAME. A destination that was added
                     later gets the series now, if its rule allows it
  skip               stops retrying a hook, also a hook of the session: nothing waits for it any more, and images that
                     are due for deletion leave Orthanc
    --all            of every series and session, for a hook that is no longer in the configuration

  --json             prints JSON, for list and show
  ${STREAMER_HELP}

Example:  scanflow series list --state failed
          docker compose exec streamer scanflow series retry 0c4f6b1d --target pacs
Exit:     0 done, 1 the streamer refused or failed, 2 not started (usage, no such series, no streamer)
`;

const COMMON = {
  ...STREAMER,
  json: { type: 'boolean', default: false },
} as const;
const TEXT = { type: 'string' } as const;
const LABELS = { project: TEXT, subject: TEXT, session: TEXT } as const;
const STATES = ['collecting', 'working', 'complete', 'failed', 'quarantined'];

const actions: Readonly<Record<string, (args: readonly string[], io: Io) => Promise<ExitCode>>> = {
  list: async (args, io) => {
    const { values } = readArgs(args, { ...COMMON, state: TEXT, limit: TEXT });
    const { state } = values;
    if (state !== undefined && !STATES.includes(state))
      throw new UsageError(`--state takes one of ${STATES.join(', ')}, not ${state}`);
    const limit = wholeNumber('limit', values.limit, { min: 1, max: 10_000, otherwise: 50 });
    const series = await (await clientOf(values, io)).list({ state, limit });
    io.out.write(values.json ? `${JSON.stringify(series, null, 2)}\n` : seriesTable(series));
    return EXIT.done;
  },
  show: async (args, io) => {
    const { values, positionals } = readArgs(args, COMMON, 1);
    const series = await (await clientOf(values, io)).one(idOf(positionals, 'show'));
    io.out.write(values.json ? `${JSON.stringify(series, null, 2)}\n` : seriesPage(series));
    return EXIT.done;
  },
  release: async (args, io) => {
    const { values, positionals } = readArgs(args, { ...COMMON, ...LABELS }, 1);
    const { project, subject, session } = values;
    if (project === undefined || subject === undefined || session === undefined)
      throw new UsageError('release takes --project, --subject and --session');
    const id = idOf(positionals, 'release');
    await (await clientOf(values, io)).change(id, 'release', { project, subject, session, by: user() });
    io.out.write(`${id}: released; it is being stored\n`);
    return EXIT.done;
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
      },
      1,
    );
    const { project, subject, session, reason, keep, send } = values;
    if (project === undefined || subject === undefined || session === undefined || reason === undefined)
      throw new UsageError('move takes --project, --subject, --session and --reason');
    const id = idOf(positionals, 'move');
    const body = { project, subject, session, reason, keep, send, by: user() };
    await (await clientOf(values, io)).change(id, 'move', body);
    io.out.write(`${id}: is being moved; scanflow series show ${id} says when it is done\n`);
    return EXIT.done;
  },
  retry: async (args, io) => {
    const { values, positionals } = readArgs(args, { ...COMMON, target: TEXT }, 1);
    const { target } = values;
    const id = idOf(positionals, 'retry');
    const body = { by: user(), ...defined({ target }) };
    const { targets } = await (await clientOf(values, io)).change(id, 'retry', body);
    io.out.write(`${id}: ${Array.isArray(targets) ? targets.join(', ') : 'it'} is tried again now\n`);
    return EXIT.done;
  },
  skip: async (args, io) => {
    const all = { type: 'boolean', default: false } as const;
    const { values, positionals } = readArgs(args, { ...COMMON, target: TEXT, all }, 1);
    const { target = '' } = values;
    if (!target.startsWith('hook:')) throw new UsageError('skip takes --target hook:NAME');
    if (values.all) {
      if (positionals.length > 0) throw new UsageError('skip takes the id of a series, or --all');
      const { skipped } = await (await clientOf(values, io)).ask('/api/hooks/skip', { by: user(), target });
      io.out.write(`${target}: ${String(skipped)} ${skipped === 1 ? 'run is' : 'runs are'} skipped\n`);
      return EXIT.done;
    }
    const id = idOf(positionals, 'skip');
    await (await clientOf(values, io)).change(id, 'skip', { by: user(), target });
    io.out.write(`${id}: ${target} is skipped\n`);
    return EXIT.done;
  },
};

function idOf([id]: readonly string[], action: string): string {
  if (id === undefined)
    throw new UsageError(`${action} takes the id of a series; scanflow series list shows them`);
  return id;
}

const clientOf = async (
  values: ReturnType<typeof readArgs<typeof COMMON>>['values'],
  io: Io,
): Promise<Client> => createClient(await streamerApi(values), io.signal);

export const series: Command = { help, run: actionsOf('series', actions) };
