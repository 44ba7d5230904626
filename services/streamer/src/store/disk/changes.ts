/** What people decide of a series in project storage: kept beside it, and what is left where it was before. */
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RootGuard, Store } from '../../ports.ts';
import type { Access } from './access.ts';
import { isClaimed } from './claim.ts';
import { allDecisions, readDecision, removeDecision, writeDecision } from './decisions.ts';
import { leaveFolder } from './leave.ts';
import { rootOf, type Roots } from './roots.ts';
import { placeWithin } from './within.ts';

interface Ground {
  readonly main: string;
  readonly roots: Roots;
  readonly access: Access;
  readonly guard: RootGuard;
}

type Changes = Pick<
  Store,
  'isAt' | 'open' | 'leave' | 'removeReport' | 'decision' | 'keepDecision' | 'decisions' | 'dropDecision'
>;

export const changesOn = ({ main, roots, access, guard }: Ground): Changes => ({
  isAt: async (names, series, root = main) => {
    await guard.ready(root);
    return isClaimed(root, names, series);
  },
  open: (below, { file, bytes }) => ({
    bytes,
    md5: undefined,
    chunks: createReadStream(roots.pathOf(below, file)) as AsyncIterable<Uint8Array>,
  }),
  leave: async (below, series, stillOurs) => {
    const at = await placeWithin(roots, guard, below);
    return at === undefined ? [] : leaveFolder(await rootOf(at.root), at.path, series, stillOurs);
  },
  removeReport: async (below, file) => {
    const at = await placeWithin(roots, guard, below);
    if (at !== undefined) await rm(join(at.path, file), { force: true });
  },
  decision: (series) => readDecision(main, series),
  keepDecision: async (series, decision) => {
    await guard.ready(main);
    await writeDecision(main, series, decision, access);
  },
  decisions: () => allDecisions(main),
  dropDecision: (series) => removeDecision(main, series),
});
