/** A transcoded copy of a stored image: asked of Orthanc when its turn comes, kept on disk only while it is sent. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { type Failure, FailureError, codeOf, permanent, transient } from '@scanflow/failure';
import { readFileHeader } from '@scanflow/dicom';
import { failureOf } from '../model/failure.ts';
import type { Orthanc, OriginalImage, SendItem } from '../ports.ts';

type OpenFile = Awaited<ReturnType<NonNullable<SendItem['open']>>>;

/** Throws an error that carries a failure, as StoreItem.open wants it. */
export type OpenCopy = (
  original: OriginalImage,
  transferSyntax: string,
  signal: AbortSignal,
) => Promise<OpenFile>;

/** @param folder for files that have no name while they are used */
export const copiesFrom =
  (orthanc: Pick<Orthanc, 'instance' | 'transcode'>, folder: string): OpenCopy =>
  async (original, transferSyntax, signal) => {
    try {
      return await openCopy(orthanc, folder, original, transferSyntax, signal);
    } catch (error) {
      throw new FailureError(whyOf(failureOf(error)), error);
    }
  };

async function openCopy(
  orthanc: Pick<Orthanc, 'instance' | 'transcode'>,
  folder: string,
  original: OriginalImage,
  transferSyntax: string,
  signal: AbortSignal,
): Promise<OpenFile> {
  const { orthancId, fileUuid } = original;
  if ((await orthanc.instance(orthancId, signal)).fileUuid !== fileUuid) throw new FailureError(GONE);
  // before Orthanc is asked: an answer that nobody reads would keep its connection
  const file = await nameless(folder);
  try {
    const { bytes, chunks } = await orthanc.transcode(orthancId, transferSyntax, signal);
    for await (const chunk of chunks) await write(file, chunk);
    await requireCopy(file, bytes, original, transferSyntax);
    return {
      size: bytes,
      read: (buffer, length, position) => fill(file, buffer, length, position),
      close: () => void file.close().catch(() => undefined),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** What ends without closing it, a crash too, leaves nothing behind. */
async function nameless(folder: string): Promise<FileHandle> {
  const path = join(folder, `copy-${randomUUID()}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o750 });
    const file = await open(path, 'wx+', 0o600);
    await unlink(path);
    return file;
  } catch (error) {
    throw new FailureError(noRoom(error), error);
  }
}

async function write(file: FileHandle, chunk: Uint8Array): Promise<void> {
  try {
    for (let rest = chunk; rest.length > 0;)
      rest = rest.subarray((await file.write(rest, 0, rest.length)).bytesWritten);
  } catch (error) {
    throw new FailureError(noRoom(error), error);
  }
}

async function fill(file: FileHandle, buffer: Buffer, length: number, position: number): Promise<number> {
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

/** File meta information is far smaller. */
const HEAD = 65_536;

/** It must be the same instance, in the transfer syntax that was asked for. */
async function requireCopy(
  file: FileHandle,
  size: number,
  { sopClassUid, sopInstanceUid }: OriginalImage,
  transferSyntax: string,
): Promise<void> {
  const head = Buffer.alloc(Math.min(HEAD, size));
  await fill(file, head, head.length, 0);
  const header = readFileHeader(head, size);
  const same =
    !('needMore' in header) &&
    header.sopInstanceUid === sopInstanceUid &&
    header.sopClassUid === sopClassUid &&
    header.transferSyntax === transferSyntax;
  if (!same) throw new FailureError(WRONG);
}

/** What Orthanc says about the image, as it concerns sending a copy. */
const whyOf = (failure: Failure): Failure => (failure.code === 'ORTHANC_GONE' ? GONE : failure);

const ADVICE =
  'Make the destination accept the transfer syntax that the image has, or send it from project storage with another program';
const GONE = permanent(
  'TRANSCODE_GONE',
  `The destination does not take the image’s transfer syntax, and Orthanc no longer has the image to convert it. ${ADVICE}.`,
);
const WRONG = permanent(
  'TRANSCODE_WRONG',
  `Orthanc’s converted copy is another image, or in another transfer syntax, than requested; it was not sent. ${ADVICE}.`,
);
const noRoom = (error: unknown): Failure =>
  transient(
    'TRANSCODE_NO_ROOM',
    `A converted copy cannot be kept in the data folder while it is sent (${codeOf(error) ?? 'unknown error'}). Check its space and permissions.`,
  );
