/** `scanflow erase`: a subject withdrew consent. Shows what there is, asks, then erases all of it. */
import { readdir } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { defined } from '@scanflow/failure/defined';
import { EXIT, UsageError, type Command, type ExitCode, type Io, readArgs } from '../command.ts';
import { answerTo } from '../terminal.ts';
import { asking, createAsk, STREAMER, STREAMER_HELP, streamerApi, user, type Ask } from '../series/client.ts';

const help = `Usage: scanflow erase --project P --subject S [--session T] --reason WHY [--yes] [--backups FOLDER]

Erases everything about a subject: images, records, bookings and exam records, in Orthanc, project storage, its copy,
the ledger and the worklist. First it shows how much there is, and who else holds it; then it asks for the subject's code.
The streamer does the work, and continues after a crash. The command waits until nothing is left.

Images that are sent again are quarantined: ERASED. Scanflow remembers an erased subject only by keyed hashes.
Erase destinations, backups and the calendar itself yourself: docs/privacy.md.

  --reason WHY       why, for the record; without names or codes
  --yes              does not ask for confirmation
  --preview          shows what would be erased, and ends
  --backups FOLDER   lists the backups in that folder that still hold the subject
  ${STREAMER_HELP}

Example:  docker compose exec streamer scanflow erase --project 3010000.01 --subject sub-001 --reason 'consent withdrawn'
Exit:     0 erased, 1 refused or not done yet, 2 not started (usage, no streamer, not confirmed)
`;

const TEXT = { type: 'string' } as const;
const OPTIONS = {
  ...STREAMER,
  project: TEXT,
  subject: TEXT,
  session: TEXT,
  reason: TEXT,
  backups: TEXT,
  yes: { type: 'boolean', default: false },
  preview: { type: 'boolean', default: false },
} as const;

/** The streamer looks at all of project storage. */
const STREAMER_MS = 600_000;
const LOOK_MS = 1_000;
/** Other services look for erasures once a minute, or whenever they read calendars. */
const LONGEST_MS = 600_000;

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values } = readArgs(args, OPTIONS);
  const { project, subject, session, reason } = values;
  if (project === undefined || subject === undefined)
    throw new UsageError('erase takes --project and --subject');
  if (reason === undefined && !values.preview) throw new UsageError('erase takes --reason');
  const wanted = { project, subject, ...defined({ session }) };
  return asking(io, async () => {
    const ask = createAsk(await streamerApi(values), io.signal);
    const preview = await ask('/api/erase/preview', wanted, STREAMER_MS);
    io.out.write(await previewText(preview, values.backups));
    if (values.preview) return EXIT.done;
    if (!values.yes && !(await confirmed(subject, io))) {
      io.err.write('scanflow: not confirmed; nothing is erased\n');
      return EXIT.notStarted;
    }
    const { id } = await ask('/api/erase', { ...wanted, reason, by: user() }, STREAMER_MS);
    return waitFor(String(id), ask, io);
  });
}

async function previewText(
  preview: Readonly<Record<string, unknown>>,
  backups: string | undefined,
): Promise<string> {
  const counts = entriesOf(preview['counts']);
  const lines = counts.map(([what, count]) => `  ${count} ${what}`);
  const destinations = entriesOf(preview['destinations']).map(
    ([name, images]) => `  ${name}: up to ${images} images`,
  );
  const hooks = Array.isArray(preview['hooks']) ? preview['hooks'].map((name) => `  ${String(name)}`) : [];
  const people = Array.isArray(preview['kept']) ? preview['kept'].map((path) => `  ${String(path)}`) : [];
  const kept = backups === undefined ? [] : (await readdir(backups)).map((name) => `  ${name}`);
  const section = (title: string, rows: readonly string[]): string[] =>
    rows.length === 0 ? [] : [title, ...rows];
  return `${[
    ...(lines.length === 0
      ? ['Nothing of it is here; what comes later will be quarantined.']
      : ['Here:', ...lines]),
    ...section('Sent to, and erased there by whoever runs it:', destinations),
    ...section('Hooks that ran, and may have made files from it:', hooks),
    ...section('Files of people in the BIDS dataset, which stay; remove them yourself:', people),
    ...section('Backups:', kept),
    'Backups and the booking calendar keep it until you remove it there.',
  ].join('\n')}\n`;
}

const entriesOf = (value: unknown): [string, number][] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).map(([name, count]) => [name, Number(count)])
    : [];

const confirmed = async (subject: string, io: Io): Promise<boolean> =>
  (await answerTo(`Type ${subject} to erase it for good: `, io)) === subject;

async function waitFor(id: string, ask: Ask, io: Io): Promise<ExitCode> {
  const until = performance.now() + LONGEST_MS;
  let said = '';
  while (performance.now() < until) {
    const { state, waits } = await ask(`/api/erase/${encodeURIComponent(id)}`);
    if (state === 'erased') {
      io.out.write(`Erased, and looked for again: nothing is left. On record as ${id}.\n`);
      return EXIT.done;
    }
    const now = Array.isArray(waits) ? waits.join(', ') : '';
    if (now !== said && now !== '') io.err.write(`still there: ${now}\n`);
    said = now;
    await pause(LOOK_MS, undefined, { signal: io.signal });
  }
  io.err.write(`scanflow: not all is gone yet (${said}). It goes on by itself; docs/privacy.md\n`);
  return EXIT.failed;
}

export const erase: Command = { help, run };
