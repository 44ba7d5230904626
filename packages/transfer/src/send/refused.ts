/** A file that is no DICOM file: an archive, an image of which nothing was written, or something else. */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { StoreOutcome } from '@scanflow/dimse';
import type { Found } from './found.ts';
import type { LocalInput } from './inputs.ts';
import { packedAs } from './packed.ts';

type Failure = Extract<StoreOutcome, { result: 'failed' }>['failure'];

export type RefusedFile =
  | { readonly archive: LocalInput }
  /** It holds images, perhaps, and was not read. */
  | { readonly trouble: string }
  | { readonly failure: Failure };

/** Names that images have: by their ending, a number, or the UID. */
const IMAGE_NAME = /\.(dcm|dicom|dic|ima)$|^[^.]*\d[^.]*$|(\.\d+){3,}$/i;

const EMPTY: Failure = {
  kind: 'permanent',
  code: 'DICOM_BROKEN',
  message: 'This is no complete DICOM file: it is empty. Export it again.',
};
const UNPACK = 'Unpack it, and send the folder';

/** Undefined where it is what its failure says. Archives are read one level deep: `found.packed` came out of one. */
export function refusedFile(found: Found, { code }: Failure): RefusedFile | undefined {
  if (code !== 'NOT_DICOM') return undefined;
  const { path, bytes, id, packed: isPacked } = found;
  const size = bytes?.length ?? (path === undefined ? 0 : statSync(path, { throwIfNoEntry: false })?.size);
  const name = basename(id.replace(/ \(\d+\)$/, ''));
  if (size === 0) return IMAGE_NAME.test(name) ? { failure: EMPTY } : undefined;
  const packed = packedAs(found, name);
  if (packed === undefined) return undefined;
  if ('unread' in packed) return { trouble: `it is a ${packed.unread}, which is not read. ${UNPACK}` };
  if (isPacked === true || path === undefined)
    return { trouble: `it is an archive within an archive, which is not read. ${UNPACK}` };
  return { archive: { path, kind: packed.kind } };
}
