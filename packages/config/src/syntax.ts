/** What the YAML parser says, in words for whoever typed the line. Pure. */
import type { YAMLError } from 'yaml';

/** A mistake of form: where it is, from 1, and what to correct. */
export interface SyntaxMistake {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** An error of the parser, with the line and column of its beginning. */
export interface ParserError {
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
    .map((error) => explain(error, lines, open))
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

function explain(error: ParserError, lines: readonly string[], open: Open | undefined): Explained {
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
