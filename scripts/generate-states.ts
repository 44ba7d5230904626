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
} from '../services/streamer/src/model/series.ts';

const PAGE = new URL('../docs/states.md', import.meta.url);
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });

const diagram = (steps: readonly Transition<string>[]): string => {
  const name = (state: string): string => (state === 'none' ? '[*]' : state);
  const lines = steps.map(({ from, to, why }) => `    ${name(from)} --> ${name(to)}: ${why}`);
  return ['```mermaid', 'stateDiagram-v2', ...lines, '```'].join('\n');
};

const page = `# What may become of a series

For developers, and for facility IT that reads the log: every legal step of a series, a leg and a request for commitment.

Generated from \`services/streamer/src/model/series.ts\` (\`npm run generate\`). Every other step is an error, and
changes nothing.

## A series

Its state is never set: it follows from its quiet timer, its quarantine and its legs.

${diagram(SERIES_TRANSITIONS)}

## A leg: a series on its way to one target

Targets are storage, the copy of everything, each destination, and \`commitment:NAME\`: the images that the destination NAME
promised to keep. The transaction that ends sending opens that leg, so that a series is never complete in between. A
**claimed** leg is in one worker's hands. The worker renews its lease while it works. After another worker took the leg over,
the ledger refuses its writes (\`LEDGER_LEASE_LOST\`).

${diagram(LEG_TRANSITIONS)}

## A request for storage commitment

A report counts in every state but **answered**; there it changes nothing. [commitment.md](commitment.md) says what
becomes of each image.

${diagram(REQUEST_TRANSITIONS)}
`;

if (!values.check) await writeFile(PAGE, page);
else if ((await readFile(PAGE, 'utf8').catch(() => undefined)) !== page) {
  console.error('docs/states.md is not what the code says: node scripts/generate-states.ts');
  process.exitCode = 1;
}
