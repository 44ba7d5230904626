/**
 * What people decided, one small file for each series, below the main root: it survives a ledger and an Orthanc that are
 * lost, and is found without knowing the folder of the series.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decisionText, parseDecision, type Decision } from '../../domain/decision.ts';
import { errnoOf } from '../../domain/failure.ts';
import type { Access } from './access.ts';
import { folderAt } from './folders.ts';
import { writeOwn } from './image-file.ts';

/** Hidden, which no layout's folder is. */
const PARTS = ['.scanflow', 'decisions'] as const;
const nameOf = (series: string): string => `${series}.json`;

/** Undefined where there is none; also where the root is not there, as then nothing is known of it. */
export async function readDecision(root: string, series: string): Promise<Decision | undefined> {
  try {
    return parseDecision(await readFile(join(root, ...PARTS, nameOf(series)), 'utf8'));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
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
