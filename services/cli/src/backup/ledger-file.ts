/** The SQLite ledger, from outside the streamer: a copy of one moment while it runs, and whether it runs. */
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf } from '@scanflow/failure';
import { stampOf } from '@scanflow/runtime';

export const ledgerIn = (data: string): string => join(data, 'streamer', 'ledger.sqlite');

const WAIT_MS = 30_000;
const TRIES = 5;

/** Writes a complete copy to `to`. False if there is no ledger. Throws an Error that says what to do. */
export async function copyLedger(path: string, to: string): Promise<boolean> {
  if ((await stamps(path)).file === undefined) return false;
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  try {
    await snapshot(path, to);
  } catch (error) {
    await rm(to, { force: true });
    throw new Error(
      `the ledger ${path} cannot be copied (${messageOf(error)}). Where it is damaged: scanflow ledger rebuild.`,
      { cause: error },
    );
  }
  return true;
}

/** SQLite reads the ledger while the streamer writes. If the folder is read-only, the files are copied first. */
async function snapshot(path: string, to: string): Promise<void> {
  try {
    vacuum(path, to);
  } catch (error) {
    if (!isReadOnly(error)) throw error;
    await copyStill(path, `${to}.read`);
    vacuum(`${to}.read`, to);
    for (const suffix of SUFFIXES) await rm(`${to}.read${suffix}`, { force: true });
  }
  check(to);
}

const SUFFIXES = ['', '-wal', '-shm'] as const;

/** SQLITE_READONLY, SQLITE_CANTOPEN: SQLite cannot write the files that it needs for reading. */
const isReadOnly = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && [8, 14].includes(Number(error.errcode) & 0xff);

function vacuum(path: string, to: string): void {
  const db = new DatabaseSync(path, { readOnly: true, timeout: WAIT_MS });
  try {
    db.prepare('VACUUM INTO ?').run(to);
  } finally {
    db.close();
  }
}

function check(path: string): void {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const said = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
    if (said !== 'ok') throw new Error(String(said));
  } finally {
    db.close();
  }
}

/** Copies file and log of one moment: both are unchanged after the copy. */
async function copyStill(path: string, to: string): Promise<void> {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const before = await stamps(path);
    for (const suffix of SUFFIXES) await rm(`${to}${suffix}`, { force: true });
    await copyFile(path, to);
    if (before.wal !== undefined) await copyFile(`${path}-wal`, `${to}-wal`);
    const after = await stamps(path);
    if (before.file === after.file && before.wal === after.wal) return;
  }
  throw new Error('it changes all the time');
}

async function stamps(path: string): Promise<{ file: string | undefined; wal: string | undefined }> {
  return { file: await stampOf(path), wal: await stampOf(`${path}-wal`) };
}

/** Takes the lock of the streamer until `release`: no streamer can start meanwhile. Undefined if one runs. */
export async function lockLedger(data: string): Promise<{ readonly release: () => void } | undefined> {
  const path = `${ledgerIn(data)}.lock`;
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
  const lock = new DatabaseSync(path, { timeout: 1000 });
  try {
    lock.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (messageOf(error).includes('locked')) return undefined;
    throw error;
  }
  return { release: () => lock.close() };
}
