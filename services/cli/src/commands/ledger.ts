/** `scanflow ledger rebuild`: for a ledger that was lost, damaged, or restored from an older one. */
import { askRebuild } from '@scanflow/runtime';
import { CONFIG, requireConfig } from '../installation.ts';
import { EXIT, UsageError, type Command, type ExitCode, type Io, readArgs } from '../command.ts';
import { user } from '../series/client.ts';

const help = `Usage: scanflow ledger rebuild [--older] [--anew] [--config FILE]

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

const OPTIONS = {
  ...CONFIG,
  older: { type: 'boolean', default: false },
  anew: { type: 'boolean', default: false },
} as const;

async function run([verb, ...args]: readonly string[], io: Io): Promise<ExitCode> {
  if (verb !== 'rebuild') throw new UsageError('ledger takes: scanflow ledger rebuild');
  const { config, older, anew } = readArgs(args, OPTIONS).values;
  const { data } = await requireConfig(config);
  const asked = Temporal.Now.instant().toString({ smallestUnit: 'second' });
  const path = await askRebuild(data, { anew, lost: older || anew, asked, by: user() });
  io.out.write(
    `${path} is written: the ledger is rebuilt when the streamer starts next.\n` +
      'Start or restart it now. Its log says "ledger rebuilt" at the end.\n',
  );
  return EXIT.done;
}

export const ledger: Command = { help, run };
