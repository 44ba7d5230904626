/** The journal of `scanflow send`: after Ctrl-C or a kill, the same command continues where it was. */
import type * as Crypto from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, type Stats } from 'node:fs';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf, InputError } from '@scanflow/failure';
import { versionOf } from './found.ts';

/** Which files were sent. Several runs of a command share one journal. */
export interface Notes {
  readonly path: string;
  readonly hasSent: (id: string, version: string | undefined) => boolean;
  /** Notes a file as sent. `hasSent` must have been called for it. `stat`: the file on disk as it was when it was opened. */
  readonly sent: (id: string, stat?: Stats) => void;
  /**
   * Everything is on disk when it resolves. `over`: all is sent, so no run has to continue. Resolves with the reason if the
   * journal could not be written.
   */
  readonly close: (over: boolean) => Promise<string | undefined>;
  /** After `close()`: whether the file exists, for the next run. */
  readonly isKept: () => boolean;
}

interface NotesOrder {
  readonly place: NotesPlace;
  /** Where to, and the tag: a journal counts for one destination. */
  readonly destination: string;
  /** Ignores what an earlier run has sent. */
  readonly again: boolean;
}

/** Where a journal is. The path is computed when it is needed: that takes OpenSSL. */
interface NotesPlace {
  readonly folder: string;
  readonly path: () => string;
  /** A person chose the path, so the journal is kept. Otherwise it is removed once all is sent. */
  readonly named: boolean;
}

/** Loaded with the first note: OpenSSL takes 10 ms. */
const crypto = (): typeof Crypto => process.getBuiltinModule('node:crypto');
const now = (): number => Temporal.Now.instant().epochMilliseconds;
const KIND = 'scanflow send 1';
/** Bytes: 2.9 million files. */
const MOST_BYTES = 64 * 1024 * 1024;
/** Longest time and most files for which a note is not on disk yet. */
const LATE_MS = 1_000;
const LATE_FILES = 4_000;
/** An older journal is not continued, and removed. */
const KEPT_MS = 7 * 24 * 3_600_000;
/** A file and its version as 132 bits of a SHA-256: no name of a file is written. */
const NOTE = /^[\w-]{22}$/;

/**
 * Opens the journal of a command, and reads what an earlier run has sent. Nothing is written before files are sent.
 *
 * @throws InputError if a file that a person named cannot be used
 */
export function openNotes(order: NotesOrder): Notes {
  const others = order.place.named ? [] : journalsIn(order.place.folder);
  const none = order.again || (!order.place.named && others.length === 0);
  return new NotesFile(order, others, none ? NOTHING : earlier(order));
}

/** The place of a journal whose path a person chose. Its folder has to exist. */
export const namedPlace = (path: string): NotesPlace => ({
  folder: dirname(path),
  path: () => path,
  named: true,
});

/**
 * The place of a command's journal where the person chose none.
 *
 * @param stateFolder the state folder of the user
 * @param command what the command sends and where to; the same texts give the same path
 */
export function placeOf(stateFolder: string, command: readonly string[]): NotesPlace {
  const folder = join(stateFolder, 'send');
  const name = (): string => crypto().hash('sha256', JSON.stringify(command)).slice(0, 32);
  return { folder, path: () => join(folder, `${name()}.journal`), named: false };
}

function journalsIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.journal'));
  } catch {
    // writing there fails for the same reason, and reports it
    return [];
  }
}

interface Earlier {
  readonly sent: ReadonlySet<string>;
  /** Length of the file that is continued. 0: it begins anew. */
  readonly bytes: number;
  /** A crash cut off its last line. */
  readonly torn: boolean;
}

const NOTHING: Earlier = { sent: new Set(), bytes: 0, torn: false };

function earlier({ place, destination }: NotesOrder): Earlier {
  const { named } = place;
  const path = place.path();
  if (!existsSync(path)) return NOTHING;
  let text: string;
  try {
    const { size, mtimeMs } = statSync(path);
    if (!named && (size > MOST_BYTES || now() - mtimeMs > KEPT_MS)) return NOTHING;
    if (size > MOST_BYTES) throw new InputError(`${path} is too large for a journal of scanflow send`);
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof InputError) throw error;
    if (!named) return NOTHING;
    throw new InputError(`the journal ${path} cannot be read: ${codeOf(error) ?? String(error)}`);
  }
  const head = headOf(destination);
  if (text === '' || (head.startsWith(text) && text !== head)) return NOTHING;
  if (text.startsWith(head)) {
    const sent = new Set(
      text
        .slice(head.length)
        .split('\n')
        .filter((line) => NOTE.test(line)),
    );
    return { sent, bytes: Buffer.byteLength(text), torn: !text.endsWith('\n') };
  }
  if (!named) return NOTHING;
  throw new InputError(
    `${path} is no journal of scanflow send to ${destination}; give this one another: --journal FILE`,
  );
}

const headOf = (destination: string): string => `${JSON.stringify({ journal: KIND, destination })}\n`;

class NotesFile implements Notes {
  readonly #order: NotesOrder;
  /** Journals that were in its folder before. */
  readonly #others: readonly string[];
  readonly #earlier: Earlier;
  #path: string | undefined;
  /** Versions of images that are no files of their own, and of files that an earlier run may have sent. */
  readonly #versions = new Map<string, string>();
  /** Files that are sent and not on disk. Their hashes are computed when they are written: a quick run needs none. */
  #fresh: (readonly [id: string, version: string | Stats])[] = [];
  #bytes: number;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #file: FileHandle | undefined;
  #trouble: string | undefined;

  constructor(order: NotesOrder, others: readonly string[], found: Earlier) {
    this.#order = order;
    this.#others = others;
    this.#earlier = found;
    this.#bytes = found.bytes;
  }

  get path(): string {
    return (this.#path ??= this.#order.place.path());
  }

  readonly hasSent = (id: string, given?: string): boolean => {
    const version = given ?? (this.#earlier.sent.size > 0 ? fileVersion(id) : undefined);
    if (version === undefined) return false;
    if (this.#earlier.sent.size > 0 && this.#earlier.sent.has(noteOf(id, version))) return true;
    this.#versions.set(id, version);
    return false;
  };

  readonly sent = (id: string, stat?: Stats): void => {
    const version = this.#versions.get(id) ?? stat;
    this.#versions.delete(id);
    if (version === undefined || this.#trouble !== undefined) return;
    this.#fresh.push([id, version]);
    if (this.#fresh.length >= LATE_FILES) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), LATE_MS);
  };

  readonly close = async (over: boolean): Promise<string | undefined> => {
    clearTimeout(this.#timer);
    const { named, folder } = this.#order.place;
    if (!over || named) this.#flush();
    await this.#writing;
    await this.#file?.close().catch(() => undefined);
    if (over && !named && this.#begun) await unlink(this.path).catch(() => undefined);
    await clearAway(folder, this.#others);
    return this.#trouble;
  };

  readonly isKept = (): boolean => (this.#order.place.named || this.#begun) && existsSync(this.path);

  get #begun(): boolean {
    return this.#file !== undefined || this.#others.length > 0;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#fresh.map(([id, version]) => `${noteOf(id, version)}\n`).join('');
    this.#fresh = [];
    if (text === '') return;
    this.#writing = this.#writing
      .then(() => this.#write(text))
      .catch((error: unknown) => {
        this.#trouble ??= codeOf(error) ?? String(error);
      });
  }

  async #write(text: string): Promise<void> {
    if (this.#trouble !== undefined) return;
    const file = (this.#file ??= await this.#begin());
    if (this.#bytes + text.length > MOST_BYTES) {
      this.#trouble = `it would be larger than ${MOST_BYTES} bytes`;
      return;
    }
    await file.appendFile(text);
    await file.datasync();
    this.#bytes += text.length;
  }

  async #begin(): Promise<FileHandle> {
    const { bytes, torn } = this.#earlier;
    const { folder } = this.#order.place;
    const { fsyncFolder } = await import('@scanflow/runtime/files');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = await open(this.path, bytes === 0 ? 'w' : 'a', 0o600);
    const head = bytes === 0 ? headOf(this.#order.destination) : torn ? '\n' : '';
    await file.appendFile(head);
    await file.datasync();
    await fsyncFolder(folder);
    this.#bytes += Buffer.byteLength(head);
    return file;
  }
}

const noteOf = (id: string, version: string | Stats): string =>
  crypto()
    .hash('sha256', `${typeof version === 'string' ? version : versionOf(version)}\0${id}`, 'base64url')
    .slice(0, 22);

/** Undefined for an image at an Orthanc that does not say when the image last arrived. */
function fileVersion(id: string): string | undefined {
  const found = statSync(id, { throwIfNoEntry: false });
  return found === undefined ? undefined : versionOf(found);
}

/** Removes journals that nobody continued. */
async function clearAway(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const path = join(folder, name);
    const old = now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) > KEPT_MS;
    if (old) await unlink(path).catch(() => undefined);
  }
}
