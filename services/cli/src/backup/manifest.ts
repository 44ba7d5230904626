/** `manifest.json` of a backup: what it holds, of which Scanflow, and the sum of each file. */
import { join } from 'node:path';
import { codeOf } from '@scanflow/failure';
import { readBounded } from '@scanflow/runtime';
import { z } from 'zod';

export const MANIFEST = 'manifest.json';
/** A backup's folder is named after the time at which it was begun. */
export const BACKUP_NAME = /^scanflow-\d{8}T\d{6}Z$/;
const LIMIT = 256 * 1024 * 1024;
const FORMAT = 1;

/** Within the backup, with `/`; nothing leads out of it. */
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
  /** Where the secrets belong: their folders, in the order of `secrets/0`, `secrets/1` … */
  secrets: z.array(z.string()),
  files: z.array(file),
});

export type Manifest = z.infer<typeof manifest>;
export type ManifestFile = z.infer<typeof file>;

/** Throws an Error that says what is wrong with it. */
export async function readManifest(folder: string, own: string): Promise<Manifest> {
  let bytes: Buffer;
  try {
    bytes = await readBounded(join(folder, MANIFEST), LIMIT);
  } catch (error) {
    const why = codeOf(error) === 'ENOENT' ? 'it has no manifest.json' : String(error);
    throw new Error(`${folder} is no whole backup: ${why}.`, { cause: error });
  }
  const value: unknown = parse(bytes);
  const version =
    typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined;
  const scanflow =
    typeof value === 'object' && value !== null && 'scanflow' in value ? value.scanflow : undefined;
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

/** By major, minor and patch. */
export function isNewer(one: string, than: string): boolean {
  const numbers = (text: string): number[] => text.split(/[.-]/, 3).map(Number);
  const [a, b] = [numbers(one), numbers(than)];
  const differs = a.findIndex((value, index) => value !== b[index]);
  return differs >= 0 && (a[differs] ?? 0) > (b[differs] ?? 0);
}
