/** What is compared before and after a ledger, or more, was lost. */
import assert from 'node:assert/strict';
import { open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { run, until, type RunResult } from '@scanflow/testkit';
import { sha256 } from './sha256.ts';
import type { Rig } from './streamer-support.ts';

const SCANFLOW = join(import.meta.dirname, '../../services/cli/bin/scanflow');

export const scanflow = (...args: string[]): Promise<RunResult> => run(SCANFLOW, args);

/** Asks for a rebuild of the rig's ledger. */
export async function askRebuild(rig: Rig, ...flags: string[]): Promise<void> {
  const asked = await scanflow('ledger', 'rebuild', ...flags, '--config', rig.configFile);
  assert.equal(asked.code, 0, asked.stderr);
}

/** Waits until the log says so. */
export const rebuilt = (rig: Rig): Promise<string> =>
  until(
    () => {
      const output = rig.streamer().output();
      const line = output.split('\n').find((one) => one.includes('"ledger rebuilt"'));
      if (line === undefined && rig.streamer().exited()) throw new Error(output);
      return Promise.resolve(line);
    },
    { what: 'the ledger is rebuilt', timeoutMs: 60_000 },
  );

/** Every file below a folder, with its bytes and the file that it is: a file that was written anew differs. */
export async function filesBelow(folder: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    // the heartbeat of the root goes on: its file changes, and is written aside first
    if (!entry.isFile() || entry.name === '.scanflow-root.json' || entry.name.endsWith('.tmp')) continue;
    const path = join(entry.parentPath, entry.name);
    const { ino, mtimeMs } = await stat(path);
    found.set(path.slice(folder.length + 1), `${ino} ${mtimeMs} ${sha256(await readFile(path))}`);
  }
  return found;
}

export const ledgerFile = (rig: Pick<Rig, 'data'>): string => join(rig.data, 'streamer', 'ledger.sqlite');

/** Overwrites pages of the file. */
export async function overwrite(path: string, from: number): Promise<void> {
  const { size } = await stat(path);
  const file = await open(path, 'r+');
  try {
    await file.write(Buffer.alloc(Math.max(size - from, 4096), 0x41), 0, undefined, from);
    await file.sync();
  } finally {
    await file.close();
  }
}

export async function loseLedger(rig: Pick<Rig, 'data'>): Promise<void> {
  for (const suffix of ['', '-wal', '-shm']) await rm(`${ledgerFile(rig)}${suffix}`, { force: true });
}

/** Waits for the process to end; gives what it said. */
export async function ended(rig: Rig): Promise<string> {
  const program = rig.streamer();
  await until(() => program.exited(), { what: 'the streamer ends', timeoutMs: 30_000 });
  return program.output();
}
