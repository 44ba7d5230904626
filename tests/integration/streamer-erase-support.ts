/** What an erasure has to leave: nothing that names the subject, in files, database pages or logs. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '@scanflow/testkit';

/** Throws where a file below the folders, by its name or its content, names what is gone. */
export async function requireForgotten(gone: string, folders: readonly string[]): Promise<void> {
  // a file that was renamed meanwhile may stand under a name that was not looked at
  await until(
    async () => (await Promise.all(folders.map((one) => isForgotten(gone, one)))).every((whole) => whole),
    { what: 'a look at every file', timeoutMs: 30_000 },
  );
}

/** Throws where a file names it; false where one went away before it was read. */
async function isForgotten(gone: string, folder: string): Promise<boolean> {
  let whole = true;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    assert.ok(!path.includes(gone), path);
    if (!entry.isFile()) continue;
    const content = await readFile(path).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      whole = false;
      return '';
    });
    assert.ok(!content.includes(gone), `${path} still names the subject`);
  }
  return whole;
}
