/** `scanflow worklist explain`: why is it not on the scanner's list? */
import { loadConfig } from '@scanflow/config';
import { openApi } from '../api.ts';
import { EXIT, UsageError, type Command, type ExitCode, type Io } from '../command.ts';
import { readArgs } from '../options.ts';
import { askExplanation, explanationPage } from '../worklist/explanation.ts';

const help = `Usage: scanflow worklist explain ACCESSION --scanner NAME [--key KEY=VALUE …] [--json] [--config FILE]

Explains why an item is not on a scanner's list, or confirms that it is. Without --key it judges the scanner's last query:
press "refresh" at the console first.

  ACCESSION        the accession number, as in /api/worklist and bookings/
  --scanner NAME   the scanner by its name in the configuration, or an AE title
  --key KEY=VALUE  a query key in findscu's notation: ScheduledProcedureStepSequence.Modality=MR
  --json           prints JSON
  --config FILE    the configuration of the worklist service (default /etc/scanflow/scanflow.yaml)

It shows values of keys only if they identify nobody: stations, days, times, modality.

Example:  docker compose exec worklist scanflow worklist explain 4K2M7Q9X --scanner prisma
Exit:     0 it is in the list, 1 it is not, or the service does not answer, 2 nothing was asked (usage, configuration)
`;

const OPTIONS = {
  scanner: { type: 'string' },
  key: { type: 'string', multiple: true },
  json: { type: 'boolean', default: false },
  config: { type: 'string', default: '/etc/scanflow/scanflow.yaml' },
} as const;

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArgs(args, OPTIONS, 2);
  const [action, accession] = positionals;
  const { scanner, key: keys = [], json, config: file } = values;
  if (action !== 'explain' || accession === undefined || scanner === undefined)
    throw new UsageError('worklist takes explain, an accession number, and --scanner NAME');
  const loaded = await loadConfig(file);
  if (!loaded.ok) throw new UsageError(`${file} cannot be used; scanflow check ${file} tells why`);
  const api = await openApi(loaded.config, 'worklist');
  const explained = await askExplanation(api, { accession, scanner, keys }, io.signal);
  if ('wrong' in explained) throw new UsageError(explained.wrong);
  if ('trouble' in explained) {
    io.err.write(`scanflow: ${explained.trouble}\n`);
    return EXIT.failed;
  }
  io.out.write(json ? `${JSON.stringify(explained, null, 2)}\n` : explanationPage(explained));
  return explained.listed ? EXIT.done : EXIT.failed;
}

export const worklist: Command = { help, run };
