/** `scanflow check FILE`: is this configuration good? */
import {
  configWarnings,
  formatIssue,
  formatWarning,
  loadConfig,
  patternsIn,
  type Config,
} from '@scanflow/chassis';
import { attributeVrs } from '@scanflow/dicom';
import { EXIT, UsageError, type Command, type ExitCode, type Io } from '../command.ts';
import { readArgs } from '../options.ts';

const help = `Usage: scanflow check FILE [--json]

Reads a configuration as every service does and lists every mistake in it, each with file, line and column.
Of a good file, it says which patterns run with a time limit, and what is less safe than in a new installation.

  --json   the mistakes as a JSON array of {file, line, column, path, message}; warnings go to standard error

Example:  scanflow check config/scanflow.yaml
Exit:     0 the file is good, 1 it has mistakes, 2 wrong usage
`;

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArgs(args, { json: { type: 'boolean', default: false } }, 1);
  const [file] = positionals;
  if (file === undefined) throw new UsageError('check takes the configuration file: scanflow check FILE');
  const loaded = await loadConfig(file, attributeVrs());
  const issues = loaded.ok ? [] : loaded.issues;
  if (values.json) io.out.write(`${JSON.stringify(issues, null, 2)}\n`);
  else if (loaded.ok) io.out.write(`${file}: good\n${enginesOf(loaded.config)}\n`);
  else io.out.write(`${issues.map(formatIssue).join('\n')}\n${file}: ${count(issues.length)}\n`);
  if (loaded.ok)
    for (const one of configWarnings(loaded.config))
      (values.json ? io.err : io.out).write(`${file}: warning: ${formatWarning(one)}\n`);
  return loaded.ok ? EXIT.done : EXIT.failed;
}

/** Which engines run the patterns: docs/decisions/0018-patterns.md. */
function enginesOf(config: Config): string {
  const all = patternsIn(config);
  const linear = all.filter(([, { engine }]) => engine === 'linear').length;
  const limited = all.length - linear;
  return `patterns: ${linear} without backtracking${limited === 0 ? '' : `, ${limited} with a time limit`}`;
}

const count = (mistakes: number): string => (mistakes === 1 ? '1 mistake' : `${mistakes} mistakes`);

export const check: Command = { help, run };
