/** How a transfer syntax lays out a data set (PS3.5 annex A). */
import { transferSyntaxes } from './uids.ts';

export interface Layout {
  readonly explicit: boolean;
  readonly bigEndian: boolean;
}

const IMPLICIT: Layout = { explicit: false, bigEndian: false };
const EXPLICIT: Layout = { explicit: true, bigEndian: false };
const BIG_ENDIAN: Layout = { explicit: true, bigEndian: true };

/** Encapsulated pixel data in an otherwise explicit little endian data set: JPEG, MPEG, HTJ2K (4.*), RLE, SMPTE. */
const ENCAPSULATED = /^1\.2\.840\.10008\.1\.2\.(?:4\.\d+|5|7\.\d+)$/;
/** JPIP deflated: the whole data set is compressed. */
const DEFLATED = new Set(['1.2.840.10008.1.2.4.95', '1.2.840.10008.1.2.4.205']);

/** The layout of a transfer syntax; undefined for an unknown or a deflated one. */
export function layoutOf(transferSyntaxUid: string): Layout | undefined {
  if (transferSyntaxUid === transferSyntaxes.implicitVRLittleEndian) return IMPLICIT;
  if (transferSyntaxUid === transferSyntaxes.explicitVRLittleEndian) return EXPLICIT;
  if (transferSyntaxUid === transferSyntaxes.explicitVRBigEndian) return BIG_ENDIAN;
  return ENCAPSULATED.test(transferSyntaxUid) && !DEFLATED.has(transferSyntaxUid) ? EXPLICIT : undefined;
}
