/**
 * Writes config/scanflow.schema.json and docs/configuration.md from the configuration's schema, config/bids-rules.schema.json, and
 * config/scanflow.scale.yaml, the sample of compose.scale.yaml, and those of deploy/kubernetes and deploy/swarm, from the sample.
 * `--check` writes nothing and exits 1 where they are not what they are made of.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { rulesJsonSchema } from '@scanflow/bids';
import { jsonSchema } from '@scanflow/config';
import { configurationPage } from './configuration-page.ts';

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });

const sample = await readFile(at('config/scanflow.yaml'), 'utf8');
/** What several streamers need beside the sample. */
const LEDGER = `
# Several streamers share the work: docs/scale.md. This file is config/scanflow.yaml with these sections (npm run generate).
dashboard:
  database:
    url: postgresql://board@postgres:5432/scanflow
    passwordFile: /run/secrets/scanflow/board-password
ledger:
  url: postgresql://scanflow@postgres:5432/scanflow
  passwordFile: /run/secrets/scanflow/ledger-password
  cal2wl:
    user: cal2wl
    passwordFile: /run/secrets/scanflow/cal2wl-password
`;

/** deploy/kubernetes: as with several streamers, but no file lies beside the configuration. */
const inCluster = (text: string): string =>
  text
    .replace('# yaml-language-server: $schema=./scanflow.schema.json\n', '')
    .replace(/\{ file: calendars\/(\w+)\.ics,/, '{ url: https://booking.example.org/$1.ics,');

/** deploy/swarm: as with several streamers, and HAProxy of the stack says for whom it calls. */
const inSwarm = (text: string): string =>
  text.replace(
    /(?<=^ {2}allow: scanners .*\n)([^]*?\n)\n/m,
    `  proxies: [198.18.7.0/24] # HAProxy of deploy/swarm/stack.yaml calls from its network \`front\`
$1
receiver:
  proxies: [198.18.7.0/24] # likewise

`,
  );

const generated: readonly (readonly [path: string, text: string])[] = [
  ['config/scanflow.schema.json', jsonSchema()],
  ['config/bids-rules.schema.json', rulesJsonSchema()],
  ['docs/configuration.md', configurationPage(sample)],
  ['config/scanflow.scale.yaml', `${sample}${LEDGER}`],
  ['deploy/kubernetes/example/scanflow.yaml', inCluster(`${sample}${LEDGER}`)],
  ['deploy/swarm/scanflow.yaml', inSwarm(`${sample}${LEDGER}`)],
];
for (const [path, text] of generated) {
  if (!values.check) await writeFile(at(path), text);
  else if ((await readFile(at(path), 'utf8').catch(() => undefined)) !== text) {
    console.error(`${path} is not what it is made of: npm run generate`);
    process.exitCode = 1;
  }
}
