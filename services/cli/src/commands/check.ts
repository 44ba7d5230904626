/** `scanflow check FILE`: is this configuration good? */
import { readFile } from 'node:fs/promises';
import {
  configWarnings,
  formatIssue,
  formatWarning,
  loadConfig,
  patternsIn,
  ruleFiles,
  type Config,
  type ConfigIssue,
} from '@scanflow/config';
import { messageOf } from '@scanflow/failure';
import { attributeVrs } from '@scanflow/dicom';
import { EXIT, UsageError, type Command, type ExitCode, type Io, duration, readArgs } from '../command.ts';
import { openApi } from '../installation.ts';
import { createAsk, NotAsked, Refused } from '../series/client.ts';
import { plain } from '../terminal.ts';

const help = `Usage: scanflow check FILE [--against 90d] [--json]

Reads a configuration as every service does, and lists every mistake with file, line and column. Files of rules (bids) count, too.
For a good file it shows which patterns run with a time limit, and what is less safe than in a new installation.

  --against 90d   shows which series of this time the rules of the file (arrivals, scanners, bookings.patientId)
                  would have quarantined, as the streamer reports it; nothing is changed
  --json          the mistakes as a JSON array of {file, line, column, path, message}; warnings go to standard error

Example:  scanflow check config/scanflow.yaml
Exit:     0 the file is good, 1 it has mistakes, 2 not started (usage, no streamer)
`;

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArgs(
    args,
    { json: { type: 'boolean', default: false }, against: { type: 'string' } },
    1,
  );
  const [file] = positionals;
  if (file === undefined) throw new UsageError('check takes the configuration file: scanflow check FILE');
  const loaded = await loadConfig(file, attributeVrs());
  const issues = loaded.ok ? await ruleIssues(loaded.config) : loaded.issues;
  const good = issues.length === 0;
  if (values.json) io.out.write(`${JSON.stringify(issues, null, 2)}\n`);
  else if (loaded.ok && good) io.out.write(`${file}: good\n${enginesOf(loaded.config)}\n`);
  else io.out.write(`${issues.map(formatIssue).join('\n')}\n${file}: ${count(issues.length)}\n`);
  if (loaded.ok)
    for (const one of configWarnings(loaded.config, { inContainer: io.service !== undefined }))
      (values.json ? io.err : io.out).write(`${file}: warning: ${formatWarning(one)}\n`);
  if (!loaded.ok || !good) return EXIT.failed;
  return values.against === undefined
    ? EXIT.done
    : against(file, loaded.config, duration('against', values.against), values.json, io);
}

/** Mistakes in the rules that `bids` names. */
async function ruleIssues({ bids }: Config): Promise<ConfigIssue[]> {
  if (bids === undefined) return [];
  const { parseRules } = await import('@scanflow/bids');
  const issues: ConfigIssue[] = [];
  for (const [path, name] of ruleFiles(bids)) {
    const at = { file: name, line: 1, column: 1, path };
    const text = await readFile(name, 'utf8').catch((error: unknown) => {
      issues.push({ ...at, message: `cannot be read: ${messageOf(error)}` });
      return undefined;
    });
    const read = text === undefined ? undefined : parseRules(text, name);
    if (read?.ok === false) issues.push(...read.issues);
  }
  return issues;
}

interface Quarantined {
  readonly id: string;
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** Shows which stored series this configuration would have quarantined, by the streamer. */
async function against(
  file: string,
  config: Config,
  within: number,
  json: boolean,
  io: Io,
): Promise<ExitCode> {
  try {
    const ask = createAsk(await openApi(config, 'streamer'), io.signal);
    const found = await ask('/api/against', { config: await readFile(file, 'utf8'), within });
    const series = found['series'] as readonly Quarantined[];
    if (json) io.out.write(`${JSON.stringify(found, null, 2)}\n`);
    else io.out.write(againstText(found, series));
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof NotAsked || error instanceof Refused)) throw error;
    io.err.write(`scanflow: ${error.message}\n`);
    return EXIT.notStarted;
  }
}

function againstText(found: Readonly<Record<string, unknown>>, series: readonly Quarantined[]): string {
  const lines = series.map(
    ({ id, path, code, message }) =>
      `${id.slice(0, 8)}  ${plain(path)}\n          ${code}: ${plain(message)}\n`,
  );
  const judged = `${String(found['judged'])} stored series were looked at`;
  const decided = `${String(found['decided'])} that a person released or moved were not`;
  const more = found['more'] === true ? '; there are more than that, and the latest were looked at' : '';
  return `${lines.join('')}${series.length} would be quarantined; ${judged}, ${decided}${more}\n`;
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
