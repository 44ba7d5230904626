/** A Siemens CSA header: the vendor's own format within (0029,1010) and (0029,1020), as converters read it. */

const TAG = 84;
const ITEM = 16;

/** Tags by name: the VR, then the values. Laid out as version 2, `SV10`, all numbers little endian. */
export function csaHeader(
  tags: Readonly<Record<string, readonly [vr: string, ...values: string[]]>>,
): Uint8Array {
  const entries = Object.entries(tags);
  const sizes = entries.map(
    ([, [, ...values]]) => TAG + values.reduce((sum, value) => sum + ITEM + padded(value), 0),
  );
  const bytes = Buffer.alloc(16 + sizes.reduce((sum, size) => sum + size, 0) + 4);
  bytes.write('SV10\x04\x03\x02\x01', 0, 'latin1');
  bytes.writeUInt32LE(entries.length, 8);
  bytes.writeUInt32LE(77, 12);
  let at = 16;
  for (const [name, [vr, ...values]] of entries) {
    bytes.write(name, at, 63, 'latin1');
    bytes.writeUInt32LE(values.length, at + 64);
    bytes.write(vr, at + 68, 'latin1');
    bytes.writeUInt32LE(values.length, at + 76);
    bytes.writeUInt32LE(77, at + 80);
    at += TAG;
    for (const value of values) {
      const length = value.length + 1;
      [length, length, 77, length].forEach((field, index) => bytes.writeUInt32LE(field, at + 4 * index));
      bytes.write(value, at + ITEM, 'latin1');
      at += ITEM + padded(value);
    }
  }
  return new Uint8Array(bytes);
}

/** With the final NUL, up to a multiple of four. */
function padded(value: string): number {
  return Math.ceil((value.length + 1) / 4) * 4;
}
