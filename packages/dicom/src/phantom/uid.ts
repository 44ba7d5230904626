/** UIDs made of UUIDs (PS3.5 B.2), which need no registered root. */
import { createHash, randomUUID } from 'node:crypto';

/** A new UID at random, `2.25.` and up to 39 digits. */
export function newUid(): string {
  return uidOf(randomUUID().replaceAll('-', ''));
}

/** The UID that belongs to a name: the same one each time (RFC 9562 5.8, of SHA-256). */
export function uidFrom(name: string): string {
  const bytes = createHash('sha256').update(name).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return uidOf(bytes.toString('hex'));
}

function uidOf(hex: string): string {
  return `2.25.${BigInt(`0x${hex}`)}`;
}
