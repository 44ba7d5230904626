/** `scanflow secrets init FOLDER`: makes the stack's passwords once. */
import { EXIT, UsageError, type Command, type ExitCode, type Io } from '../command.ts';
import { readArgs } from '../options.ts';
import { initSecrets } from '../secrets.ts';

const help = `Usage: scanflow secrets init FOLDER

Makes the passwords of the stack, at random, where they do not exist yet. What exists is never changed.
The compose stack runs it by itself, once; docs/install.md tells how to read and to replace them.

Example:  scanflow secrets init /run/secrets/scanflow
`;

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const [verb, folder] = readArgs(args, {}, 2).positionals;
  if (verb !== 'init' || folder === undefined)
    throw new UsageError('secrets takes: scanflow secrets init FOLDER');
  for (const line of await initSecrets(folder)) io.err.write(`${line}\n`);
  return EXIT.done;
}

export const secrets: Command = { help, run };
