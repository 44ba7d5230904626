/** `scanflow storage` and `scanflow ledger`: what to do about a root that the streamer refuses, and about a ledger that was lost. */
import { setTimeout as pause } from 'node:timers/promises';
import { askRebuild } from '@scanflow/runtime';
import { EXIT, UsageError, type Command, type ExitCode, type Io, readArgs } from '../command.ts';
import {
  actionsOf,
  createAsk,
  NotAsked,
  STREAMER,
  STREAMER_HELP,
  streamerApi,
  user,
  type Ask,
} from '../series/client.ts';
import { CONFIG, requireConfig } from '../installation.ts';

const help = `Usage: scanflow storage list [--json]
       scanflow storage take ROOT

Talks to the streamer on this machine, or in this container.

  list               shows each root, and why the streamer refuses to write to one
  take ROOT          accepts a root that is empty, older than the ledger, or was used by another Scanflow. The streamer
                     continues there. It checks every series that it stored there, and pulls missing images while
                     Orthanc has them. A root whose owner is running is never accepted.

  --json             prints JSON, for list
  ${STREAMER_HELP}

Example:  docker compose exec streamer scanflow storage take /project
Exit:     0 done, 1 the streamer refused, 2 not started (usage, no such root, no streamer)
`;

const OPTIONS = {
  ...STREAMER,
  json: { type: 'boolean', default: false },
} as const;

interface RootRow {
  readonly root: string;
  readonly code?: string;
  readonly message?: string;
}

/** The streamer watches the other owner of a root for longer than its heartbeats may take. */
const LONGEST_MS = 60_000;
const EVERY_MS = 2_000;

const actions: Readonly<Record<string, (args: readonly string[], io: Io) => Promise<ExitCode>>> = {
  list: async (args, io) => {
    const { values } = readArgs(args, OPTIONS);
    const { roots } = await createAsk(await streamerApi(values), io.signal)('/api/storage');
    if (!Array.isArray(roots)) throw new NotAsked('what answers there is no streamer of this version');
    io.out.write(
      values.json ? `${JSON.stringify(roots, null, 2)}\n` : (roots as RootRow[]).map(line).join(''),
    );
    return (roots as RootRow[]).some(({ code }) => code !== undefined) ? EXIT.failed : EXIT.done;
  },
  take: async (args, io) => {
    const { values, positionals } = readArgs(args, OPTIONS, 1);
    const [root] = positionals;
    if (root === undefined) throw new UsageError('take takes a root; scanflow storage list shows them');
    const { said } = await take(createAsk(await streamerApi(values), io.signal), root, io);
    io.out.write(`${String(said)}\n`);
    return EXIT.done;
  },
};

const line = ({ root, code, message }: RootRow): string =>
  code === undefined ? `ok      ${root}\n` : `FAILED  ${root}\n        ${code}: ${message ?? ''}\n`;

/** Repeats the request until the streamer knows whether another owner is running. */
async function take(ask: Ask, root: string, io: Io): Promise<Record<string, unknown>> {
  const began = performance.now();
  for (;;) {
    const answer = await ask('/api/storage/take', { root, by: user() });
    const { watching } = answer;
    if (typeof watching !== 'string' || performance.now() - began > LONGEST_MS)
      return typeof watching === 'string' ? { said: watching } : answer;
    if (performance.now() - began < EVERY_MS) io.err.write(`${watching} …\n`);
    await pause(EVERY_MS, undefined, { signal: io.signal });
  }
}

export const storage: Command = { help, run: actionsOf('storage', actions) };

const ledgerHelp = `Usage: scanflow ledger rebuild [--older] [--anew] [--config FILE]

Makes the streamer rebuild its ledger at its next start, from Orthanc and the series.json files of project storage.
Run it where the streamer runs, while the streamer is stopped.

  A damaged ledger is kept aside, beside the new one. A whole one stays, and gets what it lacks.
  Stored series are recognised: nothing is stored twice, and no hook runs again.
  A rebuilt ledger does not know where a series was sent. Such a series shows SENT_UNKNOWN: look at the destination;
  scanflow series retry sends missing images.

  --older          the ledger was restored from a backup or a dump, so it does not know what was sent since then
  --anew           also puts a whole ledger aside
  --config FILE    the configuration (default /etc/scanflow/scanflow.yaml)

Example:  docker compose stop streamer
          docker compose run --rm --no-deps streamer scanflow ledger rebuild
          docker compose start streamer
Exit:     0 asked, 2 not started (usage, configuration)
`;

const LEDGER_OPTIONS = {
  ...CONFIG,
  older: { type: 'boolean', default: false },
  anew: { type: 'boolean', default: false },
} as const;

async function runLedger([verb, ...args]: readonly string[], io: Io): Promise<ExitCode> {
  if (verb !== 'rebuild') throw new UsageError('ledger takes: scanflow ledger rebuild');
  const { config, older, anew } = readArgs(args, LEDGER_OPTIONS).values;
  const { data } = await requireConfig(config);
  const asked = Temporal.Now.instant().toString({ smallestUnit: 'second' });
  const path = await askRebuild(data, { anew, lost: older || anew, asked, by: user() });
  io.out.write(
    `${path} is written: the ledger is rebuilt when the streamer starts next.\n` +
      'Start or restart it now. Its log says "ledger rebuilt" at the end.\n',
  );
  return EXIT.done;
}

export const ledger: Command = { help: ledgerHelp, run: runLedger };
