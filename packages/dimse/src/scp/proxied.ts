/** The PROXY protocol, versions 1 and 2: a proxy in front says first for whom it opened the connection (HAProxy: `send-proxy-v2`). */
import { isIP, SocketAddress, type Socket } from 'node:net';
import { addressMatcher } from '../access.ts';

/** The bytes so far: whole, too short, or no header at all. Without an address, the proxy opened the connection for itself. */
export type ProxyHeader =
  | { readonly kind: 'whole'; readonly length: number; readonly address: string | undefined }
  | { readonly kind: 'more' }
  | { readonly kind: 'none' };

const MORE: ProxyHeader = { kind: 'more' };
const NONE: ProxyHeader = { kind: 'none' };

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const FIXED = 16;
/** Addresses, and what a proxy may add to them. */
const MOST_ADDED = 2_048;
const V1 = Buffer.from('PROXY ', 'latin1');
/** With its line end. */
const V1_MOST = 107;

/** Pure. https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt, section 2 */
export function proxyHeader(bytes: Buffer): ProxyHeader {
  const begins = (with_: Buffer): boolean =>
    bytes.subarray(0, with_.length).equals(with_.subarray(0, bytes.length));
  if (begins(SIGNATURE)) return bytes.length < FIXED ? MORE : second(bytes);
  if (begins(V1)) return first(bytes);
  return NONE;
}

function first(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, V1_MOST).indexOf('\r\n');
  if (end < 0) return bytes.length < V1_MOST ? MORE : NONE;
  const [, family, address = ''] = bytes.toString('latin1', 0, end).split(' ');
  const length = end + 2;
  if (family === 'UNKNOWN') return { kind: 'whole', length, address: undefined };
  const version = family === 'TCP4' ? 4 : 6;
  return (version === 4 || family === 'TCP6') && isIP(address) === version
    ? { kind: 'whole', length, address: asWritten(address) }
    : NONE;
}

const [LOCAL, PROXY] = [0x20, 0x21];
const [UNSPECIFIED, TCP4, TCP6] = [0x00, 0x11, 0x21];

/** What a proxy sends that calls for itself. The port then counts the connection's own address. */
export const OWN_CALL = Buffer.from([...SIGNATURE, LOCAL, UNSPECIFIED, 0, 0]);

function second(bytes: Buffer): ProxyHeader {
  const [command, family, added] = [bytes[12], bytes[13], bytes.readUInt16BE(14)];
  if ((command !== LOCAL && command !== PROXY) || added > MOST_ADDED) return NONE;
  const length = FIXED + added;
  if (bytes.length < length) return MORE;
  // LOCAL: whatever follows is skipped. PROXY of an unknown family: the addresses of the connection may count (2.2)
  if (command === LOCAL || family === UNSPECIFIED) return { kind: 'whole', length, address: undefined };
  if (family === TCP4 && added >= 12)
    return { kind: 'whole', length, address: bytes.subarray(FIXED, FIXED + 4).join('.') };
  if (family === TCP6 && added >= 36) return { kind: 'whole', length, address: sixth(bytes) };
  return NONE;
}

const sixth = (bytes: Buffer): string =>
  asWritten(Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(FIXED + 2 * at).toString(16)).join(':'));

/** One way to write each address, so that a caller counts once. HAProxy may hand on an IPv4 address in IPv6's notation (RFC 4291 2.5.5.2). */
function asWritten(address: string): string {
  if (isIP(address) !== 6) return address;
  const { address: written } = new SocketAddress({ address: address.replace(/%.*$/, ''), family: 'ipv6' });
  return written.replace(/^::ffff:(?=\d+\.)/, '');
}

/** For whom a connection was opened; undefined: the proxy itself. */
interface Proxied {
  readonly address: string | undefined;
}

/**
 * Reads the header of a connection, and leaves all that follows it in the socket. Undefined: there is none, or it did not
 * come in time. `gone`: nothing came but a proxy that opened it for itself, such as a check of health. Never rejects.
 */
export async function readProxyHeader(socket: Socket, ms: number): Promise<Proxied | 'gone' | undefined> {
  const { promise, resolve } = Promise.withResolvers<Proxied | 'gone' | undefined>();
  let bytes = Buffer.alloc(0);
  // a proxy's own call counts once something follows its header
  let own = false;
  const late = (): void => resolve(own ? 'gone' : undefined);
  const gone = (): void => resolve(own || bytes.length === 0 ? 'gone' : undefined);
  const read = (): void => {
    for (let chunk: unknown = socket.read(); chunk !== null; chunk = socket.read())
      bytes = Buffer.concat([bytes, chunk as Buffer]);
    const header = proxyHeader(bytes);
    if (header.kind === 'more') return;
    if (header.kind === 'whole') {
      own = header.address === undefined;
      if (own && bytes.length === header.length) return;
    }
    socket.off('readable', read);
    if (header.kind !== 'whole') {
      resolve(undefined);
      return;
    }
    if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length));
    resolve({ address: header.address });
  };
  const timer = setTimeout(late, ms);
  socket.on('readable', read).on('end', gone).on('error', gone).on('close', gone);
  const found = await promise;
  clearTimeout(timer);
  // an error without a listener would end the process, and whoever comes next listens only later
  socket.off('readable', read).off('end', gone).off('close', gone);
  return found;
}

/** Whether an address is one of these addresses and networks, such as `10.0.5.0/24`. */
export function isAmong(networks: readonly string[]): (address: string) => boolean {
  const matchers = networks.map(addressMatcher);
  return (address) => matchers.some((has) => has(address));
}
