/** `scanflow find`: where is it? Looks for bookings, items, exams and series by whatever people know of them. */
import { localTime } from '@scanflow/runtime/time';
import { EXIT, readArgs, UsageError, type Command, type ExitCode, type Io } from '../command.ts';
import { CONFIG, openConfig } from '../installation.ts';
import { accessionsOf, findEverything, type Everything } from '../series/everything.ts';
import { seriesTable } from '../series/show.ts';
import { plain, textTable } from '../terminal.ts';

const help = `Usage: scanflow find TERM [--json] [--config FILE]

Looks for TERM in bookings, the worklist, exams and series. TERM is one of these, as it is written:

  an accession number, a project, a subject, a day like 2026-11-28,
  a file or folder in project storage, a Study, Series or SOP Instance UID, or the id of a series

It asks cal2wl, the worklist service and the streamer. The streamer finds a SOP Instance UID while Orthanc has the image.

  --json          prints JSON, with times in UTC
  --config FILE   the configuration (default /etc/scanflow/scanflow.yaml)

Example:  docker compose exec streamer scanflow find sub-001
Exit:     0 found, 1 not found, or a service did not answer, 2 not started (usage, configuration)
`;

const OPTIONS = { ...CONFIG, json: { type: 'boolean', default: false } } as const;
const LONGEST = 500;

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArgs(args, OPTIONS, 1);
  const term = positionals[0]?.trim() ?? '';
  if (term === '' || term.length > LONGEST || /\p{Cc}/u.test(term))
    throw new UsageError(`find takes a term of 1 to ${LONGEST} characters, such as an accession number`);
  const config = await openConfig(values.config);
  const { missing, ...found } = await findEverything(term, { config, own: io.service, signal: io.signal });
  if (values.json) io.out.write(`${JSON.stringify({ term, ...found, missing }, null, 2)}\n`);
  else io.out.write(foundText(term, found, config.facility.timezone));
  for (const what of missing) io.err.write(`scanflow: ${plain(what)}\n`);
  const some = Object.values(found).some((part) => part.length > 0);
  return some && missing.length === 0 ? EXIT.done : EXIT.failed;
}

/** Lines of each part. */
const MOST = 50;

/** A part for each service that knows something. Pure. */
export function foundText(term: string, found: Omit<Everything, 'missing'>, timezone: string): string {
  const at = (time: string | undefined): string => (time === undefined ? '' : localTime(time, timezone));
  const { bookings, items, exams, series } = found;
  const parts = [
    part('BOOKINGS', bookings, (some) =>
      textTable([
        ['START', 'SCANNER', 'OUTCOME', 'ACCESSION', 'LABELS', 'WHY'],
        ...some.map((one) => [
          at(one.start),
          one.scanner ?? '',
          one.outcome,
          one.accessionNumber ?? '',
          // without labels, the title shows what was typed
          [one.project, one.subject, one.session].filter(Boolean).join(' ') || (one.summary ?? ''),
          one.outcome === 'booking' ? '' : (one.code ?? ''),
        ]),
      ]),
    ),
    part('WORKLIST', items, (some) =>
      textTable([
        ['START', 'SCANNER', 'STATE', 'ACCESSION', 'PATIENT ID'],
        ...some.map(({ start = '', scanners = [], state, why, accessionNumber, patientId = '' }) => [
          start.replace('T', ' '),
          scanners.join(', '),
          state ?? `gone: ${why ?? ''}`,
          accessionNumber,
          patientId,
        ]),
      ]),
    ),
    part('EXAMS', exams, (some) =>
      textTable([
        ['STARTED', 'SCANNER', 'STATE', 'ACCESSION', 'IMAGES'],
        ...some.map((one) => [
          at(one.started ?? one.created),
          one.scanner ?? '',
          one.state.toLowerCase(),
          accessionsOf(one).join(', '),
          String(one.images ?? 0),
        ]),
      ]),
    ),
    part('SERIES', series, seriesTable),
  ].filter((text) => text !== '');
  if (parts.length > 0) return parts.join('\n');
  return `Nothing is known of ${plain(term)}. Labels and numbers count as they are written, and whole.\n`;
}

function part<Row>(name: string, rows: readonly Row[], table: (some: readonly Row[]) => string): string {
  if (rows.length === 0) return '';
  const more = rows.length - MOST;
  return `${name} (${rows.length})\n${table(rows.slice(0, MOST))}${more > 0 ? `… and ${more} more; --json shows all\n` : ''}`;
}

export const find: Command = { help, run };
