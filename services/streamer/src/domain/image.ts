/** What an image's first bytes tell: its attributes, and where the private tag goes. */
import { planSplice, readAttributes, text, type Edit, type PrivateTag } from '@scanflow/dicom';
import type { Attributes, Reason } from './route.ts';

/** Keywords that are read of every series, for the record, the API and the destinations' conditions. */
export const SERIES_KEYWORDS = [
  'AccessionNumber',
  'Modality',
  'PatientID',
  'SeriesDescription',
  'SeriesInstanceUID',
  'SeriesNumber',
  'StudyID',
  'StudyInstanceUID',
] as const;

/** A head that says nothing within this many bytes is not read further. */
const MAX_HEAD = 64 * 1024 * 1024;

export interface Head {
  readonly bytes: Uint8Array;
  /** The head is the whole file. */
  readonly complete: boolean;
  /** Length of the whole file. */
  readonly fileSize: number;
}

export interface ImageFacts {
  readonly transferSyntax: string;
  readonly sopClassUid: string;
  /** Those of the keywords that the file has and that can be read. */
  readonly attributes: Attributes;
}

export type Tagging =
  | { readonly kind: 'tag'; readonly edits: readonly Edit[] }
  | { readonly kind: 'already' }
  | { readonly kind: 'untagged'; readonly reason: Reason };

export type More = { readonly needMore: number };

/** Reads the attributes; undefined where the file cannot be read that far. */
export function imageFacts(
  { bytes, complete, fileSize }: Head,
  keywords: readonly string[],
): { readonly facts: ImageFacts | undefined } | More {
  const result = readAttributes(bytes, keywords, { complete, fileSize });
  if (result.kind === 'needMore') return more(result.atLeast, complete) ?? { facts: undefined };
  if (result.kind === 'refused') return { facts: undefined };
  const { dataSet, header } = result;
  const attributes = Object.fromEntries(
    keywords.flatMap((keyword) => {
      const value = text(dataSet, keyword);
      return value === undefined ? [] : [[keyword, value]];
    }),
  );
  return {
    facts: { transferSyntax: header.transferSyntax, sopClassUid: header.sopClassUid, attributes },
  };
}

/** Where the tag goes. What cannot be tagged is kept as it came, with the reason. */
export function planTagging({ bytes, complete, fileSize }: Head, tag: PrivateTag): Tagging | More {
  const plan = planSplice(bytes, tag, complete, { fileSize, maxHead: MAX_HEAD });
  switch (plan.kind) {
    case 'splice':
      return { kind: 'tag', edits: plan.edits };
    case 'already':
      return plan;
    case 'refused':
      return { kind: 'untagged', reason: { code: plan.code, message: plan.message } };
    case 'needMore':
      return (
        more(plan.atLeast, complete) ?? {
          kind: 'untagged',
          reason: { code: 'TAG_UNDECODABLE', message: 'The tag has no place within the file.' },
        }
      );
  }
}

/** Asking ends with the file and with the limit. */
function more(atLeast: number, complete: boolean): More | undefined {
  return complete || atLeast > MAX_HEAD ? undefined : { needMore: atLeast };
}
