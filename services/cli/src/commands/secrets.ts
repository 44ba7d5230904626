/** `scanflow secrets init FOLDER`: makes the stack's passwords once. */
import { createToken } from '@scanflow/chassis';
import { EXIT, UsageError, type Command, type ExitCode, type Io } from '../command.ts';
import { readArgs } from '../options.ts';
import { initSecrets } from '../secrets.ts';

const help = `Usage: scanflow secrets init FOLDER [--token FILE]

Makes the passwords of the stack, at random, where they do not exist yet. What exists is never changed.
The compose stack runs it by itself, once; docs/install.md tells how to read and to replace them.

  --token FILE   the internal token of the services' pages, likewise

Example:  scanflow secrets init /run/secrets/scanflow --token /data/token/http-token
`;

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { positionals, values } = readArgs(args, { token: { type: 'string' } }, 2);
  const [verb, folder] = positionals;
  if (verb !== 'init' || folder === undefined)
    throw new UsageError('secrets takes: scanflow secrets init FOLDER');
  for (const line of await initSecrets(folder)) io.err.write(`${line}\n`);
  const { token } = values;
  if (token !== undefined)
    io.err.write(`${token}: ${(await createToken(token)) ? 'made' : 'is there, left as it is'}\n`);
  return EXIT.done;
}

export const secrets: Command = { help, run };
