/** What the command line names, file by file: folders are walked, archives unpacked on the way. */
import { opendirSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { UsageError } from '../command.ts';
import type { Found, Wanted } from './found.ts';
import { ArchiveError } from './limits.ts';
import type { Spool } from './spool.ts';

export type InputKind = 'file' | 'folder' | 'zip' | 'tar' | 'tgz';

export interface LocalInput {
  readonly path: string;
  readonly kind: InputKind;
}

/** A study or series in an Orthanc, with all of its images; `path` is its address. */
export interface OrthancInput {
  readonly path: string;
  readonly kind: 'orthanc';
  readonly images: readonly Found[];
}

export type Input = LocalInput | OrthancInput;

/** Looks at what was named. Throws UsageError where something of it is not there. */
export async function lookAt(names: readonly string[]): Promise<LocalInput[]> {
  const inputs: LocalInput[] = [];
  for (const name of names) {
    const path = resolve(name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) throw new UsageError(`there is no ${name}`);
    if (!stat.isFile() && !stat.isDirectory()) throw new UsageError(`${name} is neither a file nor a folder`);
    inputs.push({ path, kind: stat.isDirectory() ? 'folder' : await kindOf(path) });
  }
  return inputs;
}

/** By its first bytes; a tar of the old kind by its name. */
async function kindOf(path: string): Promise<InputKind> {
  const file = await open(path, 'r').catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new UsageError(`${path} cannot be read: ${code}`);
  });
  const head = Buffer.alloc(512);
  try {
    await file.read(head, 0, head.length, 0);
  } finally {
    await file.close();
  }
  const text = (from: number, to: number): string => head.toString('latin1', from, to);
  if (text(128, 132) === 'DICM') return 'file';
  if (['PK\u0003\u0004', 'PK\u0005\u0006'].includes(text(0, 4))) return 'zip';
  if (head.readUInt16BE(0) === 0x1f8b) return 'tgz';
  return text(257, 262) === 'ustar' || /\.tar$/i.test(path) ? 'tar' : 'file';
}

export interface ReadOptions {
  readonly wanted: Wanted;
  readonly spool: Spool;
  /** Is told of what could not be read to its end. */
  readonly trouble: (source: string, message: string) => void;
}

/** All files of all inputs; what is not wanted is left out. Never throws for what an input is like. */
export async function* filesOf(
  inputs: readonly Input[],
  options: ReadOptions,
): AsyncGenerator<Found, void, undefined> {
  for (const input of inputs) {
    try {
      if (isPlain(input)) yield* plainFiles(input, options);
      else yield* await archiveFiles(input, options);
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
      options.trouble(input.path, error.message);
    }
  }
}

/** Whose files are there at once: nothing has to be unpacked. */
export const isPlain = (input: Input): input is PlainInput =>
  input.kind === 'folder' || input.kind === 'file' || input.kind === 'orthanc';

type PlainInput = OrthancInput | (LocalInput & { readonly kind: 'folder' | 'file' });

/** Loaded only where there is an archive. */
async function archiveFiles(
  { path, kind }: Input,
  options: ReadOptions,
): Promise<AsyncGenerator<Found, void, undefined>> {
  if (kind === 'zip') return (await import('./zip.ts')).zipFiles(path, options);
  return (await import('./tar.ts')).tarFiles(path, kind === 'tgz', options);
}

/** Files of files, folders and an Orthanc, at once: there is nothing to wait for. */
export function* plainFiles(
  input: PlainInput,
  { wanted, trouble }: Pick<ReadOptions, 'wanted' | 'trouble'>,
): Generator<Found, void, undefined> {
  if (input.kind === 'orthanc') {
    for (const image of input.images) if (wanted(image.id)) yield image;
    return;
  }
  const { path, kind } = input;
  const files = kind === 'folder' ? walk(path, trouble) : [path];
  const group = kind === 'folder' ? path : dirname(path);
  for (const file of files) if (wanted(file)) yield { id: file, path: file, source: path, group };
}

/** Files below a folder in the order of their names; links to files are followed, links to folders are not. */
function* walk(folder: string, trouble: ReadOptions['trouble']): Generator<string, void, undefined> {
  let entries: { readonly name: string; readonly kind: 'file' | 'folder' | 'neither' }[];
  try {
    entries = list(folder);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    trouble(folder, `the folder cannot be read: ${code}`);
    return;
  }
  for (const { name, kind } of entries) {
    const path = join(folder, name);
    if (kind === 'folder') yield* walk(path, trouble);
    else if (kind === 'file') yield path;
  }
}

function list(folder: string): { name: string; kind: 'file' | 'folder' | 'neither' }[] {
  const entries: { name: string; kind: 'file' | 'folder' | 'neither' }[] = [];
  const handle = opendirSync(folder);
  try {
    for (let entry = handle.readSync(); entry !== null; entry = handle.readSync()) {
      const linked =
        entry.isSymbolicLink() &&
        statSync(join(folder, entry.name), { throwIfNoEntry: false })?.isFile() === true;
      const kind = entry.isDirectory() ? 'folder' : entry.isFile() || linked ? 'file' : 'neither';
      entries.push({ name: entry.name, kind });
    }
  } finally {
    handle.closeSync();
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** How many files there are, where that is quickly told: archives have to be read for it. */
export function countFiles(inputs: readonly Input[]): number | undefined {
  let count = 0;
  for (const input of inputs) {
    if (!isPlain(input)) return undefined;
    for (const _ of plainFiles(input, { wanted: () => true, trouble: () => undefined })) count += 1;
  }
  return count;
}
