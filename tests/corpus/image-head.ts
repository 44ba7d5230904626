/** What the head of an image says: the series and instance that it is of, and its kind. */
import { open } from 'node:fs/promises';
import { DicomDecodeError, readAttributes, readFileHeader, text } from '@scanflow/dicom';
import type { Found } from './found.ts';

export interface Image extends Found {
  /** Study and Series Instance UID; unique for a file that names none. */
  readonly series: string;
  readonly sopInstanceUid: string;
  readonly kind: string;
}

const MAX_HEAD = 64 * 1024 * 1024;
const NAMES = ['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID', 'Modality', 'Manufacturer'];

/** What cannot be read is an image as well: Orthanc and the streamer say what they make of it. */
export async function headOf(found: Found): Promise<Image> {
  const file = await open(found.path, 'r');
  const unknown = {
    ...found,
    series: found.path,
    sopInstanceUid: found.path,
    kind: 'an image that cannot be read',
  };
  try {
    for (let length = 65_536; ;) {
      const wanted = Math.min(length, found.size, MAX_HEAD);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(wanted), 0, wanted, 0);
      const head = buffer.subarray(0, bytesRead);
      const complete = bytesRead < wanted || bytesRead >= found.size;
      const result = readAttributes(head, NAMES, { complete, fileSize: found.size });
      if (result.kind === 'refused') return unknown;
      if (result.kind === 'needMore') {
        if (complete || wanted >= MAX_HEAD) return unknown;
        length = Math.max(result.atLeast, 2 * length);
        continue;
      }
      const value = (name: string): string => text(result.dataSet, name) ?? '';
      const sopInstanceUid = value('SOPInstanceUID');
      return {
        ...found,
        series: `${value('StudyInstanceUID')} ${value('SeriesInstanceUID')}`,
        sopInstanceUid: sopInstanceUid === '' ? found.path : sopInstanceUid,
        kind: [
          value('Modality') || 'no modality',
          value('Manufacturer') || 'no manufacturer',
          syntaxOf(head, found.size),
        ].join(', '),
      };
    }
  } finally {
    await file.close();
  }
}

function syntaxOf(head: Uint8Array, size: number): string {
  try {
    const header = readFileHeader(head, size);
    return 'needMore' in header ? 'transfer syntax far behind' : header.transferSyntax;
  } catch (error) {
    if (error instanceof DicomDecodeError) return 'unknown transfer syntax';
    throw error;
  }
}
