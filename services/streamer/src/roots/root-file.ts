/** Identity files on disk, and the installation's ID in the data folder. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readBounded, writeFileAtomic } from '@scanflow/runtime';
import { codeOf } from '@scanflow/failure';
import type { Access } from '../store/disk/access.ts';
import { writeOwn } from '../store/disk/image-file.ts';
import { IDENTITY_NAME, identityText, parseIdentity, type RootIdentity } from './identity.ts';

const LIMIT = 65_536;

/** Undefined if there is none, or one of another program. */
export async function readIdentity(root: string): Promise<RootIdentity | undefined> {
  const text = await readText(join(root, IDENTITY_NAME));
  return text === undefined ? undefined : parseIdentity(text);
}

/** Writes aside, syncs, renames. */
export const writeIdentity = (root: string, identity: RootIdentity, access: Access): Promise<void> =>
  writeOwn(root, IDENTITY_NAME, identityText(identity), access);

/** Whether the folder holds only hidden names (snapshots, our own) and lost+found. */
export async function isEmptyRoot(root: string): Promise<boolean> {
  const names = await readdir(root);
  return names.every((name) => name.startsWith('.') || name === 'lost+found');
}

async function readText(path: string): Promise<string | undefined> {
  try {
    const bytes = await readBounded(path, LIMIT);
    return bytes.length > LIMIT ? undefined : bytes.toString('utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Survives the ledger: a new ledger in the same data folder belongs to the same installation. */
export interface Installation {
  readonly id: string;
  /** IDs of its roots, by name. */
  readonly roots: Readonly<Record<string, string>>;
}

const INSTALLATION = 'installation.json';

/** Undefined if there is none. */
export async function readInstallation(folder: string): Promise<Installation | undefined> {
  const text = await readText(join(folder, INSTALLATION));
  if (text === undefined) return undefined;
  try {
    const { id, roots } = JSON.parse(text) as Partial<Installation>;
    return typeof id === 'string' && typeof roots === 'object' ? { id, roots } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * For whoever makes the data folder anew: with the `ledger` of a root's identity as id, a new ledger there belongs to the
 * installation that had the root, and goes on with it without being asked.
 */
export const writeInstallation = (folder: string, installation: Installation): Promise<void> =>
  writeFileAtomic(
    join(folder, INSTALLATION),
    `${JSON.stringify({ version: 1, ...installation }, null, 1)}\n`,
    {
      mode: 0o640,
    },
  );
