/** The text of scanflow.yaml into a configuration, or into every mistake in it at once. Pure. */
import type { KnownAttributes } from './values.ts';
import type { ConfigIssue } from './issue.ts';
import { brokenRules, writtenTwice, type GoodSections } from './rules.ts';
import { configSchema, type Config } from './schema.ts';
import { readYaml } from './yaml.ts';

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly issues: readonly ConfigIssue[] };

/**
 * Reads the whole text; never throws for its content. `file` stands in the issues. Relative file names stay as they are.
 * Without `known`, names of attributes are checked for their form only.
 */
export function parseConfig(text: string, file: string, known?: KnownAttributes): ConfigResult {
  const read = readYaml(text, file, configSchema, (parsed, data, outline) => [
    ...brokenRules(parsed ?? goodSections(data), known),
    ...writtenTwice(outline.has),
  ]);
  return read.ok ? { ok: true, config: read.data } : read;
}

/** The sections that are good by themselves, so that the rules between them are checked in the same go. */
const goodSections = (data: unknown): GoodSections =>
  Object.fromEntries(
    Object.entries(configSchema.shape).map(([name, schema]) => [
      name,
      schema.safeParse((data as Record<string, unknown> | null)?.[name]).data,
    ]),
  );
