/**
 * Writes packages/dicom/src/dictionary-data.json, the data dictionary of PS3.6, from dcmjs's: tag, VR, keyword.
 * To be run again when dcmjs is updated; a unit test of packages/dicom says when that was forgotten.
 */
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

interface Entry {
  readonly tag: string;
  readonly vr: string;
  readonly name: string;
}
interface Dcmjs {
  readonly data: { readonly DicomMetaDictionary: { readonly nameMap: Readonly<Record<string, Entry>> } };
}

const TARGET = new URL('../packages/dicom/src/dictionary-data.json', import.meta.url);
const { data } = createRequire(new URL('../packages/dicom/', import.meta.url))('dcmjs') as Dcmjs;

const lines = Object.values(data.DicomMetaDictionary.nameMap).map(({ name, tag, vr }) => {
  // Retired attributes carry a prefix there that is no part of the keyword in PS3.6.
  const keyword = name.replace(/^RETIRED_/, '');
  return `${tag.slice(1, 5)}${tag.slice(6, 10)} ${vr} ${keyword}`;
});
await writeFile(TARGET, `${JSON.stringify(lines.sort(), null, 2)}\n`);
console.log(`${lines.length} attributes`);
