/** What there is to know of a folder: whether it can be written, synchronised, and how much room it has. */
import { open, readFile, realpath, stat, statfs, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '@scanflow/failure';
import { asideName, fsyncFolder } from '@scanflow/runtime';

export interface Space {
  /** Bytes that this process may still write, and of the whole. */
  readonly free: number;
  readonly total: number;
  /** Part of the files that may still be made; undefined where the file system does not count them. */
  readonly files?: number;
}

export interface Mount {
  readonly at: string;
  /** Such as `ext4`, `nfs4`, `overlay`. */
  readonly type: string;
  readonly source: string;
}

export type Kind = 'folder' | 'file' | 'missing' | 'unreadable';

export async function kindOf(path: string): Promise<Kind> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? 'missing' : 'unreadable';
  }
}

/** Writes a file, synchronises it and its folder, takes it away: the milliseconds. Throws the system's error. */
export async function tryWriting(folder: string): Promise<number> {
  const path = asideName(join(folder, 'doctor'));
  const started = performance.now();
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile('scanflow doctor\n');
    await file.sync();
    await fsyncFolder(folder);
  } finally {
    await file.close();
    await unlink(path);
  }
  return Math.round(performance.now() - started);
}

export async function spaceOf(folder: string): Promise<Space> {
  const { bavail, blocks, bsize, files, ffree } = await statfs(folder);
  return { free: bavail * bsize, total: blocks * bsize, ...(files > 0 ? { files: ffree / files } : {}) };
}

/** What is mounted where the folder is; undefined where this system does not tell. */
export async function mountOf(folder: string): Promise<Mount | undefined> {
  try {
    return mountAmong(await readFile('/proc/self/mountinfo', 'utf8'), await realpath(folder));
  } catch {
    return undefined;
  }
}

/** The innermost mount around a path (proc(5), mountinfo). Pure. */
export function mountAmong(table: string, path: string): Mount | undefined {
  let best: Mount | undefined;
  for (const line of table.split('\n')) {
    const [left = '', right = ''] = line.split(' - ');
    const at = unescaped(left.split(' ')[4] ?? '');
    const [type = '', source = ''] = right.split(' ');
    const around = at === '/' || path === at || path.startsWith(`${at}/`);
    // the later one lies over the earlier
    if (at !== '' && around && at.length >= (best?.at.length ?? 0))
      best = { at, type, source: unescaped(source) };
  }
  return best;
}

const unescaped = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
