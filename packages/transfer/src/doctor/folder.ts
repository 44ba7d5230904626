/** A folder: whether it can be written and synchronised, how much room it has, and what that means. */
import { open, readFile, realpath, stat, statfs, unlink } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { defined } from '@scanflow/failure/defined';
import type { Config } from '@scanflow/config';
import { codeOf, messageOf } from '@scanflow/failure';
import { asideName, fsyncFolder, gigabytes, judgeRoom, leastOf, type Floor } from '@scanflow/runtime';
import { failed, ok, warning, type Check, type Finding } from './check.ts';

interface Space {
  /** Bytes that this process may still write, and all bytes. */
  readonly free: number;
  readonly total: number;
  /** Fraction of inodes that are free; undefined if the file system does not count them. */
  readonly files?: number;
}

interface Mount {
  readonly at: string;
  /** Such as `ext4`, `nfs4`, `overlay`. */
  readonly type: string;
  readonly source: string;
}

type Kind = 'folder' | 'file' | 'missing' | 'unreadable';

export async function kindOf(path: string): Promise<Kind> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? 'missing' : 'unreadable';
  }
}

/** Writes a file, synchronises it and its folder, and removes it. Returns the milliseconds. Throws the error of the system. */
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

/** The mount of a folder; undefined if this system does not say. */
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
    // a later mount covers an earlier one
    if (at !== '' && around && at.length >= (best?.at.length ?? 0))
      best = { at, type, source: unescaped(source) };
  }
  return best;
}

const unescaped = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

const DENIED = [
  'STORE_DENIED',
  'no permission to write there',
  'On the host: chown 10001:10001 FOLDER, the folder that is mounted there; without containers, give it to the user of the service',
] as const;

/** Errors of the system, with the codes of the streamer. */
const TROUBLES: Readonly<Record<string, readonly [code: string, message: string, todo: string]>> = {
  EACCES: DENIED,
  EPERM: DENIED,
  EROFS: ['STORE_READ_ONLY', 'it is mounted read-only', 'Mount it read-write, and look why it was not'],
  ENOSPC: ['STORE_DISK_FULL', 'it is full', 'Free space; storing goes on by itself'],
  EDQUOT: ['STORE_QUOTA', 'its quota is used up', 'Raise it; storing goes on by itself'],
  ESTALE: ['STORE_STALE', 'the network file system lost its handle', 'Mount it again'],
  ENOTCONN: ['STORE_STALE', 'the network file system is not connected', 'Mount it again'],
  EIO: ['STORE_IO', 'it reports an input/output error', 'Check its disks'],
};

/** Why a folder cannot be written. `user`: who tried. */
export function judgeTrouble(folder: string, errno: string, user: string): Finding {
  const known = TROUBLES[errno];
  if (known === undefined)
    return failed(
      `${folder} cannot be written: ${errno}`,
      'Look at it by hand: ls -ld, df, mount.',
      'STORE_IO',
    );
  const [code, message, todo] = known;
  return failed(`${folder}: ${message} (${errno}, as ${user})`, `${todo}.`, code);
}

/** Fraction of inodes. */
const FEW_FILES = 0.02;

/** Free space against the configured floor, or against a minimum. */
export function judgeSpace(folder: string, { free, total, files }: Space, floor?: Floor): Finding[] {
  const findings: Finding[] = [];
  const least = floor === undefined ? undefined : leastOf(total, floor);
  const room = judgeRoom({ free, total, ...defined({ least }) });
  if (room === 'below' && least !== undefined)
    findings.push(
      failed(
        `${folder}: ${gigabytes(free)} free, and storing waits below ${gigabytes(least)} (storage.freeSpace)`,
        'Free space; storing goes on by itself.',
        'STORE_SPACE_FLOOR',
      ),
    );
  else if (room !== 'enough')
    findings.push(
      (room === 'scarce' ? failed : warning)(
        `${folder}: only ${gigabytes(free)} of ${gigabytes(total)} free`,
        'Free space soon. Storing waits where it runs out.',
      ),
    );
  if (files !== undefined && files < FEW_FILES)
    findings.push(
      warning(
        `${folder}: hardly any inodes are left`,
        'Remove small files, or make the file system anew with more inodes.',
      ),
    );
  return findings;
}

/** File systems that are lost with the machine or the container. */
const FLEETING: Readonly<Record<string, string>> = {
  overlay: 'the container itself, and is lost with it',
  tmpfs: 'memory, and is lost when the machine restarts',
  ramfs: 'memory, and is lost when the machine restarts',
};

/** Whether a folder has a mount of its own. */
export function judgeMount(folder: string, mount: Mount | undefined): Finding[] {
  if (mount === undefined) return [];
  const fleeting = FLEETING[mount.type];
  if (fleeting !== undefined)
    return [
      warning(
        `${folder} lies in ${fleeting}`,
        'Mount project storage there: SCANFLOW_PROJECT of compose.yaml.',
      ),
    ];
  if (mount.at !== '/') return [];
  return [
    warning(
      `${folder} is on the system's own disk (${mount.source})`,
      'If project storage is meant to be mounted there, it is not: mount it.',
    ),
  ];
}

/** The roots of a configuration, by the names of their checks. */
export function rootsOf({
  root,
  projects,
  copy,
}: Config['storage']): (readonly [name: string, root: string])[] {
  return [
    ['storage', root],
    ...Object.entries(projects).map(([name, project]) => [`storage ${name}`, project.root] as const),
    ...(copy === undefined ? [] : [['storage copy', copy.root] as const]),
  ];
}

/** A check for each root. */
export const rootChecks = ({ storage }: Pick<Config, 'storage'>): Check[] =>
  rootsOf(storage).map(([name, root]) => ({ name, run: () => lookAtRoot(root, storage.freeSpace) }));

/** Whether a root is there, can be written, lies on a mount of its own, and has room. */
export async function lookAtRoot(root: string, floor: Floor | undefined): Promise<Finding[]> {
  const kind = await kindOf(root);
  if (kind === 'missing')
    return [
      failed(
        `${root} does not exist; it is never made, so that nothing lands under a mount point`,
        'Mount project storage, or make the folder.',
        'STORE_ROOT_MISSING',
      ),
    ];
  if (kind === 'file') return [failed(`${root} is no folder`, 'Correct storage.root.')];
  const written = await attempt(root);
  const mount = await mountOf(root);
  const space = await spaceOf(root).catch(() => undefined);
  const findings = [
    ...(typeof written === 'number' ? [] : [written]),
    ...judgeMount(root, mount),
    ...(space === undefined ? [] : judgeSpace(root, space, floor)),
    ...asRoot(),
  ];
  if (findings.some(({ state }) => state === 'failed') || typeof written !== 'number') return findings;
  const where = mount === undefined ? '' : `, on ${mount.at} (${mount.type}, ${mount.source})`;
  const room = space === undefined ? '' : `, ${gigabytes(space.free)} free`;
  return [...findings, ok(`${root}${where}: written and synchronised in ${written} ms as ${user()}${room}`)];
}

/** Milliseconds, or why it cannot be written. */
export async function attempt(folder: string): Promise<number | Finding> {
  try {
    return await tryWriting(folder);
  } catch (error) {
    return judgeTrouble(folder, codeOf(error) ?? messageOf(error), user());
  }
}

/** A warning if root tried: root may write where the service may not. */
const asRoot = (): Finding[] =>
  userInfo().uid === 0
    ? [
        warning(
          'this was tried as root, who may write where the streamer may not',
          'Run it as the user that the streamer runs as; in containers: docker compose exec streamer scanflow doctor.',
        ),
      ]
    : [];

const user = (): string => `user ${userInfo().uid}`;
