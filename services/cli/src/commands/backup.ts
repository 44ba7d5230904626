/** `scanflow backup FOLDER`: what a facility has of its own, while everything runs. */
import { formatIssue, loadConfig } from '@scanflow/config';
import manifest from '../../package.json' with { type: 'json' };
import { writeBackup } from '../backup/write.ts';
import { EXIT, UsageError, type Command, type ExitCode, type Io } from '../command.ts';
import { readArgs } from '../options.ts';

const help = `Usage: scanflow backup FOLDER [--with-secrets] [--json] [--config FILE]

Writes a backup while everything runs, into a new folder below FOLDER, such as scanflow-20261128T020000Z. It holds the
ledger, bookings, exams, the rest of the data folder, and the configuration. The folder gets its name once it is whole.
Back up Orthanc, PostgreSQL and project storage with their own tools: docs/backup.md.

  --with-secrets   also saves passwords and keys: keep the backup where nobody else can read it
  --json           prints what was written as JSON
  --config FILE    the configuration (default /etc/scanflow/scanflow.yaml)

Example:  scanflow backup /backup
          docker compose run --rm backup
Exit:     0 written, 1 failed, 2 not begun (usage, configuration)
`;

const OPTIONS = {
  config: { type: 'string', default: '/etc/scanflow/scanflow.yaml' },
  'with-secrets': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArgs(args, OPTIONS, 1);
  const [folder] = positionals;
  if (folder === undefined) throw new UsageError('backup takes the folder to write into');
  const configFile = values.config;
  const loaded = await loadConfig(configFile);
  if (!loaded.ok) throw new UsageError(loaded.issues.map(formatIssue).join('\n'));
  const { path, manifest: written } = await writeBackup({
    folder,
    config: loaded.config,
    configFile,
    withSecrets: values['with-secrets'],
    now: Temporal.Now.instant(),
    version: manifest.version,
    signal: io.signal,
  });
  const bytes = written.files.reduce((sum, file) => sum + file.bytes, 0);
  if (values.json) {
    const { ledger, files } = written;
    io.out.write(`${JSON.stringify({ path, ledger, files: files.length, bytes }, null, 2)}\n`);
    return EXIT.done;
  }
  io.out.write(`${path}: ${written.files.length} files, ${(bytes / 1e6).toFixed(1)} MB\n`);
  if (written.ledger === 'postgresql')
    io.out.write('The ledger is in PostgreSQL, and not in this backup: docs/backup.md has the command.\n');
  if (!values['with-secrets']) io.out.write('Passwords and keys are not in it (--with-secrets).\n');
  return EXIT.done;
}

export const backup: Command = { help, run };
