/** Writing DICOM files (PS3.10 7): preamble, file meta information, data set. */
import type { DataSet, Tag, Element } from './dataset.ts';
import { dataSet } from './build.ts';
import { encodeDataSet } from './encode.ts';
import { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, transferSyntaxes } from './uids.ts';

export interface Part10Options {
  readonly transferSyntax: string;
  /** Defined term of (0008,0005) that all text is written in; ISO_IR 6. */
  readonly characterSet?: string;
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  /** Further elements of group 0002, such as Source Application Entity Title. */
  readonly extraMeta?: DataSet;
}

/** A DICOM file's bytes. The data set is written as by `encodeDataSet`; it has no group 0002 of its own. */
export function encodePart10(body: DataSet, options: Part10Options): Uint8Array {
  const encoded = encodeDataSet(body, options.transferSyntax, options.characterSet);
  return new Uint8Array(Buffer.concat([part10Head(options), encoded]));
}

/** What stands before the data set: preamble, `DICM` and file meta information. */
export function part10Head(options: Omit<Part10Options, 'characterSet'>): Buffer {
  const meta = new Map<Tag, Element>([...(options.extraMeta ?? []), ...fileMeta(options)]);
  return Buffer.concat([
    new Uint8Array(128),
    Buffer.from('DICM', 'latin1'),
    encodeDataSet(meta, transferSyntaxes.explicitVRLittleEndian),
  ]);
}

/** PS3.10 table 7.1-1. */
function fileMeta({
  transferSyntax,
  sopClassUid,
  sopInstanceUid,
}: Pick<Part10Options, 'transferSyntax' | 'sopClassUid' | 'sopInstanceUid'>): DataSet {
  return dataSet({
    FileMetaInformationVersion: Uint8Array.of(0, 1),
    MediaStorageSOPClassUID: sopClassUid,
    MediaStorageSOPInstanceUID: sopInstanceUid,
    TransferSyntaxUID: transferSyntax,
    ImplementationClassUID: IMPLEMENTATION_CLASS_UID,
    ImplementationVersionName: IMPLEMENTATION_VERSION_NAME,
  });
}
