/** `scanflow calendars`: the state of each calendar, and a person's word for what one of them lost. */
import { join } from 'node:path';
import { calendarId, type Config } from '@scanflow/config';
import { codeOf } from '@scanflow/failure';
import { acceptRemovals } from '@scanflow/records';
import { askPage, notAdmitted, openApi, type Api, CONFIG, openConfig } from '../installation.ts';
import { EXIT, UsageError, type Command, type ExitCode, type Io, readArgs } from '../command.ts';
import { ageText, type CalendarState } from '../doctor/health.ts';
import { plain, textTable } from '../terminal.ts';

const help = `Usage: scanflow calendars [list] [--json] [--config FILE]
       scanflow calendars accept NAME [--config FILE]

  list               shows each calendar: its state, the age of its last good answer, its bookings, held-back removals, and why
                     it cannot be read
  accept             removes from the worklist the bookings that the calendar NAME lost and the shrink guard holds back, without
                     waiting for a second answer. It counts once, for the removals that are held back now

  --json             prints JSON, for list
  --config FILE      the configuration of cal2wl (default /etc/scanflow/scanflow.yaml)

Example:  docker compose exec cal2wl scanflow calendars accept prisma
Exit:     0 done, 1 it could not be done, 2 nothing was done (usage, configuration, no such calendar, nothing held back)
`;

const OPTIONS = {
  json: { type: 'boolean', default: false },
  ...CONFIG,
} as const;

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArgs(args, OPTIONS, 2);
  const [action = 'list', name] = positionals;
  if (action === 'list' && name === undefined) return list(await openConfig(values.config), values.json, io);
  if (action !== 'accept' || name === undefined)
    throw new UsageError('calendars takes list, or accept and the name of a calendar');
  return accept(await openConfig(values.config), name, io);
}

async function list(config: Config, json: boolean, io: Io): Promise<ExitCode> {
  const states = await asked(config, io);
  if (states === undefined) return EXIT.failed;
  io.out.write(json ? `${JSON.stringify(states, null, 2)}\n` : calendarsTable(states));
  return EXIT.done;
}

async function accept(config: Config, name: string, io: Io): Promise<ExitCode> {
  if (!Object.hasOwn(config.calendars, name))
    throw new UsageError(
      `there is no calendar ${name} in the configuration (there: ${Object.keys(config.calendars).join(', ')})`,
    );
  const states = await asked(config, io);
  if (states === undefined) return EXIT.failed;
  const held = states.find(({ calendar }) => calendar === name)?.held ?? 0;
  if (held === 0) throw new UsageError(`nothing of ${name} is held back: there is nothing to accept`);
  const folder = join(config.data, 'cal2wl');
  try {
    await acceptRemovals(folder, calendarId(config, name));
  } catch (error) {
    const code = codeOf(error) ?? 'unknown';
    io.err.write(
      `scanflow: ${folder} cannot be written (${code}): run this where cal2wl runs, as the user that it runs as\n`,
    );
    return EXIT.failed;
  }
  io.out.write(`${name}: ${held} removed from the worklist at the next pass\n`);
  return EXIT.done;
}

/** The state of each calendar; undefined if cal2wl does not answer, which is reported. */
async function asked(config: Config, io: Io): Promise<readonly CalendarState[] | undefined> {
  const states = await askCalendars(await openApi(config, 'cal2wl'), io.signal);
  if (!('trouble' in states)) return states;
  io.err.write(`scanflow: ${states.trouble}\n`);
  return undefined;
}

/** The state of each calendar, by cal2wl; the reason if it does not answer, or not as cal2wl does. */
async function askCalendars(
  api: Api,
  signal: AbortSignal,
): Promise<readonly CalendarState[] | { readonly trouble: string }> {
  const page = await askPage(`${api.url}/api/calendars`, signal, { ...api, timeoutMs: TIMEOUT_MS });
  if ('status' in page && page.status === 401) return { trouble: notAdmitted(api) };
  const calendars = 'status' in page && page.status === 200 ? page.body['calendars'] : undefined;
  if (Array.isArray(calendars)) return calendars as CalendarState[];
  return {
    trouble: `cal2wl does not answer at ${api.url}: is it running, and here? In containers: docker compose exec cal2wl scanflow calendars`,
  };
}

const TIMEOUT_MS = 10_000;
const COLUMNS = ['calendar', 'scanner', 'state', 'last good', 'bookings', 'rejected', 'held'];

/** A line for each calendar, and below it why it cannot be read, and what is odd about it. */
export function calendarsTable(states: readonly CalendarState[]): string {
  const rows = states.map(
    ({ calendar, scanner = '', state, ageSeconds, bookings = 0, rejected = 0, held = 0 }) => [
      ...[calendar, scanner, state, ageSeconds === undefined ? 'never' : `${ageText(ageSeconds)} ago`],
      ...[bookings, rejected, held].map(String),
    ],
  );
  const [head = '', ...lines] = textTable([COLUMNS, ...rows])
    .trimEnd()
    .split('\n');
  const entries = states.flatMap(({ failure, notes = [] }, index) => [
    lines[index] ?? '',
    ...(failure === undefined ? notes : [failure, ...notes]).map(
      ({ code, message }) => `    ${plain(code)}: ${plain(message)}`,
    ),
  ]);
  return `${[head, ...entries].join('\n')}\n`;
}

export const calendars: Command = { help, run };
