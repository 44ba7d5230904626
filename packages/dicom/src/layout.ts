/** How data sets are laid out: by their transfer syntax (PS3.5 annex A), and each element by its VR (PS3.5 table 6.2-1). */
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

/** What kind of value a VR holds and how it is laid out. */
export interface VrTraits {
  readonly kind: 'text' | 'binary' | 'sequence';
  /** Explicit VR: the length is 32 bits after two reserved bytes (PS3.5 7.1.2). */
  readonly long: boolean;
  /** Bytes of one value of a number, the unit of byte order; 1 for byte strings and text. */
  readonly unit: 1 | 2 | 4 | 8;
  /** Bytes of one whole value, which a length is a multiple of. */
  readonly size: number;
  /** Text: whether `\` separates values. */
  readonly multiple: boolean;
  /** Text: whether (0008,0005) applies (PS3.5 6.1.2.2); otherwise it is the default repertoire. */
  readonly extended: boolean;
  /** Text: whether leading spaces are padding too. */
  readonly trimStart: boolean;
  /** What an odd length is filled with: a space, or NUL. */
  readonly padding: 0x20 | 0x00;
}

const text = (traits: Partial<VrTraits> = {}): VrTraits => ({
  kind: 'text',
  long: false,
  unit: 1,
  size: 1,
  multiple: true,
  extended: false,
  trimStart: false,
  padding: 0x20,
  ...traits,
});
const binary = (unit: VrTraits['unit'], long: boolean, size: number = unit): VrTraits => ({
  ...text(),
  kind: 'binary',
  multiple: false,
  padding: 0x00,
  unit,
  long,
  size,
});

const table: Readonly<Record<string, VrTraits>> = {
  AE: text({ trimStart: true }),
  AS: text(),
  CS: text({ trimStart: true }),
  DA: text(),
  DS: text({ trimStart: true }),
  DT: text(),
  IS: text({ trimStart: true }),
  LO: text({ extended: true, trimStart: true }),
  LT: text({ extended: true, multiple: false }),
  PN: text({ extended: true }),
  SH: text({ extended: true, trimStart: true }),
  ST: text({ extended: true, multiple: false }),
  TM: text(),
  UC: text({ extended: true, long: true }),
  UI: text({ padding: 0x00 }),
  UR: text({ multiple: false, long: true }),
  UT: text({ extended: true, multiple: false, long: true }),
  AT: binary(2, false, 4),
  FD: binary(8, false),
  FL: binary(4, false),
  OB: binary(1, true),
  OD: binary(8, true),
  OF: binary(4, true),
  OL: binary(4, true),
  OV: binary(8, true),
  OW: binary(2, true),
  SL: binary(4, false),
  SS: binary(2, false),
  SV: binary(8, true),
  UL: binary(4, false),
  UN: binary(1, true),
  US: binary(2, false),
  UV: binary(8, true),
  SQ: { ...binary(1, true), kind: 'sequence' },
};

/** A VR's traits with its two letters as a number, as they stand in explicit VR: the first in the high byte. */
export interface CodedVr extends VrTraits {
  readonly vr: string;
  readonly code: number;
}

const byName = new Map<string, CodedVr>();
const byCode = new Map<number, CodedVr>();
for (const [vr, traits] of Object.entries(table)) {
  const code = (vr.charCodeAt(0) << 8) | vr.charCodeAt(1);
  const coded = { ...traits, vr, code };
  byName.set(vr, coded);
  byCode.set(code, coded);
}

/** The VR of two letters read as a number, high byte first; undefined if there is no such VR. */
export function vrOfCode(code: number): CodedVr | undefined {
  return byCode.get(code);
}

/** The traits of a VR that is known to exist; throws otherwise, since that is a slip in the code. */
export function requireVr(vr: string): CodedVr {
  const traits = byName.get(vr);
  if (traits === undefined) throw new Error(`There is no value representation '${vr}'.`);
  return traits;
}
