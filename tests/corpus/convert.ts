/** dcm2niix on the originals of a series, and on what was stored of it: the same files have to come out. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '@scanflow/testkit';
import type { Image } from './image-head.ts';
import { row, type Row } from './rows.ts';

const TIMEOUT_MS = 300_000;
/** Where the files differ: the originals are converted so many times more, to see whether dcm2niix itself varies. */
const REPEATS = 5;
/** Of several fragments it reads the first, and behind it whatever lies in memory. */
const FRAGMENTS = /Compressed image stored as \d+ fragments/;

interface Made {
  /** Name → hash. */
  readonly files: ReadonlyMap<string, string>;
  readonly said: string;
}

/** One row for a series that converts; none for one of which dcm2niix makes nothing. */
export async function compareConversion(
  folder: string,
  kept: readonly { readonly image: Image; readonly file: string }[],
  temp: string,
): Promise<Row[]> {
  const [first] = kept;
  if (first === undefined) return [];
  const below = await mkdtemp(join(temp, 'nifti-'));
  try {
    const [originals, after] = [join(below, 'originals'), join(below, 'after')];
    for (const path of [originals, after]) await mkdir(path);
    for (const { image, file } of kept) {
      await symlink(image.path, join(originals, file));
      await symlink(join(folder, file), join(after, file));
    }
    const subject = { name: `${first.image.name} (${kept.length} images)`, kind: first.image.kind };
    const found = await difference(below, originals, after);
    return found === undefined ? [] : [row(subject, 'nifti', ...found)];
  } finally {
    await rm(below, { recursive: true, force: true });
  }
}

type Found = readonly [Row['outcome'], string?, string?];

async function difference(below: string, originals: string, after: string): Promise<Found | undefined> {
  const was = await convert(originals, join(below, 'a'));
  const is = await convert(after, join(below, 'b'));
  if (was === undefined || is === undefined)
    return ['untried', 'TIMEOUT', `dcm2niix took longer than ${TIMEOUT_MS / 1000} s.`];
  const all = new Set([...was.files.keys(), ...is.files.keys()]);
  if (all.size === 0) return undefined;
  const names = [...all].filter((name) => was.files.get(name) !== is.files.get(name));
  if (names.length === 0) return ['held'];
  if (FRAGMENTS.test(was.said))
    return ['untried', 'FRAGMENTS', 'dcm2niix says that it may not read this compressed image.'];
  for (let turn = 1; turn <= REPEATS; turn += 1) {
    const again = await convert(originals, join(below, `again-${turn}`));
    if (names.some((name) => again?.files.get(name) !== was.files.get(name)))
      return ['untried', 'NOT_REPEATABLE', 'dcm2niix makes something else of the originals each time.'];
  }
  const kinds = new Set(names.map((name) => name.slice(name.lastIndexOf('.'))));
  return ['broke', 'OTHER_NIFTI', `Other files of these kinds: ${[...kinds].join(' ')}.`];
}

/** Undefined where it takes too long. */
async function convert(folder: string, into: string): Promise<Made | undefined> {
  await mkdir(into);
  const args = ['-z', 'n', '-b', 'y', '-ba', 'n', '-f', '%s_%t', '-o', into, folder];
  const ran = await run('dcm2niix', args, { timeoutMs: TIMEOUT_MS }).catch(() => undefined);
  if (ran === undefined) return undefined;
  const files = new Map<string, string>();
  for (const name of (await readdir(into)).sort())
    files.set(
      name,
      createHash('sha256')
        .update(await readFile(join(into, name)))
        .digest('hex'),
    );
  return { files, said: ran.stdout };
}
