/** What an image's first bytes tell of it. */
import { number, readAttributes, text } from '@scanflow/dicom';
import type { Attributes } from './place/route.ts';

/** Keywords that are read of every series, for the record, the API and the destinations' conditions. */
export const SERIES_KEYWORDS = [
  'AccessionNumber',
  'Modality',
  'PatientID',
  'ProtocolName',
  'SeriesDescription',
  'SeriesInstanceUID',
  'SeriesNumber',
  'StudyDescription',
  'StudyID',
  'StudyInstanceUID',
] as const;

/** A head that says nothing within this many bytes is not read further. */
const MAX_HEAD = 64 * 1024 * 1024;

export interface Head {
  readonly bytes: Uint8Array;
  /** The head is the whole file. */
  readonly complete: boolean;
  /** Length of the whole file, where known. */
  readonly fileSize?: number;
}

export interface ImageFacts {
  readonly transferSyntax: string;
  readonly sopClassUid: string;
  /** Those of the keywords that the file has and that can be read. */
  readonly attributes: Attributes;
}

export type More = { readonly needMore: number };

/** Reads the attributes; undefined where the file cannot be read that far. */
export function imageFacts(
  { bytes, ...options }: Head,
  keywords: readonly string[],
): { readonly facts: ImageFacts | undefined } | More {
  const result = readAttributes(bytes, ['SOPClassUID', ...keywords], options);
  if (result.kind === 'needMore') return more(result.atLeast, options.complete) ?? { facts: undefined };
  if (result.kind === 'refused') return { facts: undefined };
  const { dataSet, header } = result;
  const attributes = Object.fromEntries(
    keywords.flatMap((keyword) => {
      const value = text(dataSet, keyword) ?? number(dataSet, keyword)?.toString();
      return value === undefined ? [] : [[keyword, value]];
    }),
  );
  // what a C-STORE names, and storage commitment after it (PS3.4 B.2.1)
  const sopClassUid = text(dataSet, 'SOPClassUID') || header.sopClassUid;
  return { facts: { transferSyntax: header.transferSyntax, sopClassUid, attributes } };
}

/** Asking ends with the file and with the limit. */
function more(atLeast: number, complete: boolean): More | undefined {
  return complete || atLeast > MAX_HEAD ? undefined : { needMore: atLeast };
}
