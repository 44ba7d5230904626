/** A series as one file, `series.tar`: its images in the order of their names and their sums, nothing else. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { FailureError, codeOf, permanent } from '@scanflow/failure';
import { ARCHIVE_NAME, MANIFEST_NAME } from './names.ts';
import type { ArchiveFile, SeriesRecord, StillOurs } from '../types.ts';
import type { Access } from './folders.ts';
import { createImage, holds, type AsideFile } from './image-file.ts';
import { imageSums } from './record.ts';

/**
 * Writes it whole, and anew when the series has grown. Every image is compared with its sum on the way. Throws
 * STORE_FILE_CHANGED, STORE_NAME_TAKEN; then there is none.
 */
export async function writeArchive(
  folder: string,
  record: SeriesRecord,
  access: Access,
  stillOurs: StillOurs,
): Promise<ArchiveFile> {
  const aside = await createImage(folder, access);
  try {
    await fill(aside, folder, record);
    const { sha256, bytes } = aside.digest();
    await stillOurs();
    if (record.archive !== undefined) await aside.publishOver(ARCHIVE_NAME);
    else if (!(await aside.publishExactly(ARCHIVE_NAME)))
      if (!(await holds(join(folder, ARCHIVE_NAME), sha256, bytes))) throw new FailureError(TAKEN);
    return { file: ARCHIVE_NAME, sha256, bytes };
  } catch (error) {
    // what it held is no longer the series
    if (error instanceof FailureError && error.code === CHANGED.code && record.archive !== undefined) {
      await stillOurs();
      await unlink(join(folder, ARCHIVE_NAME)).catch(() => undefined);
    }
    throw error;
  } finally {
    await aside.discard();
  }
}

async function fill(aside: AsideFile, folder: string, record: SeriesRecord): Promise<void> {
  const top = basename(folder);
  const sums = Buffer.from(imageSums(record));
  for (const { file, sha256, bytes } of inOrder(record)) {
    await aside.write(tarHeader(`${top}/${file}`, bytes));
    await copy(join(folder, file), aside, sha256, bytes);
    await aside.write(tarPadding(bytes));
  }
  await aside.write(tarHeader(`${top}/${MANIFEST_NAME}`, sums.length));
  await aside.write(sums);
  await aside.write(tarPadding(sums.length));
  await aside.write(TAR_END);
}

/** One entry per file: the record may name a file under two copies of Orthanc's. */
const inOrder = ({ instances }: SeriesRecord): SeriesRecord['instances'] =>
  [...new Map(instances.map((image) => [image.file, image])).values()].toSorted((a, b) =>
    a.file < b.file ? -1 : 1,
  );

async function copy(path: string, aside: AsideFile, sha256: string, bytes: number): Promise<void> {
  const hash = createHash('sha256');
  let read = 0;
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      read += chunk.length;
      if (read > bytes) break;
      hash.update(chunk);
      await aside.write(chunk);
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw new FailureError(CHANGED);
    throw error;
  }
  if (read !== bytes || hash.digest('hex') !== sha256) throw new FailureError(CHANGED);
}

const CHANGED = permanent(
  'STORE_FILE_CHANGED',
  'An image in project storage was changed or taken away. series.tar was not written. Put the image back, or move the folder away and retry the series.',
);
const TAKEN = permanent(
  'STORE_NAME_TAKEN',
  'The folder of this series holds another series.tar. Move that away, and retry the series.',
);

const BLOCK = 512;
/** Eleven octal digits. */
const LONGEST_PLAIN = 0o77777777777;
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;

/** What stands before a file's bytes. `path` is relative, with `/`. */
export function tarHeader(path: string, bytes: number): Buffer {
  const split = splitPath(path);
  if (split !== undefined && bytes <= LONGEST_PLAIN) return block(split, bytes, '0');
  const records = Buffer.from(
    [
      ...(split === undefined ? [paxRecord('path', path)] : []),
      ...(bytes > LONGEST_PLAIN ? [paxRecord('size', String(bytes))] : []),
    ].join(''),
  );
  return Buffer.concat([
    block({ name: 'extended-header', prefix: '' }, records.length, 'x'),
    records,
    tarPadding(records.length),
    // readers without pax see a name that is cut; all others take the one above
    block(split ?? { name: cut(path), prefix: '' }, Math.min(bytes, LONGEST_PLAIN), '0'),
  ]);
}

/** Zeros up to the end of the block that a file of this length begins. */
export const tarPadding = (bytes: number): Buffer => Buffer.alloc((BLOCK - (bytes % BLOCK)) % BLOCK);

/** Two empty blocks. */
export const TAR_END: Buffer = Buffer.alloc(2 * BLOCK);

interface SplitPath {
  readonly name: string;
  readonly prefix: string;
}

/** At a slash, so that both parts fit; undefined where there is no such place, or a name is not ASCII. */
function splitPath(path: string): SplitPath | undefined {
  if (/[^\x20-\x7e]/.test(path)) return undefined;
  if (path.length <= NAME_BYTES) return { name: path, prefix: '' };
  const at = path.indexOf('/', path.length - NAME_BYTES - 1);
  if (at <= 0 || at > PREFIX_BYTES || at === path.length - 1) return undefined;
  return { name: path.slice(at + 1), prefix: path.slice(0, at) };
}

const cut = (path: string): string => path.replaceAll(/[^\x20-\x7e]/g, '_').slice(-NAME_BYTES);

function block({ name, prefix }: SplitPath, bytes: number, type: '0' | 'x'): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 'ascii');
  header.write('0000644\0', 100, 'ascii');
  header.write('0000000\0', 108, 'ascii'); // user
  header.write('0000000\0', 116, 'ascii'); // group
  header.write(`${bytes.toString(8).padStart(11, '0')}\0`, 124, 'ascii');
  header.write('00000000000\0', 136, 'ascii'); // time
  header.write('        ', 148, 'ascii'); // the sum counts itself as spaces
  header.write(type, 156, 'ascii');
  header.write('ustar\x0000', 257, 'ascii');
  header.write('0000000\0', 329, 'ascii');
  header.write('0000000\0', 337, 'ascii');
  header.write(prefix, 345, 'ascii');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'ascii');
  return header;
}

/** `LENGTH key=value\n`, where LENGTH counts itself. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  let length = bytes + String(bytes).length;
  if (bytes + String(length).length !== length) length = bytes + String(length).length;
  return `${length}${rest}`;
}
