/** `scanflow console`: links to pages of single scanners, for a wall. */
import { EXIT, readArgs, UsageError, type Command, type ExitCode, type Io } from '../command.ts';
import { CONFIG, openConfig } from '../installation.ts';
import { plain, textTable } from '../terminal.ts';
import { postConsole, readConsoles, UserError, type Console } from '../users.ts';

const help = `Usage: scanflow console [list] [--json] [--config FILE]
       scanflow console link SCANNER [--config FILE]
       scanflow console revoke SCANNER [--config FILE]

Links to the console of a scanner: a page for a wall or a side table that shows the day of that scanner, without signing in.

  list            shows the consoles that have a link, and how many browsers have opened it
  link            prints a new link for a scanner of the configuration; the former one and its browsers no longer count
  revoke          ends the link of a scanner, and closes the page in all browsers that have it

  --json          prints JSON, for list
  --config FILE   the configuration of the dashboard (default /etc/scanflow/scanflow.yaml)

Example:  docker compose exec dashboard scanflow console link prisma
Exit:     0 done, 1 it could not be done, 2 nothing was done (usage, configuration)
`;

const OPTIONS = { json: { type: 'boolean', default: false }, ...CONFIG } as const;

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArgs(args, OPTIONS, 2);
  const [action = 'list', name = ''] = positionals;
  const isList = action === 'list' && name === '';
  if (!isList && ((action !== 'link' && action !== 'revoke') || name === ''))
    throw new UsageError('console takes list, link SCANNER, or revoke SCANNER');
  const config = await openConfig(values.config);
  try {
    if (isList) io.out.write(listed(await readConsoles(config, io.signal), values.json));
    else {
      const { link } = await postConsole(config, name, action === 'link' ? 'link' : 'revoke', io.signal);
      if (link !== undefined) io.out.write(`${link}\n`);
    }
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    io.err.write(`scanflow: ${plain(error.message)}\n`);
    return EXIT.failed;
  }
}

function listed(consoles: readonly Console[], json: boolean): string {
  if (json) return `${JSON.stringify(consoles, null, 2)}\n`;
  const rows = consoles.map(({ name, made, open, seen = 'never' }) =>
    [name, made, String(open), seen].map(plain),
  );
  return textTable([['console', 'link made', 'browsers', 'last seen'], ...rows]);
}

export const consoleCommand: Command = { help, run };
