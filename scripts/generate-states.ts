/**
 * Writes docs/states.md: what may become of a series and of its legs, drawn from the tables of the code.
 * `--check` writes nothing and exits 1 where the file is not what it would be.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  LEG_TRANSITIONS,
  REQUEST_TRANSITIONS,
  SERIES_TRANSITIONS,
  type Transition,
} from '../services/streamer/src/model/transitions.ts';

const PAGE = new URL('../docs/states.md', import.meta.url);
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });

const diagram = (steps: readonly Transition<string>[]): string => {
  const name = (state: string): string => (state === 'none' ? '[*]' : state);
  const lines = steps.map(({ from, to, why }) => `    ${name(from)} --> ${name(to)}: ${why}`);
  return ['```mermaid', 'stateDiagram-v2', ...lines, '```'].join('\n');
};

const page = `# What may become of a series

Generated from \`services/streamer/src/model/transitions.ts\` (\`npm run generate\`); every other step is an error, and
changes nothing.

## A series

Its state is never set: it follows from its quiet timer, its quarantine and its legs.

${diagram(SERIES_TRANSITIONS)}

## A leg: a series on its way to one target

Targets are storage, the copy of everything, each destination, and \`commitment:NAME\`: what the destination NAME has
promised to keep. That leg is opened in the transaction in which sending ends, so that a series is never complete in
between. A leg that is **held** is in one worker's hands. The
worker renews its lease while it works; what it writes after another took the leg over is refused (\`LEDGER_LEASE_LOST\`).

${diagram(LEG_TRANSITIONS)}

## A request for storage commitment

A report counts in every state but **answered**; there it changes nothing. [commitment.md](commitment.md) tells what
becomes of each image.

${diagram(REQUEST_TRANSITIONS)}
`;

if (!values.check) await writeFile(PAGE, page);
else if ((await readFile(PAGE, 'utf8').catch(() => undefined)) !== page) {
  console.error('docs/states.md is not what the code says: node scripts/generate-states.ts');
  process.exitCode = 1;
}
