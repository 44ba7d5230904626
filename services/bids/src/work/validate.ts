/** The validator as a child process, and its verdict: both forms of JSON that validators of BIDS write. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FailureError, transient } from '@scanflow/failure';
import { runProgram } from './command.ts';
import { gone } from './files.ts';
import type { Issue, ValidatorProgram, Verdict } from './types.ts';

const CODES = { name: 'The validator', missing: 'BIDS_VALIDATOR_MISSING', timeout: 'BIDS_VALIDATOR_TIMEOUT' };
const OUTPUT_LIMIT = 256 * 1024 * 1024;
const MAX_ISSUES = 1_000;
const MAX_FILES = 20;
const MAX_TEXT = 500;

/** The pinned one, in an install of its own: `services/bids/validator`. */
export const OWN_VALIDATOR: readonly string[] = [
  process.execPath,
  join(import.meta.dirname, '../../validator/node_modules/bids-validator/bin/bids-validator'),
];

/** Its name and version. Rejects with FailureError where it cannot be started. */
export async function validatorVersion(
  { command, timeoutMs }: ValidatorProgram,
  signal: AbortSignal,
): Promise<string> {
  const asked = { command: [...command, '--version'], cwd: '/', timeoutMs, outputLimit: 65_536 };
  const told = await runProgram(asked, CODES, signal);
  const version = /\d+\.\d+\.\d+\S*/.exec(told.stdout)?.[0];
  return `bids-validator${version === undefined ? '' : ` ${version}`}`;
}

/** The verdict on a dataset as it lies. Rejects with FailureError where the validator gives none. */
export async function validateDataset(
  datasetRoot: string,
  validator: ValidatorProgram,
  signal: AbortSignal,
): Promise<Verdict> {
  const { command, timeoutMs, memoryMiB } = validator;
  const bounds = {
    cwd: '/',
    timeoutMs,
    outputLimit: OUTPUT_LIMIT,
    environment: memoryMiB === undefined ? {} : { NODE_OPTIONS: `--max-old-space-size=${memoryMiB}` },
  };
  const validatorName = await validatorVersion(validator, signal);
  const ran = await runProgram({ ...bounds, command: [...command, datasetRoot, '--json'] }, CODES, signal);
  const verdict = ran.cut ? undefined : readVerdict(ran.stdout, datasetRoot);
  // a program that fails and reports no error has looked at nothing
  if (verdict === undefined || (verdict.verdict === 'valid' && ran.code !== 0)) {
    const words = `${ran.stderr}\n${ran.stdout}`.trim().slice(-MAX_TEXT);
    throw new FailureError(
      transient(
        'BIDS_VALIDATOR_FAILED',
        `The validator gave no verdict (exit code ${ran.code ?? ran.signal ?? '?'}): ${words}`,
      ),
    );
  }
  return { ...verdict, validator: validatorName };
}

type Json = Readonly<Record<string, unknown>>;
const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const listOf = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isRecord) : []);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '').slice(0, MAX_TEXT);

/** Undefined for what is the JSON of no validator. Pure. */
export function readVerdict(text: string, root: string): Omit<Verdict, 'validator'> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text.slice(Math.max(0, text.indexOf('{'))));
  } catch {
    return undefined;
  }
  const issues = isRecord(value) ? value['issues'] : undefined;
  if (!isRecord(issues)) return undefined;
  if (Array.isArray(issues['errors']) && Array.isArray(issues['warnings']))
    return verdictOf(
      issues['errors'].map((one) => legacy(one, root)),
      issues['warnings'].map((one) => legacy(one, root)),
    );
  if (Array.isArray(issues['issues'])) return bySchema(listOf(issues['issues']), issues['codeMessages']);
  return undefined;
}

const verdictOf = (errors: readonly Issue[], warnings: readonly Issue[]): Omit<Verdict, 'validator'> => ({
  verdict: errors.length === 0 ? 'valid' : 'invalid',
  errors: inOrder(errors),
  warnings: inOrder(warnings),
});

const inOrder = (issues: readonly Issue[]): Issue[] =>
  [...issues]
    .sort((one, other) => (one.code < other.code ? -1 : one.code > other.code ? 1 : 0))
    .slice(0, MAX_ISSUES);

/** `bids-validator` 1.x: an issue has its files. */
function legacy(value: unknown, root: string): Issue {
  const issue = isRecord(value) ? value : {};
  const listed = listOf(issue['files']);
  const files = listed.flatMap(({ file }) => {
    const path = isRecord(file) ? textOf(file['relativePath']) : '';
    return path === '' ? [] : relative(path, root);
  });
  const more = issue['additionalFileCount'];
  const evidence = listed.map((one) => textOf(one['evidence']).trim()).find((words) => words !== '');
  return issueOf(
    textOf(issue['key']) || String(issue['code']),
    [textOf(issue['reason']), evidence]
      .filter((words) => words !== undefined && words !== '')
      .join(' ')
      // a folder aside has another name each time
      .replaceAll(root, ''),
    listed.length + (typeof more === 'number' ? more : 0),
    files,
  );
}

const relative = (path: string, root: string): string =>
  (path.startsWith(root) ? path.slice(root.length) : path).replace(/^\/+/, '');

const issueOf = (code: string, message: string, count: number, files: readonly string[]): Issue => ({
  code,
  message: message.slice(0, MAX_TEXT),
  count: Math.max(count, 1),
  files: [...new Set(files)].sort().slice(0, MAX_FILES),
});

/** The schema-based one: an issue is of one file. */
function bySchema(issues: readonly Json[], messages: unknown): Omit<Verdict, 'validator'> {
  const words = isRecord(messages) ? messages : {};
  const grouped = Map.groupBy(issues, ({ code, subCode, severity }) =>
    JSON.stringify([severity, [code, subCode].filter((one) => typeof one === 'string').join('.')]),
  );
  const found = { error: [] as Issue[], warning: [] as Issue[] };
  for (const [key, group] of grouped) {
    const [severity, code] = JSON.parse(key) as [unknown, string];
    if (severity !== 'error' && severity !== 'warning') continue;
    const [first = {}] = group;
    const general = textOf(words[textOf(first['code'])]);
    const message = [general, textOf(first['issueMessage'])].filter((one) => one !== '').join(' ');
    const files = group
      .map(({ location }) => textOf(location).replace(/^\/+/, ''))
      .filter((one) => one !== '');
    found[severity].push(issueOf(code, message, group.length, files));
  }
  return verdictOf(found.error, found.warning);
}

/** What the validator looked at: sessions by their folders, or subjects that have none. */
export async function sessionsIn(dataset: string): Promise<number> {
  let found = 0;
  const foldersIn = async (path: string, start: string): Promise<string[]> =>
    ((await readdir(path, { withFileTypes: true }).catch(gone)) ?? [])
      .filter((entry) => entry.isDirectory() && entry.name.startsWith(start))
      .map(({ name }) => join(path, name));
  for (const subject of await foldersIn(dataset, 'sub-'))
    found += Math.max((await foldersIn(subject, 'ses-')).length, 1);
  return found;
}
