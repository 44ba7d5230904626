/** Which series a command is about, and one order for all of them: the command counts them first, and asks. */
import { given, defined } from '@scanflow/failure/defined';
import { millisecondsOf } from '@scanflow/runtime/time';
import { pool } from '@scanflow/runtime/pool';
import { UsageError, EXIT, type ExitCode, type Io } from '../command.ts';
import { answerTo, bar, plain, Progress } from '../terminal.ts';
import { NotAsked, Refused, user, type Client, type SeriesRow } from './client.ts';
import { stateOf } from './show.ts';

const TEXT = { type: 'string' } as const;
const STATES = ['collecting', 'working', 'complete', 'failed', 'quarantined'];

export const FILTER_OPTIONS = {
  state: TEXT,
  project: TEXT,
  subject: TEXT,
  session: TEXT,
  scanner: TEXT,
  accession: TEXT,
  since: TEXT,
} as const;

export type Filters = { readonly [Name in keyof typeof FILTER_OPTIONS]?: string | undefined };

export const FILTER_HELP = `--state STATE      only collecting, working, complete, failed or quarantined ones
    --project P, --subject S, --session T
                     only those that are stored under these labels
    --scanner NAME   only those that this scanner sent: its name in the configuration, or an AE title
    --accession A    only those with this accession number
    --since WHEN     only those whose first image came since then: 2h, 7d, or a day like 2026-11-28`;

interface Now {
  readonly now: Temporal.Instant;
  readonly timezone: string;
}

/** As the streamer takes them. Throws UsageError. */
export function queryOf(filters: Filters, at: Now): Readonly<Record<string, string>> {
  const { state, since } = filters;
  if (state !== undefined && !STATES.includes(state))
    throw new UsageError(`--state takes one of ${STATES.join(', ')}, not ${state}`);
  const texts = (['state', 'project', 'subject', 'session', 'scanner', 'accession'] as const).flatMap(
    (key) => {
      const text = filters[key]?.trim();
      if (text === '') throw new UsageError(`--${key} is empty`);
      return text === undefined ? [] : [[key, text] as const];
    },
  );
  const from = given(since, (text) => momentOf(text, at).toString());
  return { ...Object.fromEntries(texts), ...(from === undefined ? {} : { from }) };
}

/** `2h` before now, or the midnight with which a day begins in the facility. */
function momentOf(text: string, { now, timezone }: Now): Temporal.Instant {
  const ms = millisecondsOf(text);
  if (ms !== undefined) return now.subtract({ milliseconds: ms });
  const day = dayIn(text);
  if (day === undefined)
    throw new UsageError(`--since takes a time like 2h or 7d, or a day like 2026-11-28, not ${text}`);
  return day.toZonedDateTime(timezone).toInstant();
}

/** A day as people write it: 2026-11-28, or 20261128. */
export function dayIn(text: string): Temporal.PlainDate | undefined {
  if (!/^(?:\d{4}-\d{2}-\d{2}|(?:19|20)\d{6})$/.test(text)) return undefined;
  try {
    return Temporal.PlainDate.from(text);
  } catch {
    return undefined;
  }
}

// One order for all series that the options find: counts them first, and asks.

type Order = 'retry' | 'skip';

interface Many {
  readonly order: Order;
  /** As the streamer takes it. */
  readonly query: Readonly<Record<string, string>>;
  readonly target?: string | undefined;
  readonly reason?: string | undefined;
  /** Does not ask. */
  readonly yes: boolean;
}

/** Series of one order. */
const MOST = 10_000;
const AT_ONCE = 4;
const MOST_SHOWN = 10;

/** Which legs an order is about: what failed or waits in vain; or everything that is not done. */
const LEGS: Readonly<Record<Order, string>> = { retry: 'stuck', skip: 'open' };

/** Does it to each that was counted; a series that joins them later is left alone. */
export async function orderMany(many: Many, client: Client, io: Io): Promise<ExitCode> {
  const { order, query, target, reason, yes } = many;
  const wanted = { ...query, leg: LEGS[order], ...defined({ target }) };
  const chosen = await client.list({ ...wanted, limit: String(MOST) });
  if (chosen.length === 0) {
    io.out.write(`Nothing to ${order}: no series of these ${WAITS[order](target ?? 'anything')}.\n`);
    return EXIT.done;
  }
  io.out.write(countText(many, chosen));
  if (!yes && !/^y(?:es)?$/i.test(await answerTo(`${NAMES[order]} ${seriesOf(chosen.length)}? [y/N] `, io))) {
    io.err.write('scanflow: not confirmed; nothing is done. --yes does not ask\n');
    return EXIT.notStarted;
  }
  const progress = new Progress(io);
  let done = 0;
  const body = { by: user(), ...defined({ target, reason }) };
  const answers = await pool(chosen, AT_ONCE, async ({ id }) => {
    const refused = await refusalOf(() => client.change(id, order, body));
    done += 1;
    progress.update(() => bar(done, chosen.length));
    return refused === undefined ? [] : [`${id.slice(0, 8)}: ${refused}`];
  });
  progress.end();
  const refused = answers.flat();
  io.out.write(`${DONE[order]} for ${chosen.length - refused.length} of ${seriesOf(chosen.length)}\n`);
  for (const line of refused.slice(0, MOST_SHOWN)) io.err.write(`scanflow: ${plain(line)}\n`);
  if (refused.length > MOST_SHOWN) io.err.write(`scanflow: and ${refused.length - MOST_SHOWN} more\n`);
  return refused.length === 0 ? EXIT.done : EXIT.failed;
}

/** A streamer that falls silent ends the whole order: it throws Unreachable. */
async function refusalOf(change: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await change();
    return undefined;
  } catch (error) {
    if (error instanceof Refused || (error instanceof NotAsked && error.name === 'NotAsked'))
      return error.message;
    throw error;
  }
}

const NAMES: Readonly<Record<Order, string>> = { retry: 'Retry', skip: 'Give up' };
const DONE: Readonly<Record<Order, string>> = { retry: 'Tried again now', skip: 'Given up' };
const WAITS: Readonly<Record<Order, (target: string) => string>> = {
  retry: (target) => `failed at ${target}, or waits for its next try`,
  skip: (target) => `waits for ${target}`,
};

/** How many there are, in which states, and why. Pure. */
export function countText(
  { order, target }: Pick<Many, 'order' | 'target'>,
  chosen: readonly SeriesRow[],
): string {
  const states = counted(chosen.map(stateOf));
  const reasons = counted(
    chosen.flatMap(({ legs }) =>
      legs.flatMap((leg) =>
        leg.failure === undefined || leg.state === 'done' || (target !== undefined && leg.target !== target)
          ? []
          : [`${leg.target}: ${leg.failure.code}`],
      ),
    ),
  );
  const what =
    target === undefined ? '' : order === 'retry' ? ` of ${target}` : `, for which ${target} is given up`;
  return [
    `${seriesOf(chosen.length)}${what}: ${states.join(', ')}`,
    ...reasons.slice(0, MOST_SHOWN).map((line) => `  ${line}`),
    ...(chosen.length === MOST ? [`  these are the first ${MOST}; repeat the command for the rest`] : []),
    '',
  ].join('\n');
}

const seriesOf = (count: number): string => `${count} series`;

/** `12 failed`, the most first. */
function counted(words: readonly string[]): string[] {
  const counts = Map.groupBy(words, (word) => word);
  return [...counts]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([word, all]) => `${all.length} ${word}`);
}
