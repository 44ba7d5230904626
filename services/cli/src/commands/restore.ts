/** `scanflow restore FOLDER`: puts a backup back where nothing runs. */
import { dirname, resolve } from 'node:path';
import { formatIssue, loadConfig, type Config } from '@scanflow/config';
import manifest from '../../package.json' with { type: 'json' };
import { lockLedger } from '../backup/ledger-file.ts';
import { requireSameKey, requireWritable, restore as putBack, targetsOf } from '../backup/restore.ts';
import { findBackup, verifyBackup } from '../backup/verify.ts';
import { EXIT, UsageError, type Command, type ExitCode, type Io } from '../command.ts';
import { askPage } from '../doctor/pages.ts';
import { pageOf } from '../doctor/place.ts';
import { readArgs } from '../options.ts';
import { user } from '../series/streamer-api.ts';

const help = `Usage: scanflow restore FOLDER [--with-secrets] [--with-config] [--config FILE]

Restores a backup: FOLDER itself, or the latest one in it. Stop cal2wl, worklist and streamer before.
It reads the whole backup and compares the checksums before it changes anything. What it replaces is kept beside it,
in a folder .before-restore-TIME. At its next start the streamer compares the ledger with what was stored since:
nothing is stored twice, and images that may have been sent since show as SENT_UNKNOWN.

  --with-secrets   also restores passwords and keys, if they are in the backup
  --with-config    also restores the configuration: its files go into the folder of FILE
  --config FILE    the configuration that names the folders (default /etc/scanflow/scanflow.yaml)

Example:  scanflow restore /backup/scanflow-20261128T020000Z
          docker compose run --rm restore
Exit:     0 restored, 1 refused or failed, 2 not begun (usage, configuration)
`;

const OPTIONS = {
  config: { type: 'string', default: '/etc/scanflow/scanflow.yaml' },
  'with-secrets': { type: 'boolean', default: false },
  'with-config': { type: 'boolean', default: false },
} as const;

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArgs(args, OPTIONS, 1);
  const [folder] = positionals;
  if (folder === undefined) throw new UsageError('restore takes the folder of a backup');
  const loaded = await loadConfig(values.config);
  if (!loaded.ok) throw new UsageError(loaded.issues.map(formatIssue).join('\n'));
  const { config } = loaded;
  const path = await findBackup(folder);
  const held = await verifyBackup(path, manifest.version, io.signal);
  const wanted = { secrets: values['with-secrets'], config: values['with-config'] };
  if (wanted.secrets && held.secrets.length === 0)
    throw new Error(`${path} holds no secrets; nothing was changed.`);
  const targets = targetsOf(held, {
    data: config.data,
    configFolder: dirname(resolve(values.config)),
    wanted,
    postgres: config.ledger.url !== undefined,
  });
  await requireStopped(config, io.signal);
  await requireWritable(targets);
  await requireSameKey(targets);
  const lock = await lockLedger(config.data);
  if (lock === undefined) throw new Error(runs('streamer'));
  try {
    const now = Temporal.Now.instant();
    const kept = await putBack(path, targets, { data: config.data, now, by: user(), signal: io.signal });
    for (const aside of kept) io.out.write(`what was there is kept in ${aside}\n`);
  } finally {
    lock.release();
  }
  io.out.write(`${path} of ${held.created} is restored. Start everything: the streamer compares first.\n`);
  if (held.ledger === 'postgresql')
    io.out.write('The ledger is in PostgreSQL: restore its dump before you start (docs/backup.md).\n');
  return EXIT.done;
}

const runs = (service: string): string =>
  `${service} runs; nothing was changed. Stop cal2wl, worklist and streamer, then restore.`;

const ASK_MS = 2_000;
/** Whose data are restored. */
const STOPPED = ['cal2wl', 'worklist', 'streamer'] as const;

/** On this machine, and by the names of the compose stack. */
async function requireStopped(config: Config, signal: AbortSignal): Promise<void> {
  for (const service of STOPPED) {
    const port = config.http.ports[service];
    if (port === 0) continue;
    for (const url of [pageOf({ config }, service, '/healthz'), `http://${service}:${port}/healthz`]) {
      const page = await askPage(url, AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)])).catch(
        () => undefined,
      );
      if (page !== undefined && 'status' in page) throw new Error(runs(service));
    }
  }
}

export const restore: Command = { help, run };
