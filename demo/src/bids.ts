/** `scanflow demo --bids`: sessions with names of ReproIn, the verdict on each of them, and the dataset as a tree. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { detailsText, isGood, statusText, type BidsSession } from '@scanflow/cli/bids';
import { UsageError } from '@scanflow/cli/command';
import type { Show } from '@scanflow/cli/terminal';
import { newUid, text, type DataSet } from '@scanflow/dicom';
import { mrSession, scanSeries, type MrWhat } from '@scanflow/testkit';
import type { DemoScanner, Scan, Stack } from './stack.ts';

const VALIDATOR = fileURLToPath(new URL('../../services/bids/validator', import.meta.url));

/** Throws a UsageError that says what to install. */
export function requireBids(): void {
  const { error } = spawnSync('dcm2niix', ['--version'], { stdio: 'ignore', timeout: 10_000 });
  const isMissing = error !== undefined && 'code' in error && error.code === 'ENOENT';
  const missing = [
    ...(isMissing ? ['dcm2niix is missing. Install it: sudo apt-get install dcm2niix'] : []),
    ...(existsSync(join(VALIDATOR, 'node_modules/bids-validator/bin/bids-validator'))
      ? []
      : ['the validator is missing. Install it: npm ci --ignore-scripts --prefix services/bids/validator']),
  ];
  if (missing.length > 0) throw new UsageError(`--bids needs more than is here: ${missing.join('; ')}`);
}

/** A run was aborted and repeated; field maps of both directions. */
const SERIES: readonly MrWhat[] = [
  ...(['localiser', 't1w', 'epi AP', 'epi PA', 'bold aborted', 'sbref', 'bold', 'dwi'] as const),
];
/** As the phantoms of a session are scanned, one a minute. */
const SESSION_MINUTES = SERIES.length;

/** Only MR becomes BIDS here. */
export function scanForBids(
  { modality }: DemoScanner,
  worklistItem: DataSet,
  when: Temporal.ZonedDateTime,
): Scan[] | undefined {
  if (modality !== 'MR') return undefined;
  const accession = text(worklistItem, 'AccessionNumber') ?? '';
  const seed = createHash('sha256').update(accession).digest().readUInt32BE();
  const began = when.subtract({ minutes: SESSION_MINUTES });
  return mrSession({ series: SERIES }).map((series) => {
    const seriesInstanceUid = newUid();
    const images = [...scanSeries(series, { worklistItem, seed, when: began, seriesInstanceUid })];
    return { seriesInstanceUid, seriesDescription: series.seriesDescription, images };
  });
}

const LOOK_EVERY_MS = 250;
const ANSWER_MS = 10_000;
/** Of all sessions together. */
const LONGEST_MS = 600_000;

/** Waits for the verdict on each of these sessions. */
async function awaitBids(
  { streamer }: Pick<Stack, 'streamer'>,
  wanted: ReadonlySet<string>,
  show: Show,
  signal: AbortSignal,
): Promise<BidsSession[]> {
  show.heading('Complete sessions become BIDS');
  const told = new Set<string>();
  const deadline = performance.now() + LONGEST_MS;
  for (;;) {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
    const answer = await fetch(`${streamer.url}/api/bids`, { signal: limit, headers: streamer.headers });
    if (!answer.ok) throw new Error(`the streamer answered ${answer.status} to ${streamer.url}/api/bids`);
    const { sessions } = (await answer.json()) as { sessions: BidsSession[] };
    const ours = sessions.filter(({ accessionNumber }) => wanted.has(accessionNumber));
    for (const { accessionNumber, bids } of ours.filter(hasEnded)) {
      if (told.has(accessionNumber)) continue;
      told.add(accessionNumber);
      const { verdict, counts } = bids?.result ?? {};
      show.step(
        `${accessionNumber}: BIDS ${verdict ?? bids?.failure?.code ?? 'has nothing to convert'}`,
        `${counts?.converted ?? 0} series`,
      );
    }
    if (told.size === wanted.size) return ours;
    if (performance.now() > deadline) {
      show.problem(
        `some sessions have no verdict after ${LONGEST_MS / 60_000} minutes: see scanflow bids status`,
      );
      return ours;
    }
    await pause(LOOK_EVERY_MS, undefined, { signal });
  }
}

const hasEnded = ({ bids }: BidsSession): boolean => bids !== undefined && bids.state !== 'pending';

export interface BidsSeen {
  readonly good: boolean;
  /** For programs. */
  readonly sessions: readonly object[];
  /** Verdicts as a table, and each dataset as a tree. */
  readonly text: string;
}

/** Waits for the verdict on these sessions, and looks at their datasets. */
export async function seeBids(
  stack: Pick<Stack, 'streamer' | 'timezone'>,
  sent: readonly { readonly accessionNumber: string }[],
  show: Show,
  signal: AbortSignal,
): Promise<BidsSeen> {
  const wanted = new Set(sent.map(({ accessionNumber }) => accessionNumber));
  const sessions = await awaitBids(stack, wanted, show, signal);
  const files = new Map<string, readonly string[]>();
  for (const { bids } of sessions) {
    const dataset = bids?.result?.dataset ?? '';
    if (dataset !== '' && existsSync(dataset)) files.set(dataset, await filesIn(dataset));
  }
  const trees = [...files].map(([dataset, names]) => `\n${dataset}\n${treeText(names)}`);
  return {
    good: sessions.length === wanted.size && sessions.every((one) => hasEnded(one) && isGood(one)),
    sessions: sessions.map(({ accessionNumber, bids }) => ({
      accessionNumber,
      ...bids,
      files: files.get(bids?.result?.dataset ?? '') ?? [],
    })),
    text: [statusText(sessions, stack.timezone), ...sessions.map(detailsText), ...trees].join(''),
  };
}

/** Without Scanflow's own folder. */
async function filesIn(dataset: string): Promise<string[]> {
  const entries = await readdir(dataset, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(dataset.length + 1))
    .filter((name) => !name.startsWith('.scanflow/'))
    .toSorted();
}

function treeText(files: readonly string[], indent = ''): string {
  const names = Map.groupBy(files, (file) => file.split('/')[0] ?? '');
  return [...names]
    .map(([name, all], index) => {
      const isLast = index === names.size - 1;
      const below = all.filter((file) => file.includes('/')).map((file) => file.slice(name.length + 1));
      const line = `${indent}${isLast ? '└── ' : '├── '}${name}\n`;
      return line + (below.length === 0 ? '' : treeText(below, `${indent}${isLast ? '    ' : '│   '}`));
    })
    .join('');
}
