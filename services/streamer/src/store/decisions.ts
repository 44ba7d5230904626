/**
 * What people decided of series. The ledger, Orthanc and project storage each keep it, so that losing one loses nothing. Below the
 * main root it is one small file for each series: it is found without knowing the folder of the series.
 */
import type { Notes, Orthanc } from '@scanflow/orthanc';
import { readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fsyncFolder, absent } from '@scanflow/runtime';
import { decisionText, latest, parseDecision, type Decision } from '../model/decision.ts';
import { unlessGone } from '../model/failure.ts';
import type { Store } from './types.ts';
import { reached } from '../work/trace.ts';
import { type Access, nowhere } from './disk/folders.ts';
import { folderAt, namesIn } from './disk/folders.ts';
import { writeOwn } from './disk/image-file.ts';

export interface DecisionDeps {
  readonly orthanc: Pick<Orthanc, 'notes' | 'noteDecision'>;
  readonly store: Pick<Store, 'decision' | 'keepDecision'>;
}

/**
 * The latest of what the ledger, Orthanc and project storage know. Each of the three may be older than the others, after a
 * restore, or empty. `notes`: of the series, as Orthanc has them.
 */
export async function recall(
  series: string,
  inLedger: Decision | undefined,
  notes: Notes,
  { store }: Pick<DecisionDeps, 'store'>,
): Promise<Decision | undefined> {
  return latest(inLedger, parseDecision(notes.decision), await store.decision(series));
}

/** Before anything of the series is written: Orthanc first, then project storage. Whatever has it is left alone. */
export async function remember(
  series: string,
  decision: Decision,
  { orthanc, store }: DecisionDeps,
  signal: AbortSignal,
): Promise<void> {
  const text = decisionText(decision);
  const notes = await unlessGone(orthanc.notes(series, signal));
  if (notes !== undefined && notes.decision !== text) {
    await orthanc.noteDecision(series, text, signal);
    reached('decision-noted', { series });
  }
  const kept = await store.decision(series);
  if (kept === undefined || decisionText(kept) !== text) {
    await store.keepDecision(series, decision);
    reached('decision-kept', { series });
  }
}

/** Hidden, which no layout's folder is. */
const PARTS = ['.scanflow', 'decisions'] as const;
const nameOf = (series: string): string => `${series}.json`;

/** Undefined where there is none; also where the root is not there, as then nothing is known of it. */
export async function readDecision(root: string, series: string): Promise<Decision | undefined> {
  return parseDecision(await readFile(join(root, ...PARTS, nameOf(series)), 'utf8').catch(nowhere));
}

export async function writeDecision(
  root: string,
  series: string,
  decision: Decision,
  access: Access,
): Promise<void> {
  const folder = await folderAt(root, PARTS, access);
  await writeOwn(folder, nameOf(series), `${decisionText(decision)}\n`, access);
}

/** By series. */
export async function allDecisions(root: string): Promise<ReadonlyMap<string, Decision>> {
  const all = new Map<string, Decision>();
  for (const name of await namesIn(join(root, ...PARTS))) {
    const series = /^([0-9a-f-]+)\.json$/.exec(name)?.[1];
    const decision = series === undefined ? undefined : await readDecision(root, series);
    if (series !== undefined && decision !== undefined) all.set(series, decision);
  }
  return all;
}

/** With what a writer that was killed left aside. */
export async function removeDecision(root: string, series: string): Promise<void> {
  const folder = join(root, ...PARTS);
  const ours = (await namesIn(folder)).filter((name) => name.includes(series));
  for (const name of ours) await unlink(join(folder, name)).catch(absent);
  if (ours.length > 0) await fsyncFolder(folder);
}
