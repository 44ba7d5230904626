/** docs/configuration.md, from the JSON Schema of the configuration. Pure. */
import { jsonSchema } from '@scanflow/config';

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

For facility IT: every key of \`scanflow.yaml\`, with its default and its meaning.

Every service reads this file and checks all of it. It shows every mistake at once, with file, line and column, and does not start:

\`\`\`text
scanflow.yaml:14:20: arrivals.quiet: expected a duration like 90s, 5m, 12h or 7d, got 5
scanflow.yaml:21:3: worklist.prt: there is no such key; did you mean port?
\`\`\`

\`scanflow check FILE\` does the same without starting anything. Services read a changed file when they start again.

- Secrets never stand in the file: \`passwordFile\` names a file with the secret, which only its service needs to read.
- Relative names of files are relative to the folder of the configuration file; \`data\` and \`storage.root\` are absolute.
- Unknown keys are mistakes. A key that you leave out has the default shown here.
- Editors that know JSON Schema complete and check it: the first line of the sample names
  [scanflow.schema.json](../config/scanflow.schema.json).

| Kind of value | |
| --- | --- |
| duration | A whole number and a unit: \`500ms\`, \`90s\`, \`5m\`, \`12h\`, \`7d\`. |
| AE title | 1 to 16 ASCII characters, no backslash, no space at either end. Capitals count. |
| pattern | A regular expression (JavaScript, \`u\` flag) of at most 500 characters, in single quotes: \`'^(?<subject>sub-\\d+)$'\`. |
| group | Four hexadecimal digits in quotes: \`'0021'\`. Without quotes, YAML reads a number. |
| modality | As in DICOM, in capitals: \`MR\`. |
| cron expression | Five fields (minute, hour, day, month, weekday), or six with seconds first. |
| time zone | As in the IANA database: \`Europe/Amsterdam\`. |

The sample, with which \`docker compose up\` runs:
`;

function section(name: string, schema: JsonSchema, required: boolean): string {
  const single = schema.properties === undefined && typeof schema.additionalProperties !== 'object';
  const rows = single ? [row(name, schema, required)] : rowsOf(name, schema);
  const about = schema.description === undefined || single ? '' : `${schema.description}\n\n`;
  return `## ${name}\n\n${about}| Key | Type | Default | Meaning |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

/** Rows of an object's keys, nested ones with dotted names; `NAME` stands for a name that the reader chooses. */
function rowsOf(prefix: string, schema: JsonSchema): string[] {
  const required = new Set(schema.required);
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, value]) =>
    value.properties === undefined && !isMapOfKeys(value)
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

const isMapOfKeys = ({ additionalProperties: named }: JsonSchema): boolean =>
  typeof named === 'object' && named.properties !== undefined;

function row(key: string, schema: JsonSchema, required: boolean): string {
  const fallback = required ? '**required**' : schema.default === undefined ? '–' : yaml(schema.default);
  return `| \`${key}\` | ${typeOf(schema)} | ${fallback} | ${escape(schema.description ?? '')} |`;
}

function typeOf(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(', ');
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}`;
  if (typeof schema.additionalProperties === 'object') return `map of ${typeOf(schema.additionalProperties)}`;
  return schema.title ?? { string: 'text', integer: 'number' }[schema.type ?? ''] ?? schema.type ?? '';
}

/** A default as it would be written in the file. */
function yaml(value: unknown): string {
  if (Array.isArray(value)) return value.map(yaml).join('<br>');
  if (typeof value === 'object' && value !== null)
    return Object.entries(value)
      .map(([key, one]) => `${key}: ${yaml(one)}`)
      .join('<br>');
  return `\`${escape(String(value))}\``;
}

const escape = (text: string): string => text.replaceAll('|', String.raw`\|`).replaceAll('\n', ' ');
