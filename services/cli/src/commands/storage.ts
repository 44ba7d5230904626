/** `scanflow storage`: the roots of project storage, and what to do about one that the streamer refuses. */
import { setTimeout as pause } from 'node:timers/promises';
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
