/** `scanflow secrets init FOLDER`: makes the stack's passwords once, and hands each service its own. */
import { createToken } from '@scanflow/runtime';
import { EXIT, UsageError, type Command, type ExitCode, type Io } from '../command.ts';
import { readArgs } from '../options.ts';
import { handOut, initSecrets, READER_NAMES } from '../secrets.ts';

const help = `Usage: scanflow secrets init FOLDER [--token FILE] [--for SERVICE=FOLDER …]

Creates random passwords for the stack. It never changes one that exists, and adds those that a newer version needs.
The compose stack runs it at each start; docs/install.md explains how to read and replace them.

  --token FILE           also creates the internal token of the services' pages
  --for SERVICE=FOLDER   copies the secrets of SERVICE to a folder of its own (orthanc, streamer, receiver, postgres)

Example:  scanflow secrets init /run/secrets/scanflow --token /data/token/http-token --for orthanc=/run/secrets/orthanc
`;

const OPTIONS = { token: { type: 'string' }, for: { type: 'string', multiple: true } } as const;

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { positionals, values } = readArgs(args, OPTIONS, 2);
  const [verb, folder] = positionals;
  if (verb !== 'init' || folder === undefined)
    throw new UsageError('secrets takes: scanflow secrets init FOLDER');
  const readers = (values.for ?? []).map(readerOf);
  const lines = await initSecrets(folder);
  for (const [reader, to] of readers) lines.push(...(await handOut(folder, reader, to)));
  const { token } = values;
  if (token !== undefined)
    lines.push(`${token}: ${(await createToken(token)) ? 'made' : 'is there, left as it is'}`);
  for (const line of lines) io.err.write(`${line}\n`);
  return EXIT.done;
}

function readerOf(text: string): [reader: string, folder: string] {
  const [reader = '', folder = ''] = text.split('=', 2);
  if (!READER_NAMES.includes(reader) || folder === '')
    throw new UsageError(`--for takes SERVICE=FOLDER, of ${READER_NAMES.join(', ')}; not ${text}`);
  return [reader, folder];
}

export const secrets: Command = { help, run };
