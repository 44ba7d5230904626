/** Files and folders that somebody drops or chooses, with their paths. */
import { MOST_FILES } from '../../src/viewer/sources.ts';

export interface Named {
  readonly name: string;
  readonly file: File;
}

export const chosen = (input: HTMLInputElement): Named[] =>
  [...(input.files ?? [])].map((file) => ({ name: file.webkitRelativePath || file.name, file }));

/** Folders are walked, no further than the list goes. The entries must be taken before anything is awaited. */
export async function dropped({ items, files }: DataTransfer): Promise<Named[]> {
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) return [...files].map((file) => ({ name: file.name, file }));
  const found: Named[] = [];
  for (const entry of entries) await walk(entry, found);
  return found;
}

async function walk(entry: FileSystemEntry, found: Named[]): Promise<void> {
  const queue = [entry];
  for (let next = queue.pop(); next !== undefined && found.length <= MOST_FILES; next = queue.pop()) {
    if (isFile(next)) found.push({ name: next.fullPath.replace(/^\//, ''), file: await fileOf(next) });
    else if (isFolder(next)) queue.push(...(await entriesOf(next.createReader())).reverse());
  }
}

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;
const isFolder = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory;

const fileOf = (entry: FileSystemFileEntry): Promise<File> =>
  new Promise((resolve, reject) => {
    entry.file(resolve, reject);
  });

/** A reader gives a hundred at a time, and none at the end. */
async function entriesOf(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (some.length === 0) return all;
    all.push(...some);
    if (all.length > MOST_FILES) return all;
  }
}
