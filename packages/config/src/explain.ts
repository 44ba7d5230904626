/** What zod found, in words for whoever writes the file. Pure. */
import type { z } from 'zod';
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
  if (issue.code === 'invalid_type' && value === undefined) return 'is missing and must be given';
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
