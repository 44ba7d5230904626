/** `manifest.json` of a backup: what it holds, the sum of each file, and whether the backup is complete. */
import { createHash } from 'node:crypto';
import { open, readdir, type FileHandle } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { codeOf } from '@scanflow/failure';
import { readBounded } from '@scanflow/runtime';
import { z } from 'zod';

export const MANIFEST = 'manifest.json';
/** The name of a backup's folder says when the backup began. */
const BACKUP_NAME = /^scanflow-\d{8}T\d{6}Z$/;
const LIMIT = 256 * 1024 * 1024;
const FORMAT = 1;

/** Below the backup's folder, with `/`. */
const path = z
  .string()
  .max(4096)
  .refine((text) => text.split('/').every((part) => part !== '' && part !== '.' && part !== '..'))
  .refine((text) => !text.includes('\0'));

const file = z.object({
  path,
  bytes: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  mode: z.int().min(0).max(0o777),
});

const manifest = z.object({
  version: z.literal(FORMAT),
  /** Of Scanflow. */
  scanflow: z.string().regex(/^\d+\.\d+\.\d+/),
  created: z.string(),
  ledger: z.enum(['sqlite', 'postgresql', 'none']),
  /** Of the day board; backups of before it say nothing of them. */
  users: z.enum(['sqlite', 'postgresql', 'none']).optional(),
  /** Where the secrets belong: their folders, in the order of `secrets/0`, `secrets/1` … */
  secrets: z.array(z.string()),
  files: z.array(file),
});

export type Manifest = z.infer<typeof manifest>;
export type ManifestFile = z.infer<typeof file>;

/** Reads the manifest. Throws an Error that says what is wrong with it. `own`: the version of this command. */
async function readManifest(folder: string, own: string): Promise<Manifest> {
  let bytes: Buffer;
  try {
    bytes = await readBounded(join(folder, MANIFEST), LIMIT);
  } catch (error) {
    const why = codeOf(error) === 'ENOENT' ? 'it has no manifest.json' : String(error);
    throw new Error(`${folder} is no whole backup: ${why}.`, { cause: error });
  }
  const value: unknown = parse(bytes);
  const fields = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const { version, scanflow } = fields;
  if (typeof version === 'number' && version > FORMAT) throw tooNew(folder, String(scanflow), own);
  const read = manifest.safeParse(value);
  if (!read.success) throw new Error(`${folder} is no whole backup: its manifest.json cannot be read.`);
  if (isNewer(read.data.scanflow, own)) throw tooNew(folder, read.data.scanflow, own);
  return read.data;
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

const tooNew = (folder: string, theirs: string, own: string): Error =>
  new Error(
    `${folder} was made by Scanflow ${theirs}; this is ${own}. Restore it with that version or a later one.`,
  );

/** Compares major, minor and patch. */
function isNewer(one: string, than: string): boolean {
  const numbers = (text: string): number[] => text.split(/[.-]/, 3).map(Number);
  const [a, b] = [numbers(one), numbers(than)];
  const differs = a.findIndex((value, index) => value !== b[index]);
  return differs >= 0 && (a[differs] ?? 0) > (b[differs] ?? 0);
}

/** The folder itself, or the latest backup in it. Throws an Error if there is none. */
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

const CHUNK = 1024 * 1024;

/** Size and sum of an open file. `each` gets its bytes, part by part. */
export async function sumIn(
  file: FileHandle,
  each?: (part: Uint8Array) => Promise<void>,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(CHUNK);
  for (let bytes = 0; ;) {
    const { bytesRead } = await file.read(buffer, 0, CHUNK);
    if (bytesRead === 0) return { bytes, sha256: hash.digest('hex') };
    const part = buffer.subarray(0, bytesRead);
    hash.update(part);
    await each?.(part);
    bytes += bytesRead;
  }
}

/** Size and sum of a file. */
export async function sumOf(path: string): Promise<{ bytes: number; sha256: string }> {
  const file = await open(path, 'r');
  return sumIn(file).finally(() => file.close());
}

/** Reads all of a backup. Throws an Error that names the first thing that is wrong. */
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
