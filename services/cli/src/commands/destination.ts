/** `scanflow destination`: pauses sending to a destination, and resumes it. */
import { defined } from '@scanflow/failure/defined';
import { EXIT, UsageError, type Command, type ExitCode, type Io, readArgs } from '../command.ts';
import {
  actionsOf,
  createAsk,
  NotAsked,
  STREAMER,
  STREAMER_HELP,
  streamerApi,
  user,
} from '../series/client.ts';
import { localTime } from '@scanflow/runtime/time';
import { plain, textTable } from '../terminal.ts';

const help = `Usage: scanflow destination list [--json]
       scanflow destination pause NAME --reason "…"
       scanflow destination resume NAME [--reason "…"]

Talks to the streamer on this machine, or in this container.

  list               shows each destination: whether it is paused, since when, by whom and why, and how many series wait
  pause              sends nothing more to NAME, until somebody resumes it. A series that is being sent now is sent to its
                     end. A pause outlives restarts
  resume             sends what waits for NAME

  --reason "…"       why; shown wherever people look
  --json             prints JSON, for list
  ${STREAMER_HELP}

Example:  docker compose exec streamer scanflow destination pause pacs --reason "the archive is updated"
Exit:     0 done, 1 the streamer refused, 2 not started (usage, no such destination, no streamer)
`;

const OPTIONS = {
  ...STREAMER,
  reason: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

export interface DestinationRow {
  readonly name: string;
  readonly paused?: {
    readonly since: string;
    readonly by: string;
    readonly reason: string;
    readonly waiting: number;
  };
}

const actions: Readonly<Record<string, (args: readonly string[], io: Io) => Promise<ExitCode>>> = {
  list: async (args, io) => {
    const { values } = readArgs(args, OPTIONS);
    const api = await streamerApi(values);
    const page = await createAsk(api, io.signal)('/api/destinations');
    const { destinations } = page;
    if (!Array.isArray(destinations)) throw new NotAsked('what answers there is no streamer of this version');
    io.out.write(
      values.json
        ? `${JSON.stringify(page, null, 2)}\n`
        : destinationTable(destinations as DestinationRow[], api.timezone),
    );
    return EXIT.done;
  },
  pause: (args, io) => order('pause', args, io),
  resume: (args, io) => order('resume', args, io),
};

async function order(action: 'pause' | 'resume', args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArgs(args, OPTIONS, 1);
  const [name] = positionals;
  const { reason } = values;
  if (name === undefined)
    throw new UsageError(`${action} takes the name of a destination; scanflow destination list shows them`);
  if (action === 'pause' && reason === undefined) throw new UsageError('pause takes --reason');
  const ask = createAsk(await streamerApi(values), io.signal);
  await ask(`/api/destinations/${encodeURIComponent(name)}/${action}`, {
    by: user(),
    ...defined({ reason }),
  });
  io.out.write(
    action === 'pause'
      ? `${name}: paused; what is being sent now ends first\n`
      : `${name}: resumed; what waits is sent now\n`,
  );
  return EXIT.done;
}

/** A line for each destination. Pure. */
export function destinationTable(
  all: readonly DestinationRow[],
  timezone = Temporal.Now.timeZoneId(),
): string {
  if (all.length === 0) return 'no destination is configured\n';
  const rows = all.map(({ name, paused }) =>
    paused === undefined
      ? [name, 'open', '', '', '', '']
      : [
          name,
          'paused',
          localTime(paused.since, timezone),
          plain(paused.by),
          String(paused.waiting),
          plain(paused.reason),
        ],
  );
  return textTable([['NAME', 'STATE', 'SINCE', 'BY', 'WAITING', 'REASON'], ...rows]);
}

export const destination: Command = { help, run: actionsOf('destination', actions) };
