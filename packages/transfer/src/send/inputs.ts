/** What the command line names, file by file: walks folders, unpacks archives on the way. */
import { opendirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { codeOf, InputError } from '@scanflow/failure';
import { ArchiveError, type Found, type Spool, type Wanted } from './found.ts';
import { packedAs, type ArchiveKind } from './look.ts';

type InputKind = 'file' | 'folder' | ArchiveKind;

interface LocalInput {
  readonly path: string;
  readonly kind: InputKind;
}

/** An image at Orthanc. `version`: see Wanted. */
interface RemoteImage {
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

/**
 * Looks at files and folders. Reads the first bytes of each file.
 *
 * @param names paths, as on a command line
 * @throws InputError if one does not exist, or is neither a file nor a folder
 */
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

interface ReadOptions {
  readonly wanted: Wanted;
  readonly spool: Spool;
  /** Gets each folder or archive that could not be read completely, and why. */
  readonly trouble: Trouble;
}

/** All wanted files of all inputs. Reports broken inputs through `trouble`, and goes on with the next. */
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

/** Whether nothing has to be unpacked. */
export const isPlain = (input: Input): input is PlainInput =>
  input.kind === 'folder' || input.kind === 'file' || input.kind === 'orthanc';

type PlainInput = OrthancInput | (LocalInput & { readonly kind: 'folder' | 'file' });

/** Loads the readers of archives only if there is an archive. */
async function archiveFiles(
  { path, kind }: Input,
  options: ReadOptions,
): Promise<AsyncGenerator<Found, void, undefined>> {
  if (kind === 'zip') return (await import('./archives.ts')).zipFiles(path, options);
  const { gzFile, tarFiles } = await import('./archives.ts');
  return kind === 'gz' ? gzFile(path, options) : tarFiles(path, kind === 'tgz', options);
}

/** The wanted files of a file, a folder or an Orthanc, without waiting. */
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

/** The number of files. Undefined if there is an archive, which would have to be read for it. */
export function countFiles(inputs: readonly Input[]): number | undefined {
  let count = 0;
  for (const input of inputs) {
    if (!isPlain(input)) return undefined;
    for (const _ of plainFiles(input, { wanted: () => true, trouble: () => undefined })) count += 1;
  }
  return count;
}

/** Gets what could not be read, and why. */
type Trouble = (source: string, message: string) => void;

type Kind = 'file' | 'folder' | 'link to a folder' | 'neither';

/**
 * The files below a folder, in the order of their names, each once.
 *
 * It follows links to files. It follows a link to a folder after all other files, unless it walked that folder already. It
 * reports and does not follow a link behind such a link, or a link to a folder around the root. A link that leads nowhere is
 * a file: opening it fails, with the reason.
 */
function* walk(root: string, trouble: Trouble): Generator<string, void, undefined> {
  const walked = new Set<string>();
  const links: string[] = [];
  yield* below(root, { walked, trouble, link: (path) => links.push(path) });
  for (const path of links) {
    const target = realpathSync(path);
    if (walked.has(target)) continue;
    if (`${realpathSync(root)}${sep}`.startsWith(`${target}${target === sep ? '' : sep}`)) {
      trouble(
        path,
        `it is a link to ${target}, in which ${root} lies: not followed. Name the folder that is meant`,
      );
      continue;
    }
    const link = (inner: string): void => {
      if (!walked.has(realpathSync(inner)))
        trouble(
          inner,
          'it is a link behind a link to a folder: not followed. Name the folder that it leads to',
        );
    };
    yield* below(path, { walked, trouble, link });
  }
}

interface Walking {
  /** Real paths of folders so far. */
  readonly walked: Set<string>;
  readonly trouble: Trouble;
  /** Gets links to folders. */
  readonly link: (path: string) => void;
}

function* below(folder: string, walking: Walking): Generator<string, void, undefined> {
  let entries: readonly { readonly name: string; readonly kind: Kind }[];
  try {
    const place = realpathSync(folder);
    if (walking.walked.has(place)) return;
    walking.walked.add(place);
    entries = list(folder);
  } catch (error) {
    walking.trouble(folder, `the folder cannot be read: ${codeOf(error) ?? String(error)}`);
    return;
  }
  const before = folder.endsWith(sep) ? folder : folder + sep;
  for (const { name, kind } of entries) {
    const path = before + name;
    if (kind === 'folder') yield* below(path, walking);
    else if (kind === 'file') yield path;
    else if (kind === 'link to a folder') walking.link(path);
  }
}

function list(folder: string): { name: string; kind: Kind }[] {
  const entries: { name: string; kind: Kind }[] = [];
  const handle = opendirSync(folder);
  try {
    for (let entry = handle.readSync(); entry !== null; entry = handle.readSync()) {
      const kind = entry.isDirectory()
        ? 'folder'
        : entry.isFile()
          ? 'file'
          : entry.isSymbolicLink()
            ? linked(join(folder, entry.name))
            : 'neither';
      entries.push({ name: entry.name, kind });
    }
  } finally {
    handle.closeSync();
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function linked(path: string): Kind {
  try {
    const target = statSync(path);
    return target.isDirectory() ? 'link to a folder' : target.isFile() ? 'file' : 'neither';
  } catch {
    return 'file';
  }
}
