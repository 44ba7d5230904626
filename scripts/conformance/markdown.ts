/** Tables and lists in Markdown. */
import { formatTag, tagOf, vrOf } from '@scanflow/dicom';

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map(cell).join(' | ')} |`).join('\n');

const cell = (text: string): string => text.replaceAll('|', String.raw`\|`).replaceAll('\n', ' ');

export const hex = (status: number): string => status.toString(16).toUpperCase().padStart(4, '0');

/** `Patient ID (0010,0020) LO` by keyword: tag, keyword, VR. */
export const attributeCells = (keyword: string): string[] => {
  const tag = tagOf(keyword);
  return [formatTag(tag), keyword, vrOf(tag)];
};

export const seconds = (ms: number): string =>
  ms % 60_000 === 0 && ms > 60_000 ? `${ms / 60_000} min` : `${ms / 1000} s`;

const NAMES: Readonly<Record<string, string>> = {
  '1.2.840.10008.1.1': 'Verification SOP Class',
  '1.2.840.10008.5.1.4.31': 'Modality Worklist Information Model – FIND SOP Class',
  '1.2.840.10008.5.1.4.1.2.2.1': 'Study Root Query/Retrieve Information Model – FIND SOP Class',
  '1.2.840.10008.5.1.4.1.2.2.2': 'Study Root Query/Retrieve Information Model – MOVE SOP Class',
  '1.2.840.10008.1.20.1': 'Storage Commitment Push Model SOP Class',
  '1.2.840.10008.3.1.2.3.3': 'Modality Performed Procedure Step SOP Class',
  '1.2.840.10008.1.2': 'Implicit VR Little Endian',
  '1.2.840.10008.1.2.1': 'Explicit VR Little Endian',
  '1.2.840.10008.1.2.2': 'Explicit VR Big Endian (retired)',
};

/** The name of a UID (PS3.6 annex A); throws where none stands here, so that the statement names all of them. */
export function uidName(uid: string): string {
  const name = NAMES[uid];
  if (name === undefined) throw new Error(`scripts/conformance/markdown.ts has no name for ${uid}`);
  return name;
}
