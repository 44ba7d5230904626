/**
 * Writes config/scanflow.schema.json and docs/configuration.md from the configuration's schema.
 * `node scripts/generate-config-docs.ts` writes them; a test of packages/chassis keeps them in step.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { configurationPage, jsonSchema } from '@scanflow/chassis';

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);

const sample = await readFile(at('config/scanflow.yaml'), 'utf8');
await writeFile(at('config/scanflow.schema.json'), jsonSchema());
await writeFile(at('docs/configuration.md'), configurationPage(sample));
