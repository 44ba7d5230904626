/** Files of a folder, each once: links are followed, archives are unpacked one level deep into a folder of ours. */
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { ArchiveTrouble, unpack, type Packing } from './unpack.ts';

export interface Found {
  /** For people: the path below the folder; `rest.zip:inner.dcm` of an archive. */
  readonly name: string;
  readonly path: string;
  readonly size: number;
  readonly what: 'image' | 'calendar';
}

export interface NotFound {
  readonly name: string;
  readonly outcome: 'untried' | 'left out';
  readonly code: string;
  readonly detail: string;
}

export interface FindOptions {
  /** Where archives are unpacked to. */
  readonly temp: string;
  /** Larger files are not tried. */
  readonly maxBytes: number;
  /** More files than this are not tried. */
  readonly maxFiles: number;
  readonly seen: (count: number) => void;
}

/** What is there to try, and what is not, with the reason. Never throws for what a file is like. */
export async function find(
  folder: string,
  options: FindOptions,
): Promise<{ readonly found: Found[]; readonly not: NotFound[] }> {
  const search = new Search(folder, options);
  await search.below(folder);
  return { found: search.found, not: search.not };
}

type Kind = Packing | 'image' | 'calendar' | 'directory of images' | 'neither';

class Search {
  readonly found: Found[] = [];
  readonly not: NotFound[] = [];
  readonly #root: string;
  readonly #options: FindOptions;
  /** Real paths of folders and files that were met: a link leads to each once, and never in a circle. */
  readonly #met = new Set<string>();
  #count = 0;

  constructor(root: string, options: FindOptions) {
    this.#root = root;
    this.#options = options;
  }

  async below(folder: string): Promise<void> {
    if (await this.#isMet(folder, relative(this.#root, folder))) return;
    let names: string[];
    try {
      names = (await readdir(folder)).sort();
    } catch (error) {
      this.#no(
        relative(this.#root, folder),
        'untried',
        'UNREADABLE',
        `The folder cannot be read: ${codeOf(error)}.`,
      );
      return;
    }
    for (const name of names) await this.#look(join(folder, name));
  }

  async #look(path: string): Promise<void> {
    const name = relative(this.#root, path);
    try {
      const info = await stat(path);
      if (info.isDirectory()) await this.below(path);
      else if (!info.isFile()) this.#no(name, 'left out', 'NO_FILE', 'It is neither a file nor a folder.');
      else if (!(await this.#isMet(path, name))) await this.#file(path, name, info.size, true);
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ENOENT' || code === 'ELOOP')
        this.#no(name, 'left out', 'LINK_TO_NOTHING', 'The link leads nowhere.');
      else this.#no(name, 'untried', 'UNREADABLE', `The file cannot be read: ${code}.`);
    }
  }

  async #isMet(path: string, name: string): Promise<boolean> {
    const real = await realpath(path);
    if (this.#met.has(real)) {
      this.#no(name, 'left out', 'SAME_FILE', 'A link leads to a file or folder that was tried already.');
      return true;
    }
    this.#met.add(real);
    return false;
  }

  async #file(path: string, name: string, size: number, unpacks: boolean): Promise<void> {
    this.#options.seen((this.#count += 1));
    const { maxBytes, maxFiles } = this.#options;
    if (this.found.length >= maxFiles) {
      this.#no(name, 'untried', 'TOO_MANY', `There are more than ${maxFiles} files. See --max-files.`);
      return;
    }
    const what = await kindOf(path);
    if (what === 'image' || what === 'calendar') {
      if (size <= maxBytes) this.found.push({ name, path, size, what });
      else this.#no(name, 'untried', 'TOO_LARGE', `The file has ${size} bytes. See --max-mib.`);
    } else if (what === 'directory of images')
      this.#no(name, 'left out', 'DICOMDIR', 'A DICOMDIR lists images and is none.');
    else if (what === 'neither')
      this.#no(name, 'left out', 'NEITHER', 'It is neither a DICOM file nor a calendar.');
    else if (unpacks) await this.#archive(path, name, what);
    else this.#no(name, 'untried', 'ARCHIVE_IN_ARCHIVE', 'Archives are unpacked one level deep. Unpack it.');
  }

  async #archive(path: string, name: string, packing: Packing): Promise<void> {
    try {
      for await (const one of unpack(path, packing, this.#options))
        await this.#file(one.path, `${name}:${one.name}`, one.size, false);
    } catch (error) {
      if (!(error instanceof ArchiveTrouble)) throw error;
      this.#no(name, 'untried', 'ARCHIVE', error.message);
    }
  }

  #no(name: string, outcome: NotFound['outcome'], code: string, detail: string): void {
    this.not.push({ name, outcome, code, detail });
  }
}

const HEAD = 4096;

/** By its first bytes; nothing goes by its name. */
async function kindOf(path: string): Promise<Kind> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(HEAD);
    const { bytesRead } = await file.read(buffer, 0, HEAD, 0);
    return kindOfHead(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

const DIRECTORY = '1.2.840.10008.1.3.10';

/** What a file is, by its first bytes. */
export function kindOfHead(head: Buffer): Kind {
  const text = head.toString('latin1');
  if (text.slice(128, 132) === 'DICM') return text.includes(DIRECTORY) ? 'directory of images' : 'image';
  if (text.startsWith('PK\u0003\u0004') || text.startsWith('PK\u0005\u0006')) return 'zip';
  if (head.length > 1 && head.readUInt16BE(0) === 0x1f8b) return 'gzip';
  if (text.slice(257, 262) === 'ustar') return 'tar';
  if (/BEGIN\s*:\s*VCALENDAR/i.test(text.replaceAll('\0', ''))) return 'calendar';
  return isBareDataSet(head) ? 'image' : 'neither';
}

/** A data set without preamble: group 0002 or 0008, little endian, with a plausible VR or a small length (PS3.10 7.1). */
function isBareDataSet(head: Buffer): boolean {
  if (head.length < 16) return false;
  const group = head.readUInt16LE(0);
  const element = head.readUInt16LE(2);
  if ((group !== 0x0002 && group !== 0x0008) || element > 0x0018) return false;
  return /^(UL|OB|UI|CS|SH|LO|DA|TM)/.test(head.toString('latin1', 4, 6)) || head.readUInt32LE(4) <= 64;
}

export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);
