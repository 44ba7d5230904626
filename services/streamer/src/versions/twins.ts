/**
 * An image that is stored already, as another file of the same data set: Orthanc, or another sender, wrote other file meta
 * information before it. It is stored once.
 */
import { createHash } from 'node:crypto';
import { DicomDecodeError, readPart10Header } from '@scanflow/dicom';
import { failureOf } from '../model/failure.ts';
import type { Folder, ImageFile, Store, StoredInstance } from '../ports.ts';

/** Longest head that is read to find the data set, in bytes. */
const MAX_HEAD = 1024 * 1024;

/** Compares one file, while it is written, with the stored files of its series. */
export class Twins {
  readonly #folder: Folder;
  readonly #store: Pick<Store, 'open'>;
  readonly #written = new DataSetHash();

  constructor(folder: Folder, store: Pick<Store, 'open'>) {
    this.#folder = folder;
    this.#store = store;
  }

  /** The file, of which all that is written is heard. */
  listening(file: Pick<ImageFile, 'write'>): Pick<ImageFile, 'write'> {
    // nothing is stored yet to compare with
    if (this.#folder.record.instances.length === 0) return file;
    return {
      write: (chunk) => {
        this.#written.update(chunk);
        return file.write(chunk);
      },
    };
  }

  /** The entry whose file is unchanged and has the same data set. */
  async find(sopInstanceUid: string): Promise<StoredInstance | undefined> {
    const ours = this.#written.digest();
    if (ours === undefined || sopInstanceUid === '') return undefined;
    for (const entry of this.#folder.record.instances)
      if (entry.sopInstanceUid === sopInstanceUid && (await this.#dataSetOf(entry)) === ours) return entry;
    return undefined;
  }

  /** Undefined if the file has changed or is missing. */
  async #dataSetOf(entry: StoredInstance): Promise<string | undefined> {
    const [all, hash] = [createHash('sha256'), new DataSetHash()];
    try {
      for await (const chunk of this.#store.open(this.#folder.below, entry).chunks) {
        all.update(chunk);
        hash.update(chunk);
      }
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
    return all.digest('hex') === entry.sha256 ? hash.digest() : undefined;
  }
}

const isAbsent = (error: unknown): boolean =>
  failureOf(error).kind === 'permanent' ||
  (error instanceof Error && 'code' in error && error.code === 'ENOENT');

/** Of a file's transfer syntax and data set: of everything behind its file meta information (PS3.10 7.1). */
class DataSetHash {
  readonly #hash = createHash('sha256');
  #head: Buffer | undefined = Buffer.alloc(0);
  #readable = true;

  update(chunk: Uint8Array): void {
    if (!this.#readable) return;
    if (this.#head === undefined) {
      this.#hash.update(chunk);
      return;
    }
    this.#head = Buffer.concat([this.#head, chunk]);
    const header = headerOf(this.#head);
    if (header === undefined) {
      this.#readable = false;
      return;
    }
    if ('needMore' in header) {
      this.#readable = this.#head.length <= MAX_HEAD;
      return;
    }
    this.#hash.update(header.transferSyntax).update(this.#head.subarray(header.dataSetOffset));
    this.#head = undefined;
  }

  /** Undefined if its head cannot be read. */
  digest(): string | undefined {
    return this.#readable && this.#head === undefined ? this.#hash.digest('hex') : undefined;
  }
}

/** Undefined for files without file meta information, which Orthanc takes by HTTP. */
function headerOf(head: Uint8Array): ReturnType<typeof readPart10Header> | undefined {
  try {
    return readPart10Header(head);
  } catch (error) {
    if (error instanceof DicomDecodeError) return undefined;
    throw error;
  }
}
