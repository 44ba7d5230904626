/**
 * What people decided, one small file for each series, below the main root: it survives a ledger and an Orthanc that are
 * lost, and is found without knowing the folder of the series.
 */
import { readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fsyncFolder } from '@scanflow/runtime';
import { codeOf } from '@scanflow/failure';
import { decisionText, parseDecision, type Decision } from '../../model/decision.ts';
import type { Access } from './access.ts';
import { folderAt, namesIn } from './folders.ts';
import { writeOwn } from './image-file.ts';

/** Hidden, which no layout's folder is. */
const PARTS = ['.scanflow', 'decisions'] as const;
const nameOf = (series: string): string => `${series}.json`;

/** Undefined where there is none; also where the root is not there, as then nothing is known of it. */
export async function readDecision(root: string, series: string): Promise<Decision | undefined> {
  try {
    return parseDecision(await readFile(join(root, ...PARTS, nameOf(series)), 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
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
  const ours = (await namesIn(join(root, ...PARTS))).filter((name) => name.includes(series));
  for (const name of ours)
    await unlink(join(folder, name)).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
  if (ours.length > 0) await fsyncFolder(folder);
}
