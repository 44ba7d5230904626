/**
 * The files of a series in Orthanc: in which order they are pulled, which of several versions of an image counts, and which image
 * is stored already as another file of the same data set.
 */
import { createHash } from 'node:crypto';
import type { InstanceListing, Orthanc } from '@scanflow/orthanc';
import { DicomDecodeError, readPart10Header } from '@scanflow/dicom';
import { failureOf, unlessGone } from '../model/failure.ts';
import type { StoredInstance, Folder, ImageFile, Store } from './types.ts';
import type { Found } from './look.ts';

/** Nothing where Orthanc no longer has the series. */
export const listInstances = async (
  series: string,
  orthanc: Orthanc,
  signal: AbortSignal,
): Promise<readonly InstanceListing[]> =>
  inOrder((await unlessGone(orthanc.instances(series, signal))) ?? []);

/**
 * Reads what the first images of a series say. One of them may be deleted since the list was made: then those that are still
 * there are read. Throws ORTHANC_GONE where none is, and whatever `read` throws.
 */
export async function byWhatIsThere<T>(
  series: string,
  listed: readonly [InstanceListing, ...InstanceListing[]],
  orthanc: Orthanc,
  signal: AbortSignal,
  read: (there: readonly [InstanceListing, ...InstanceListing[]]) => Promise<T>,
): Promise<T> {
  try {
    return await read(listed);
  } catch (error) {
    if (failureOf(error).code !== 'ORTHANC_GONE') throw error;
    const there = new Set((await listInstances(series, orthanc, signal)).map(({ id }) => id));
    const [first, ...more] = listed.filter(({ id }) => there.has(id));
    if (first === undefined || more.length + 1 === listed.length) throw error;
    return byWhatIsThere(series, [first, ...more], orthanc, signal, read);
  }
}

/** By InstanceNumber, so that a folder fills in an order that people expect. */
function inOrder(listed: readonly InstanceListing[]): InstanceListing[] {
  const numberOf = ({ tags }: InstanceListing): number => Number(tags['InstanceNumber'] ?? Number.NaN);
  const keyed = listed.map((listing) => ({ listing, number: numberOf(listing) }));
  keyed.sort((a, b) => {
    const difference =
      (Number.isNaN(a.number) ? Infinity : a.number) - (Number.isNaN(b.number) ? Infinity : b.number);
    if (!Number.isNaN(difference) && difference !== 0) return difference;
    if (a.listing.id === b.listing.id) return (a.listing.version ?? 0) - (b.listing.version ?? 0);
    return a.listing.id < b.listing.id ? -1 : 1;
  });
  return keyed.map(({ listing }) => listing);
}

/** The images that decide where a series belongs. */
export interface TellingImages {
  /** Its first image; if images were sent again, the latest version of the first of those. */
  readonly first: InstanceListing;
  /** If only some were sent again: the first of the others. */
  readonly uncorrected?: InstanceListing | undefined;
}

/** Picks them from all files that Orthanc has of the series. */
export function tellingImages(listed: readonly [InstanceListing, ...InstanceListing[]]): TellingImages {
  const files = [...Map.groupBy(listed, ({ id }) => id).values()];
  const corrected = files.find((group) => group.length > 1);
  const [latest] = (corrected ?? []).toSorted((a, b) => (b.version ?? 0) - (a.version ?? 0));
  if (latest === undefined) return { first: listed[0] };
  return { first: latest, uncorrected: files.find((group) => group.length === 1)?.[0] };
}

const versionOf = ({ version = 0 }: Pick<InstanceListing, 'version'>): number => version;

/** Groups the files by image, each image's latest version first. */
export const newestFirst = (files: readonly InstanceListing[]): InstanceListing[][] =>
  [...Map.groupBy(files, ({ id }) => id).values()].map((group) =>
    group.toSorted((one, other) => versionOf(other) - versionOf(one)),
  );

/**
 * A file that Orthanc cannot serve as it came is mended by a later version of the same image that is stored: that version's
 * entry stands for both. `open`: those that nothing mends.
 */
export function mended<R extends { readonly listing: InstanceListing }>(
  found: Found,
  refused: readonly R[],
): { readonly found: Found; readonly open: readonly R[] } {
  const open: R[] = [];
  const also = new Map<StoredInstance, string[]>();
  const there = Map.groupBy([...found.kept, ...found.images], ({ orthancId }) => orthancId);
  for (const one of refused) {
    const { listing } = one;
    const later = (there.get(listing.id) ?? [])
      .filter((image) => versionOf(image) > versionOf(listing))
      .toSorted((a, b) => versionOf(b) - versionOf(a))
      .at(0);
    if (later === undefined) open.push(one);
    else also.set(later, [...(also.get(later) ?? later.also ?? []), listing.fileUuid]);
  }
  const standing = (image: StoredInstance): StoredInstance => {
    const uuids = also.get(image);
    return uuids === undefined ? image : { ...image, also: uuids };
  };
  return {
    found: { ...found, kept: found.kept.map(standing), images: found.images.map(standing) },
    open,
  };
}

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
