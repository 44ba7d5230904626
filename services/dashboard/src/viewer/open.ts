/** Opens a file: for the list its first attributes, to look at it everything before its pixels. No more is read than it takes. */
import { readAttributes, readFile, text, type FileRead } from '@scanflow/dicom/reading';
import { viewer as t } from '../texts/viewer.ts';
import type { Source } from './sources.ts';

const FIRST = 64 * 1024;
/** Attributes before the pixels, at most. */
const MOST = 64 * 1024 * 1024;
/** For a line of the list. */
const MOST_FOR_LIST = 1024 * 1024;

export type Opened = FileRead & { kind: 'read' };

/** What cannot be opened, in words for people. */
export class CannotOpen extends Error {
  override name = 'CannotOpen';
}

/** Throws CannotOpen, or what the source throws. */
export async function open(source: Source): Promise<Opened> {
  for (let length = FIRST; ;) {
    const head = await source.read(0, length);
    const found = readFile(head, { fileSize: source.size });
    if (found.kind === 'read') return found;
    if (found.kind === 'refused') throw new CannotOpen(t.refused(found.error.message));
    if (found.atLeast > MOST || head.length >= MOST) throw new CannotOpen(t.tooLarge);
    if (head.length < length) throw new CannotOpen(t.cut(source.size, head.length));
    length = Math.max(found.atLeast, length * 4);
  }
}

/** What the list says of a file; undefined for one that is no DICOM. */
export interface Listed {
  readonly source: Source;
  readonly modality: string;
  readonly series: string;
  readonly instance: string;
}

const SHOWN = ['Modality', 'SeriesDescription', 'SeriesNumber', 'InstanceNumber'] as const;

export async function listed(source: Source): Promise<Listed | undefined> {
  for (let length = FIRST; ;) {
    const head = await source.read(0, length);
    const complete = head.length >= source.size;
    const found = readAttributes(head, SHOWN, { complete, fileSize: source.size });
    // of what is DICOM and cannot be listed, opening says why
    const unknown = { source, modality: '', series: '', instance: '' };
    if (found.kind === 'refused') return found.code === 'DICOM_NOT_PART10' ? undefined : unknown;
    if (found.kind === 'attributes') {
      const [modality, description, number, instance] = SHOWN.map((name) => text(found.dataSet, name) ?? '');
      const series = [number, description].filter(Boolean).join(' ');
      return { source, modality: modality ?? '', series, instance: instance ?? '' };
    }
    if (found.atLeast > MOST_FOR_LIST || head.length < length) return unknown;
    length = Math.max(found.atLeast, length * 4);
  }
}
