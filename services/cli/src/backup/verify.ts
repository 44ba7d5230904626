/** Whether a backup is whole: every file that its manifest names, with its sum, and none beside them. */
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { codeOf } from '@scanflow/failure';
import { BACKUP_NAME, MANIFEST, readManifest, type Manifest } from './manifest.ts';
import { sumOf } from './write.ts';

/** The folder itself, or the latest backup in it. Throws an Error where there is none. */
export async function findBackup(folder: string): Promise<string> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new Error(`${folder} cannot be read (${codeOf(error) ?? String(error)})`, { cause: error });
  });
  if (names.includes(MANIFEST)) return folder;
  const latest = names
    .filter((name) => BACKUP_NAME.test(name))
    .toSorted()
    .at(-1);
  if (latest === undefined)
    throw new Error(`${folder} holds no backup: no folder like scanflow-20261128T020000Z`);
  return join(folder, latest);
}

/** Reads all of it. Throws an Error that names what is wrong first. */
export async function verifyBackup(folder: string, own: string, signal: AbortSignal): Promise<Manifest> {
  const manifest = await readManifest(folder, own);
  const named = new Set(manifest.files.map(({ path }) => path));
  for (const { path, bytes, sha256 } of manifest.files) {
    signal.throwIfAborted();
    const found = await sumOf(join(folder, path)).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') throw new Error(`${folder} is no whole backup: ${path} is missing.`);
      throw error;
    });
    if (found.bytes !== bytes || found.sha256 !== sha256)
      throw new Error(`${folder} is no whole backup: ${path} is not what was written.`);
  }
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/');
    if (entry.isSymbolicLink()) throw new Error(`${folder} holds a link, ${path}: nothing is restored.`);
    if (entry.isFile() && path !== MANIFEST && !named.has(path))
      throw new Error(`${folder} holds ${path}, which its manifest does not name: nothing is restored.`);
  }
  return manifest;
}
