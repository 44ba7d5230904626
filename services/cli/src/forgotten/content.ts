/** What a file of Orthanc's storage holds, by its own bytes: an image, part of one, or something else. */
import type { FileHandle } from 'node:fs/promises';
import { fileEnd, text } from '@scanflow/dicom/file';
import { readFile, type FileRead } from '@scanflow/dicom/reading';

/** What identifies an image, and who sent it. Nothing of it is shown. */
export interface Identity {
  readonly sopInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly accessionNumber: string;
  readonly patientId: string;
  /** AE title of the sender, as the receiver wrote it into the file; empty where the file came otherwise. */
  readonly sender: string;
  /** AE title that was called. */
  readonly called: string;
}

export type Content =
  | { readonly kind: 'image'; readonly identity: Identity }
  /** A DICOM file that was cut, or never finished. */
  | { readonly kind: 'incomplete'; readonly why: string }
  /** The beginning of an image up to its pixels: Orthanc's attachment dicom-until-pixel-data. */
  | { readonly kind: 'header' }
  /** Compressed by Orthanc (StorageCompression). */
  | { readonly kind: 'compressed' }
  | { readonly kind: 'other' };

const FIRST_HEAD = 64 * 1024;
/** Pixels may stand behind so many bytes. */
const MOST_HEAD = 64 * 1024 * 1024;
const ROWS = 0x00280010;
/** Pixel Data Provider URL: the pixels are elsewhere on purpose. */
const PROVIDER = 0x00287fe0;
const TAG = {
  sopInstanceUid: 0x00080018,
  accessionNumber: 0x00080050,
  patientId: 0x00100020,
  studyInstanceUid: 0x0020000d,
  seriesInstanceUid: 0x0020000e,
} as const;
const SENDER = 0x00020016;
const CALLED = 0x00020018;

/** Reads as much of a file as it takes to say what it is. `size`: its bytes. */
export async function contentOf(file: FileHandle, size: number): Promise<Content> {
  const bytesAt = async (offset: number, length: number): Promise<Buffer> => {
    const buffer = Buffer.alloc(Math.max(0, Math.min(length, size - offset)));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
    return buffer.subarray(0, bytesRead);
  };
  let head = await bytesAt(0, FIRST_HEAD);
  let read = readFile(head, { fileSize: size });
  while (read.kind === 'needMore' && read.atLeast <= MOST_HEAD && head.length < size) {
    head = await bytesAt(0, Math.max(read.atLeast, Math.min(head.length * 2, MOST_HEAD)));
    read = readFile(head, { fileSize: size });
  }
  if (read.kind === 'needMore') return { kind: 'incomplete', why: 'its attributes do not end' };
  if (read.kind === 'refused') return { kind: isCompressed(head, size) ? 'compressed' : 'other' };
  const end = await fileEnd(read.header, size, bytesAt, head);
  return end.kind === 'broken' ? { kind: 'incomplete', why: end.why } : judged(read);
}

function judged({ dataSet, pixels, header }: FileRead & { kind: 'read' }): Content {
  if (dataSet.has(ROWS) && !dataSet.has(PROVIDER) && pixels === undefined) return { kind: 'header' };
  const of = (tag: number): string => text(dataSet, tag)?.trim() ?? '';
  const sopInstanceUid = of(TAG.sopInstanceUid);
  // Orthanc takes no file without it
  if (sopInstanceUid === '') return { kind: 'other' };
  return {
    kind: 'image',
    identity: {
      sopInstanceUid,
      seriesInstanceUid: of(TAG.seriesInstanceUid),
      studyInstanceUid: of(TAG.studyInstanceUid),
      accessionNumber: of(TAG.accessionNumber),
      patientId: of(TAG.patientId),
      sender: text(header.meta, SENDER)?.trim() ?? '',
      called: text(header.meta, CALLED)?.trim() ?? '',
    },
  };
}

/** The length of the content in 8 bytes, then a zlib stream (RFC 1950). */
function isCompressed(head: Buffer, size: number): boolean {
  if (head.length < 10) return false;
  const zlib = head.readUInt16BE(8);
  return (head[8] ?? 0) % 16 === 8 && zlib % 31 === 0 && head.readBigUInt64LE(0) < 2n ** 48n && size > 10;
}
