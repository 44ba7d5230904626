/** A YAML file under a schema: its data, or every mistake in it at once, with line and column. Pure. */
import {
  LineCounter,
  parseDocument,
  type Document,
  type YAMLError,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
} from 'yaml';
import type { z } from 'zod';
import { messageOf } from '@scanflow/failure';
import { explain, syntaxMistakes } from './explain.ts';
import type { ConfigIssue, Finding, Path } from './issue.ts';

export { didYouMean, formatIssue, type ConfigIssue, type Finding, type Path } from './issue.ts';

export type YamlResult<T> =
  | { readonly ok: true; readonly data: T; readonly outline: Outline }
  | { readonly ok: false; readonly issues: readonly ConfigIssue[] };

/** More than this helps nobody. */
const MOST_ISSUES = 100;
const MOST_ALIASES = 50;

/**
 * Reads the whole text; never throws for its content. `file` stands in the issues. `check` finds what the schema cannot
 * express: it gets the parsed data (undefined where the schema finds mistakes), the plain data, and the outline.
 */
export function readYaml<S extends z.ZodType>(
  text: string,
  file: string,
  schema: S,
  check: (parsed: z.output<S> | undefined, data: unknown, outline: Outline) => readonly Finding[] = () => [],
): YamlResult<z.output<S>> {
  const lines = new LineCounter();
  // keys that stand twice are found by the outline, in linear time
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    strict: true,
    logLevel: 'error',
  });
  const unreadable = [...document.errors, ...document.warnings];
  if (unreadable.length > 0) return failed(file, syntaxProblems(unreadable, lines, text));
  const outline = outlineOf(document, lines);
  const value = plainValue(document);
  if ('problem' in value)
    return failed(file, outline.problems.length > 0 ? outline.problems : [value.problem]);
  const parsed = schema.safeParse(value.data);
  const findings: Finding[] = [
    ...(parsed.error?.issues ?? []).flatMap((issue) => explain(issue, value.data, schema)),
    ...check(parsed.data, value.data, outline),
  ];
  if (parsed.success && findings.length === 0 && outline.problems.length === 0)
    return { ok: true, data: parsed.data, outline };
  return failed(file, [...outline.problems, ...findings.map((finding) => located(finding, outline))]);
}

const located = ({ path, message, atKey }: Finding, outline: Outline): Problem => ({
  at: outline.positionOf(path, atKey),
  path,
  message,
});

function failed(
  file: string,
  problems: readonly Problem[],
): { readonly ok: false; readonly issues: readonly ConfigIssue[] } {
  const sorted = problems.toSorted((a, b) => a.at.line - b.at.line || a.at.column - b.at.column);
  const issues = sorted.slice(0, MOST_ISSUES).map(({ at, path, message }, index) => ({
    file,
    ...at,
    path: path.join('.'),
    message:
      index === MOST_ISSUES - 1 && sorted.length > MOST_ISSUES
        ? `${message} (and ${sorted.length - MOST_ISSUES} more mistakes)`
        : message,
  }));
  return { ok: false, issues };
}

function syntaxProblems(errors: readonly YAMLError[], lines: LineCounter, text: string): Problem[] {
  if (errors.some(({ message }) => message.includes('call stack')))
    return [{ at: { line: 1, column: 1 }, path: [], message: 'not YAML: it is nested too deeply' }];
  const found = errors.map(({ pos, code, message }) => {
    const { line, col: column } = lines.linePos(pos[0]);
    return { code, message, line, column };
  });
  return syntaxMistakes(found, text).map(({ line, column, message }) => ({
    at: { line, column },
    path: [],
    message,
  }));
}

/** The document as plain data, or why it has none. Aliases are limited, against small texts that expand to huge ones. */
function plainValue(document: Document): { data: unknown } | { problem: Problem } {
  const trouble = (message: string): { problem: Problem } => ({
    problem: { at: { line: 1, column: 1 }, path: [], message },
  });
  try {
    const data: unknown = document.toJS({ maxAliasCount: MOST_ALIASES });
    return data === null || data === undefined ? trouble('the file is empty') : { data };
  } catch (error) {
    return trouble(`not YAML: ${messageOf(error)}`);
  }
}

export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface Problem {
  readonly at: Position;
  readonly path: Path;
  readonly message: string;
}

export interface Outline {
  /**
   * Position of the value at `path`; of its key where `atKey`; of the nearest parent where there is no such path
   * (a missing key is shown at the mapping that lacks it).
   */
  positionOf(path: Path, atKey?: boolean): Position;
  /** Whether the key is written in the file, whatever its value. */
  readonly has: (path: Path) => boolean;
  readonly problems: readonly Problem[];
}

interface Place {
  readonly key: Position;
  readonly value: Position;
}

const START: Position = { line: 1, column: 1 };
const MAX_DEPTH = 16;
const idOf = (path: Path): string => path.join('\0');

function outlineOf(document: Document, lines: LineCounter): Outline {
  const places = new Map<string, Place>();
  const problems: Problem[] = [];
  const positionOfNode = (node: unknown, otherwise: Position): Position => startOf(node, lines) ?? otherwise;

  const visit = (node: unknown, path: Path, at: Position): void => {
    if (path.length > MAX_DEPTH) problems.push({ at, path: [], message: 'is nested too deeply' });
    else if (isAlias(node) && node.resolve(document) === undefined)
      problems.push({
        at,
        path,
        message: `there is no &${node.source} above that *${node.source} could mean`,
      });
    else if (isMap(node)) for (const pair of node.items) visitPair(pair, path, at);
    else if (isSeq(node))
      for (const [index, item] of node.items.entries()) {
        const value = positionOfNode(item, at);
        places.set(idOf([...path, index]), { key: value, value });
        visit(item, [...path, index], value);
      }
  };
  const visitPair = ({ key, value }: Pair, parent: Path, at: Position): void => {
    const keyAt = positionOfNode(key, at);
    const name = nameOf(key);
    if (name === undefined) {
      problems.push({ at: keyAt, path: parent, message: 'expected a word as key' });
      return;
    }
    const path = [...parent, name];
    const first = places.get(idOf(path));
    if (first !== undefined)
      problems.push({ at: keyAt, path, message: `stands here twice, first in line ${first.key.line}` });
    const valueAt = positionOfNode(value, keyAt);
    places.set(idOf(path), { key: keyAt, value: valueAt });
    visit(value, path, valueAt);
  };

  const root = positionOfNode(document.contents, START);
  visit(document.contents, [], root);
  return {
    positionOf: (path, atKey = false) => {
      for (let length = path.length; length > 0; length -= 1) {
        const place = places.get(idOf(path.slice(0, length)));
        if (place !== undefined) return atKey && length === path.length ? place.key : place.value;
      }
      return root;
    },
    has: (path) => places.has(idOf(path)),
    problems,
  };
}

function startOf(node: unknown, lines: LineCounter): Position | undefined {
  const start = (node as Node | null | undefined)?.range?.[0];
  if (start === undefined) return undefined;
  const { line, col } = lines.linePos(start);
  return { line, column: col };
}

/** Text of a key; undefined for lists, mappings, nothing, and for the one name that plain objects treat specially. */
function nameOf(key: unknown): string | undefined {
  const value: unknown = isScalar(key) ? key.value : undefined;
  const isName = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return isName && value !== '__proto__' ? String(value) : undefined;
}
