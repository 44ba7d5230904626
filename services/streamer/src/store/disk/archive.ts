/** A series as one file, `series.tar`: its images in the order of their names and their sums, nothing else. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { FailureError, codeOf, permanent } from '@scanflow/failure';
import { ARCHIVE_NAME, MANIFEST_NAME } from './names.ts';
import { TAR_END, tarHeader, tarPadding } from './ustar.ts';
import type { ArchiveFile, SeriesRecord, StillOurs } from '../../ports.ts';
import type { Access } from './access.ts';
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
