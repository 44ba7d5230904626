/** What zod and the YAML parser found, in words for the person who writes the file. Pure. */
import type { z } from 'zod';
import type { YAMLError } from 'yaml';
import { type Finding, type Path, didYouMean } from './issue.ts';

const TYPES: Readonly<Record<string, string>> = {
  object: 'keys with values',
  record: 'names with values',
  array: 'a list',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

/** One of zod's issues as the mistakes that a person sees. `root` is the data that zod checked against `schema`. */
export function explain(issue: z.core.$ZodIssue, root: unknown, schema: z.ZodType): Finding[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...path, key],
        atKey: true,
        message: glued(key, path, schema) ?? `there is no such key${suggestion(key, path, schema)}`,
      }));
    case 'invalid_key':
      return [{ path, atKey: true, message: issue.issues[0]?.message ?? issue.message }];
    case 'invalid_union':
      return unionFindings(issue, path, root, schema);
    default:
      return [{ path, message: messageOf(issue, valueAt(root, path)) }];
  }
}

/** Of a value that has several forms: the mistakes in the list's items where it is a list, else the forms. */
function unionFindings(
  issue: z.core.$ZodIssueInvalidUnion,
  path: Path,
  root: unknown,
  schema: z.ZodType,
): Finding[] {
  const inItems = issue.errors.find((errors) => errors.some((one) => one.path.length > 0));
  if (inItems === undefined) return [{ path, message: messageOf(issue, valueAt(root, path)) }];
  return inItems.flatMap((one) => explain({ ...one, path: [...path, ...one.path] }, root, schema));
}

function messageOf(issue: z.core.$ZodIssue, value: unknown): string {
  const missing = issue.code === 'invalid_type' || issue.code === 'invalid_union';
  if (missing && value === undefined) return 'is missing and must be given';
  if (value === null) return 'has no value; give it one, or leave the line out';
  switch (issue.code) {
    case 'invalid_type':
      return typeMessage(issue, value);
    case 'invalid_value':
      return valueMessage(issue.values.map(String), value);
    case 'too_small':
      if (issue.origin === 'string') return 'must not be empty';
      return issue.origin === 'array' ? 'the list must not be empty' : `expected at least ${issue.minimum}`;
    case 'too_big':
      return issue.origin === 'string'
        ? `expected at most ${issue.maximum} characters`
        : `expected at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}

function typeMessage(issue: z.core.$ZodIssueInvalidType, value: unknown): string {
  // the kinds of values.ts bring messages of their own
  if (!issue.message.startsWith('Invalid input: ')) return issue.message;
  const scalar = typeof value === 'number' || typeof value === 'boolean';
  const quotes = issue.expected === 'string' && scalar ? '; put it in quotes' : '';
  const hint = typeof value === 'string' ? gluedHint(issue.expected, value) : quotes;
  return `expected ${TYPES[issue.expected] ?? issue.expected}, got ${shown(value)}${hint}`;
}

/** `-x` is a text, and so is `a:x`. */
function gluedHint(expected: string, value: string): string {
  if (expected === 'array' && /^-\S/.test(value)) return '; a space is missing after the dash';
  const keys = expected === 'object' || expected === 'record';
  return keys && /^[\w-]+:\S/.test(value) ? '; a space is missing after the colon' : '';
}

function valueMessage(allowed: readonly string[], value: unknown): string {
  const close = typeof value === 'string' ? didYouMean(value, allowed) : '';
  return `expected ${allowed.length === 1 ? '' : 'one of '}${allowed.join(', ')}; got ${shown(value)}${close}`;
}

/** A value as it may stand in a message: short, and never the content of lists and mappings. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'keys with values';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

/** `; did you mean port?` where a known key of that mapping is close. */
function suggestion(key: string, path: Path, schema: z.ZodType): string {
  const known = knownKeys(path, schema);
  return didYouMean(key, known) || ` (known here: ${known.join(', ')})`;
}

/** `aet:PRISMA` between braces is one word for YAML. */
function glued(key: string, path: Path, schema: z.ZodType): string | undefined {
  const [name = '', ...rest] = key.split(':');
  return rest.length > 0 && knownKeys(path, schema).includes(name)
    ? 'a space is missing after the colon'
    : undefined;
}

function knownKeys(path: Path, schema: z.ZodType): string[] {
  let schemas: readonly unknown[] = [schema];
  for (const step of path) {
    schemas = schemas.flatMap(definitions).flatMap(({ shape, valueType, element }) => {
      const inner = typeof step === 'number' ? element : (shape?.[step] ?? valueType);
      return inner === undefined ? [] : [inner];
    });
  }
  return schemas.flatMap(definitions).flatMap(({ shape }) => Object.keys(shape ?? {}));
}

interface Definition {
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly valueType?: unknown;
  readonly element?: unknown;
  /** Of a default or an option. */
  readonly innerType?: unknown;
  /** Of a value that is transformed: what stands in the file. */
  readonly in?: unknown;
  /** Of a value that has several forms. */
  readonly options?: readonly unknown[];
}

/** zod's definitions behind defaults, options and transformations: one for each form that the value may have. */
function definitions(schema: unknown): Definition[] {
  const { def } = schema as { readonly def: Definition };
  const behind = def.innerType ?? def.in;
  if (behind !== undefined) return definitions(behind);
  return def.options === undefined ? [def] : def.options.flatMap(definitions);
}

// What the YAML parser found.

/** A mistake of form: where it is, from 1, and what to correct. */
interface SyntaxMistake {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** An error of the parser, with the line and column of its beginning. */
interface ParserError {
  readonly code: YAMLError['code'];
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

interface Explained extends SyntaxMistake {
  /** The line itself shows it, so that it is no consequence of an earlier one. */
  readonly sure: boolean;
}

/**
 * The mistakes behind the parser's errors, in the order of the lines. One mistake makes several errors: of those behind
 * the first, only those are left that their own line shows. Lines in a row that begin with a tab are one mistake.
 */
export function syntaxMistakes(errors: readonly ParserError[], text: string): SyntaxMistake[] {
  const lines = text.split(/\r?\n/);
  const open = unclosed(text);
  const explained = errors
    .map((error) => explainError(error, lines, open))
    .toSorted((a, b) => a.line - b.line || a.column - b.column);
  const mistakes: SyntaxMistake[] = [];
  for (const [index, { sure, ...mistake }] of explained.entries()) {
    const last = mistakes.at(-1);
    if (index > 0 && (!sure || last?.line === mistake.line)) continue;
    if (
      mistake.message === TABS &&
      explained[index - 1]?.message === TABS &&
      isTabbed(lines, mistake.line - 1)
    )
      continue;
    mistakes.push(mistake);
  }
  return mistakes;
}

const TABS = 'not YAML: indent with spaces, not with tabs';
const isTabbed = (lines: readonly string[], line: number): boolean => /^ *\t/.test(lines[line - 1] ?? '');

/** The messages of the parser that need no look at the line. */
const PLAINER: Readonly<Partial<Record<YAMLError['code'], string>>> = {
  MULTIPLE_DOCS: 'not YAML: expected one document: remove the line with ---',
  TAB_AS_INDENT: TABS,
  TAG_RESOLVE_FAILED: 'not YAML: tags that begin with ! are not known here',
  BAD_SCALAR_START: 'not YAML: a value that begins with @, ` or % needs quotes',
  BAD_DQ_ESCAPE: String.raw`not YAML: between double quotes, \ has a meaning of its own: use single quotes`,
  BLOCK_IN_FLOW: 'not YAML: between braces, a comma is missing here',
};

/** `key:` of a line, behind its indentation and the dash of a list. */
const KEY = /^(?<indent>\s*)(?:- )?(?<key>[\w.-]+)(?<colon>:?)(?<gap>\s*)(?<value>.*)$/;

interface Line {
  readonly key: string;
  readonly value: string;
  /** `:`, and then a space where one is. */
  readonly colon: string;
  readonly indent: number;
}

function readLine(text = ''): Line {
  const { key = '', value = '', colon = '', gap = '', indent = '' } = KEY.exec(text)?.groups ?? {};
  return { key, value, colon: colon + gap, indent: indent.length };
}

function explainError(error: ParserError, lines: readonly string[], open: Open | undefined): Explained {
  const { code, message, line, column } = error;
  const plainer = PLAINER[code];
  if (plainer !== undefined) return { line, column, message: plainer, sure: plainer === TABS };
  if (open !== undefined && open.line <= line)
    return {
      line: open.line,
      column: open.column,
      message: `not YAML: the ${open.mark} that opens here is not closed`,
      sure: false,
    };
  const shown = inLine(readLine(lines[line - 1]));
  if (shown !== undefined) return { line, column, message: `not YAML: ${shown}`, sure: true };
  if (code === 'UNEXPECTED_TOKEN') return { line, column, message: `not YAML: ${BEHIND}`, sure: false };
  const words = code === 'BAD_INDENT' ? 'the indentation does not fit the lines around it' : message;
  return misplaced(line, lines) ?? { line, column, message: `not YAML: ${words}`, sure: false };
}

const BEHIND = 'something stands behind the end of the value: put the whole value in quotes';

/** A mistake that the line itself shows. */
function inLine({ key, value, colon }: Line): string | undefined {
  if (colon === ':' && value !== '')
    return `\`${key}:${value.split(/\s/)[0] ?? ''}\`: a space is missing after the colon`;
  if (key !== '' && colon === '' && value === '') return `\`${key}\`: a colon is missing after it`;
  const bare = /^[{[]/.test(value) ? '' : value.replaceAll(/'[^']*'|"[^"]*"|#.*/g, '');
  return bare.includes(': ') ? `the value of \`${key}\` has a colon in it: put it in quotes` : undefined;
}

/** A key whose indentation is not that of its neighbours: the next one is in deeper, or this one less deep than the last. */
function misplaced(line: number, lines: readonly string[]): Explained | undefined {
  const filled = lines.flatMap((text, index) => (/^\s*(?:#|$)/.test(text) ? [] : [index + 1]));
  const at = filled.indexOf(line);
  const [last, next] = [filled[at - 1], filled[at + 1]];
  const here = readLine(lines[line - 1]);
  const below = readLine(lines[(next ?? 0) - 1]);
  if (next !== undefined && here.value !== '' && below.indent > here.indent && below.key !== '')
    return unaligned({ line: next, ...below }, { line, ...here }, 'more');
  const above = readLine(lines[(last ?? 0) - 1]);
  if (last !== undefined && here.indent > 0 && here.indent < above.indent && above.key !== '')
    return unaligned({ line, ...here }, { line: last, ...above }, 'less');
  return undefined;
}

const unaligned = (
  one: Line & { readonly line: number },
  other: Line & { readonly line: number },
  how: 'more' | 'less',
): Explained => ({
  line: one.line,
  column: one.indent + 1,
  message: `not YAML: line ${one.line} is indented ${how} than line ${other.line}: align \`${one.key}\` with \`${other.key}\``,
  sure: false,
});

interface Open {
  readonly mark: string;
  readonly line: number;
  readonly column: number;
}

/** Quoted texts, comments, and braces, as far as they are inside or begin a value. */
const TOKEN = /(?<=^|[\s,[{])(?:'(?:[^']|'')*('|$)|"(?:[^"\\]|\\.)*("|$))|(?<=^|\s)#[^\n]*|[[{\]}]/gs;

/** The first brace, bracket or quote that nothing closes, or that another kind closes; undefined where all are. */
function unclosed(text: string): Open | undefined {
  const open: number[] = [];
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const mark = token.charAt(0);
    if (/['"]/.test(mark) && !isClosed(token, text[index + token.length])) return placeOf(text, index);
    if (/[[{]/.test(mark) && (open.length > 0 || /\s/.test(text[index - 1] ?? ' '))) open.push(index);
    const last = /[\]}]/.test(mark) ? open.pop() : undefined;
    if (last !== undefined && (text[last] === '{') !== (mark === '}')) return placeOf(text, last);
  }
  const [first] = open;
  return first === undefined ? undefined : placeOf(text, first);
}

function placeOf(text: string, index: number): Open {
  const before = text.slice(0, index);
  const line = before.split('\n').length;
  return { mark: text.charAt(index), line, column: index - before.lastIndexOf('\n') };
}

/** Of a text over several lines with a letter right behind it, the end was forgotten. */
const isClosed = (token: string, next = ' '): boolean =>
  token.length > 1 && token.endsWith(token.charAt(0)) && (!token.includes('\n') || /[\s,\]}:]/.test(next));
