/** What becomes of bytes on their way: flipped, cut, repeated, with other lengths in them. */
import type { Random } from './random.ts';

/** The bytes with one change; those that are given stay as they are. */
export function mutate(r: Random, bytes: Buffer): Buffer {
  if (bytes.length === 0) return r.bytes(1 + r.int(32));
  const copy = Buffer.from(bytes);
  const at = r.int(copy.length);
  const upTo = Math.min(copy.length, at + 1 + r.int(64));
  switch (r.int(8)) {
    case 0:
      copy[at] = (copy[at] ?? 0) ^ (1 << r.int(8));
      return copy;
    case 1:
      copy[at] = r.pick([0, 1, 0x7f, 0x80, 0xfe, 0xff]);
      return copy;
    case 2: // a length, perhaps
      if (at + 4 <= copy.length)
        copy.writeUInt32LE(r.pick([0, 1, 0x7fff_ffff, 0xffff_ffff, 0xffff_fffe]), at);
      return copy;
    case 3:
      if (at + 2 <= copy.length) copy.writeUInt16BE(r.pick([0, 1, 0x7fff, 0xffff]), at);
      return copy;
    case 4:
      return copy.subarray(0, at);
    case 5:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(upTo)]);
    case 6: {
      const stretch = copy.subarray(at, upTo);
      const again = Array.from({ length: r.once(10) ? 500 : 2 }, () => stretch);
      return Buffer.concat([copy.subarray(0, at), ...again, copy.subarray(at)]);
    }
    default:
      return Buffer.concat([copy.subarray(0, at), r.bytes(1 + r.int(32)), copy.subarray(at)]);
  }
}
