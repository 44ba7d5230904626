/** The files below a folder, in the order of their names, each once. */
import { opendirSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';

/** Is told of what could not be read, with the reason. */
export type Trouble = (source: string, message: string) => void;

type Kind = 'file' | 'folder' | 'link to a folder' | 'neither';

/**
 * Links to files are followed; so is a link to a folder, after all other files, unless what it leads to was walked already. A
 * link that such a folder holds, or that leads to where the folder itself lies, is named and not followed. A link that leads
 * nowhere is given as a file: whoever opens it says why it cannot be read.
 */
export function* walk(root: string, trouble: Trouble): Generator<string, void, undefined> {
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
  /** Folders, by the path that no link is part of. */
  readonly walked: Set<string>;
  readonly trouble: Trouble;
  /** Is told of links to folders. */
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
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    walking.trouble(folder, `the folder cannot be read: ${code}`);
    return;
  }
  for (const { name, kind } of entries) {
    const path = join(folder, name);
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
