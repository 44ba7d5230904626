/**
 * Writes config/scanflow.schema.json and docs/configuration.md from the configuration's schema.
 * `--check` writes nothing and exits 1 where they are not what the schema says.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { configurationPage, jsonSchema } from '@scanflow/chassis';

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });

const generated: readonly (readonly [path: string, text: string])[] = [
  ['config/scanflow.schema.json', jsonSchema()],
  ['docs/configuration.md', configurationPage(await readFile(at('config/scanflow.yaml'), 'utf8'))],
];
for (const [path, text] of generated) {
  if (!values.check) await writeFile(at(path), text);
  else if ((await readFile(at(path), 'utf8').catch(() => undefined)) !== text) {
    console.error(`${path} is not what the schema says: npm run generate`);
    process.exitCode = 1;
  }
}
