/** What the command line names, file by file: folders are walked, archives unpacked on the way. */
import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { InputError } from '../input-error.ts';
import type { Found, Wanted } from './found.ts';
import { ArchiveError } from './limits.ts';
import { packedAs, type ArchiveKind } from './packed.ts';
import type { Spool } from './spool.ts';
import { walk } from './walk.ts';

export type InputKind = 'file' | 'folder' | ArchiveKind;

export interface LocalInput {
  readonly path: string;
  readonly kind: InputKind;
}

/** `version`: see Wanted. */
export interface RemoteImage {
  readonly image: Found;
  readonly version: string | undefined;
}

/** A study or series in an Orthanc, with all of its images; `path` is its address. */
export interface OrthancInput {
  readonly path: string;
  readonly kind: 'orthanc';
  readonly images: readonly RemoteImage[];
}

export type Input = LocalInput | OrthancInput;

/** Looks at what was named. Throws InputError where something of it is not there. */
export function lookAt(names: readonly string[]): LocalInput[] {
  return names.map((name) => {
    const path = resolve(name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) throw new InputError(`there is no ${name}`);
    if (!stat.isFile() && !stat.isDirectory()) throw new InputError(`${name} is neither a file nor a folder`);
    if (stat.isDirectory()) return { path, kind: 'folder' };
    const packed = packedAs({ path }, path);
    return { path, kind: packed !== undefined && 'kind' in packed ? packed.kind : 'file' };
  });
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
  const { gzFile, tarFiles } = await import('./tar.ts');
  return kind === 'gz' ? gzFile(path, options) : tarFiles(path, kind === 'tgz', options);
}

/** Files of files, folders and an Orthanc, at once: there is nothing to wait for. */
export function* plainFiles(
  input: PlainInput,
  { wanted, trouble }: Pick<ReadOptions, 'wanted' | 'trouble'>,
): Generator<Found, void, undefined> {
  if (input.kind === 'orthanc') {
    for (const { image, version } of input.images) if (wanted(image.id, version)) yield image;
    return;
  }
  const { path, kind } = input;
  const files = kind === 'folder' ? walk(path, trouble) : [path];
  const group = kind === 'folder' ? path : dirname(path);
  for (const file of files) if (wanted(file)) yield { id: file, path: file, source: path, group };
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
