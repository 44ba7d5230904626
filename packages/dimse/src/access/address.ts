/** Which IP addresses a network has: pure, for who may call. */

/** A test for an address (`10.1.2.3`, `2001:db8::1`) or a network (`10.1.2.0/24`). What is none matches nothing. */
export function addressMatcher(network: string): (address: string) => boolean {
  const [base = '', bits] = network.split('/');
  const wanted = bytesOf(base);
  if (wanted === undefined) return () => false;
  // of an IPv4 address in IPv6's notation, 96 bits are notation
  const notation = base.includes(':') && wanted.length === 4 ? 96 : 0;
  const length = bits === undefined ? wanted.length * 8 : Number(bits) - notation;
  return (address) => {
    const given = bytesOf(address);
    return given?.length === wanted.length && startsAlike(given, wanted, length);
  };
}

function startsAlike(a: readonly number[], b: readonly number[], bits: number): boolean {
  return a.every((byte, index) => {
    const counted = Math.min(Math.max(bits - index * 8, 0), 8);
    const mask = (0xff << (8 - counted)) & 0xff;
    return (byte & mask) === ((b[index] ?? 0) & mask);
  });
}

/** 4 bytes, or 16; an IPv4 address that a socket of IPv6 shows (`::ffff:10.1.2.3`, RFC 4291 2.5.5.2) is 4. */
function bytesOf(address: string): readonly number[] | undefined {
  if (!address.includes(':')) return bytesOfV4(address);
  // the zone of a link-local address (`fe80::1%eth0`) is this machine's own matter
  const bytes = bytesOfV6(address.replace(/%.*$/, ''));
  const isMapped =
    bytes?.slice(0, 10).every((byte) => byte === 0) === true && bytes[10] === 0xff && bytes[11] === 0xff;
  return isMapped ? bytes.slice(12) : bytes;
}

function bytesOfV4(address: string): readonly number[] | undefined {
  const parts = address.split('.');
  const bytes = parts.map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : Number.NaN));
  return parts.length === 4 && bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function bytesOfV6(address: string): readonly number[] | undefined {
  const halves = address.split('::').map(groupsOf);
  const [head, tail] = halves;
  if (halves.length > 2 || head === undefined || halves.includes(undefined)) return undefined;
  if (tail === undefined) return head.length === 16 ? head : undefined;
  const missing = 16 - head.length - tail.length;
  return missing < 2 ? undefined : [...head, ...new Array<number>(missing).fill(0), ...tail];
}

function groupsOf(half: string): readonly number[] | undefined {
  if (half === '') return [];
  const bytes = half.split(':').map((group, index, all) => {
    if (group.includes('.')) return index === all.length - 1 ? bytesOfV4(group) : undefined;
    if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined;
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
  return bytes.every((group) => group !== undefined) ? bytes.flat() : undefined;
}
