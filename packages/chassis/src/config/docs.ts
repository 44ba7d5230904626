/** The configuration's schema as JSON Schema for editors and as docs/configuration.md for people. Pure. */
import { z } from 'zod';
import { configSchema } from './schema.ts';

interface JsonSchema {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | false;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/** JSON Schema (2020-12) of scanflow.yaml, as text with a final newline. */
export function jsonSchema(): string {
  const { $schema, ...schema } = z.toJSONSchema(configSchema, { io: 'input', reused: 'inline' });
  return `${JSON.stringify({ $schema, title: 'scanflow.yaml', ...schema }, null, 2)}\n`;
}

/** docs/configuration.md: the sample, then a table of keys per section. */
export function configurationPage(sample: string): string {
  const root = JSON.parse(jsonSchema()) as JsonSchema;
  const required = new Set(root.required);
  const sections = Object.entries(root.properties ?? {}).map(([name, schema]) =>
    section(name, schema, required.has(name)),
  );
  return `${INTRODUCTION}\n\`\`\`yaml\n${sample.trimEnd()}\n\`\`\`\n\n${sections.join('\n')}`;
}

const INTRODUCTION = `# Configuration

<!-- Generated from the schema by \`npm run generate\`; do not edit. -->

Every service reads the same file, \`scanflow.yaml\`, and validates all of it: a mistake is shown with file, line and column,
every mistake at once, and the service does not start. \`scanflow check FILE\` does the same without starting anything.

- Durations are written \`500ms\`, \`90s\`, \`5m\`, \`12h\`, \`7d\`.
- Secrets never stand in it: \`passwordFile:\` names a file. Relative file names are relative to the configuration file.
- Keys that are not known are mistakes. What is left out has the default shown here.
- Editors that know JSON Schema complete and check it: the first line of the sample names
  [scanflow.schema.json](../config/scanflow.schema.json).

The sample, with which \`docker compose up\` runs:
`;

function section(name: string, schema: JsonSchema, required: boolean): string {
  const rows =
    schema.properties === undefined && typeof schema.additionalProperties !== 'object'
      ? [row(name, schema, required)]
      : rowsOf(name, schema);
  const about = schema.description === undefined ? '' : `${schema.description}\n\n`;
  return `## ${name}\n\n${about}| Key | Type | Default | Meaning |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

/** Rows of an object's keys, nested ones with dotted names; `NAME` stands for a name that the reader chooses. */
function rowsOf(prefix: string, schema: JsonSchema): string[] {
  const required = new Set(schema.required);
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, value]) =>
    value.properties === undefined
      ? [row(`${prefix}.${key}`, value, required.has(key))]
      : rowsOf(`${prefix}.${key}`, value),
  );
  const { additionalProperties: named } = schema;
  if (typeof named !== 'object') return own;
  return [
    ...own,
    ...(named.properties === undefined
      ? [row(`${prefix}.NAME`, named, false)]
      : rowsOf(`${prefix}.NAME`, named)),
  ];
}

function row(key: string, schema: JsonSchema, required: boolean): string {
  const fallback = required ? '**required**' : schema.default === undefined ? '–' : code(schema.default);
  return `| \`${key}\` | ${typeOf(schema)} | ${fallback} | ${escape(schema.description ?? '')} |`;
}

function typeOf(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(', ');
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}`;
  if (typeof schema.additionalProperties === 'object') return `map of ${typeOf(schema.additionalProperties)}`;
  return schema.title ?? { string: 'text', integer: 'number' }[schema.type ?? ''] ?? schema.type ?? '';
}

const code = (value: unknown): string =>
  `\`${escape(typeof value === 'string' ? value : JSON.stringify(value))}\``;
const escape = (text: string): string => text.replaceAll('|', String.raw`\|`).replaceAll('\n', ' ');
