/** The text of scanflow.yaml into a configuration, or into every mistake in it at once. Pure. */
import { LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import type { ConfigIssue } from './issue.ts';
import { positionOf, type Position } from './position.ts';
import { brokenRules, type GoodSections } from './rules.ts';
import { configSchema, type Config } from './schema.ts';
import { nearest } from './suggest.ts';

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly issues: readonly ConfigIssue[] };

type Path = readonly (string | number)[];

/** Reads the whole text; never throws for its content. `file` stands in the issues. */
export function parseConfig(text: string, file: string): ConfigResult {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    strict: true,
  });
  const issueAt = ({ line, column }: Position, path: Path, message: string): ConfigIssue => ({
    file,
    line,
    column,
    path: path.join('.'),
    message,
  });
  if (document.errors.length > 0) {
    const issues = document.errors.map(({ pos, message }) => {
      const { line, col } = lines.linePos(pos[0]);
      return issueAt({ line, column: col }, [], `not YAML: ${message}`);
    });
    return { ok: false, issues };
  }
  const value = plainValue(document);
  if (typeof value === 'string') return { ok: false, issues: [issueAt({ line: 1, column: 1 }, [], value)] };
  const parsed = configSchema.safeParse(value.data);
  const findings: Found[] = [
    ...(parsed.error?.issues ?? []).flatMap((issue) => explain(issue, value.data)),
    ...brokenRules(parsed.success ? parsed.data : goodSections(value.data)),
  ];
  if (parsed.success && findings.length === 0) return { ok: true, config: parsed.data };
  const issues = findings.map((finding) =>
    issueAt(positionOf(document, lines, finding.path, finding.atKey), finding.path, finding.message),
  );
  return { ok: false, issues: issues.toSorted((a, b) => a.line - b.line || a.column - b.column) };
}

/** The sections that are good by themselves, so that the rules between them are checked in the same go. */
const goodSections = (data: unknown): GoodSections =>
  Object.fromEntries(
    Object.entries(configSchema.shape).map(([name, schema]) => [
      name,
      schema.safeParse((data as Record<string, unknown> | null)?.[name]).data,
    ]),
  );

/** The document as plain data, or why it has none. Aliases are limited, against small texts that expand to huge ones. */
function plainValue(document: Document): { data: unknown } | string {
  try {
    const data: unknown = document.toJS({ maxAliasCount: 50 });
    return data === null || data === undefined ? 'the file is empty' : { data };
  } catch (error) {
    return `not YAML: ${error instanceof Error ? error.message : String(error)}`;
  }
}

interface Found {
  readonly path: Path;
  readonly message: string;
  readonly atKey?: boolean;
}

/** One of zod's issues as the mistakes that a person sees, each with its path. */
function explain(issue: z.core.$ZodIssue, root: unknown): Found[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...path, key],
        atKey: true,
        message: `there is no such key${suggestion(key, path)}`,
      }));
    case 'invalid_key':
      return [{ path, atKey: true, message: issue.issues[0]?.message ?? issue.message }];
    case 'invalid_union': {
      const [first] = issue.errors.flat();
      return [
        {
          path,
          message:
            first === undefined
              ? issue.message
              : `expected one of the forms described in docs/configuration.md (${first.message})`,
        },
      ];
    }
    case 'invalid_type':
      return [
        {
          path,
          message: isMissing(root, path)
            ? 'is missing and must be given'
            : issue.message.replace('Invalid input: ', ''),
        },
      ];
    case 'invalid_value':
      return [
        { path, message: `expected ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}` },
      ];
    default:
      return [{ path, message: issue.message.replace('Invalid input: ', '') }];
  }
}

function isMissing(root: unknown, path: Path): boolean {
  let value = root;
  for (const step of path)
    value =
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[step] : undefined;
  return value === undefined;
}

/** `; did you mean port?` where a known key of that mapping is close. */
function suggestion(key: string, path: Path): string {
  const known = knownKeys(path);
  const close = nearest(key, known);
  return close === undefined ? ` (known here: ${known.join(', ')})` : `; did you mean ${close}?`;
}

function knownKeys(path: Path): string[] {
  let schema: unknown = configSchema;
  for (const step of path) {
    const { shape, valueType } = definition(schema);
    schema = shape?.[step] ?? valueType;
  }
  return Object.keys(definition(schema).shape ?? {});
}

interface Definition {
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly valueType?: unknown;
}

/** zod's definition behind defaults and options. */
function definition(schema: unknown): Definition {
  let current = (schema as { def?: { innerType?: unknown } } | undefined)?.def;
  while (current?.innerType !== undefined)
    current = (current.innerType as { def?: { innerType?: unknown } }).def;
  return (current as Definition | undefined) ?? {};
}
