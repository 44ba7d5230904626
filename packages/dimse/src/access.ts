/** Who may open an association, by AE titles, addresses and certificates; and who called or tried to. Pure. */
import { defined } from '@scanflow/failure/defined';

/** Conditions on one caller beyond its AE title, which anyone can use. */
export interface CallerProof {
  /** Addresses and networks. */
  readonly addresses?: readonly string[] | undefined;
  /** Fingerprints and subjects; one of them must be shown. */
  readonly certificates?: readonly string[] | undefined;
}

/** Who is at the other end of an association. */
export interface Caller {
  readonly calledAet: string;
  readonly callingAet: string;
  /** IP address. */
  readonly address: string;
  /** Undefined without TLS, and where the peer showed none that an authority of ours vouches for. */
  readonly certificate?: ShownCertificate;
}

/** PS3.8 9.3.4: Read `reason` together with `source`. `why` is for the log. */
export interface Rejection {
  readonly accept: false;
  readonly result: 1 | 2;
  readonly source: 1 | 2 | 3;
  readonly reason: number;
  readonly why: string;
}
export type Decision = { readonly accept: true } | Rejection;

/**
 * A permanent rejection of an association (PS3.8 9.3.4).
 *
 * @param source who rejects, and `reason` why: the numbers of PS3.8 table 9-21
 * @param why the same for the log and for /api/senders: what the facility should change
 */
export const reject = (source: Rejection['source'], reason: number, why: string): Rejection => ({
  accept: false,
  result: 1,
  source,
  reason,
  why,
});

/** Rejects with source 1 and reason 3: calling AE title not recognized. */
export const rejectCalling = (why: string): Decision => reject(1, 3, why);
/** Rejects with source 1 and reason 7: called AE title not recognized. */
export const rejectCalled = (why: string): Decision => reject(1, 7, why);

/**
 * Checks what each AE title has to prove; `path` is where the configuration says it. Who calls in another's name is not
 * that one: the wire says no more than for an unknown AE title.
 */
export function callerProofs(
  proofs: Readonly<Record<string, CallerProof>>,
  path: string,
): (caller: Caller) => Decision {
  const entries = new Map(
    Object.entries(proofs).map(([title, { addresses, certificates }]) => [
      title,
      { networks: addresses?.map(addressMatcher), known: certificates?.map(certificateMatcher) },
    ]),
  );
  return ({ callingAet, address, certificate }) => {
    const { networks, known } = entries.get(callingAet) ?? {};
    if (networks?.some((has) => has(address)) === false)
      return rejectCalling(`${path}.${callingAet}.addresses does not have ${address}`);
    if (known?.some((is) => certificate !== undefined && is(certificate)) === false)
      return rejectCalling(`${path}.${callingAet}.certificates${certificateReason(certificate)}`);
    return { accept: true };
  };
}

const certificateReason = (shown: ShownCertificate | undefined): string =>
  shown === undefined
    ? ': no certificate was shown'
    : ` does not have ${shown.fingerprint} (${shown.subject})`;

/** A peer's certificate that was verified. */
export interface ShownCertificate {
  /** SHA-256: 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  /** Attributes of the subject in its order, such as `CN=prisma,O=Example`; `\` stands before a comma of a value. */
  readonly subject: string;
}

/** A test by fingerprint (colons and case mean nothing), or by attributes of the subject, all of which must be there. */
function certificateMatcher(wanted: string): (shown: ShownCertificate) => boolean {
  const digits = wanted.replaceAll(':', '').toLowerCase();
  if (/^[0-9a-f]{64}$/.test(digits)) return ({ fingerprint }) => fingerprint === digits;
  const attributes = wanted.split(',').map(normal);
  return ({ subject }) => {
    const shown = new Set(subject.split(/(?<!\\),/).map(normal));
    return attributes.every((attribute) => shown.has(attribute));
  };
}

/** Names of attributes have no case (RFC 4514 4); values keep theirs. */
function normal(attribute: string): string {
  const text = attribute.trim();
  const equals = text.indexOf('=');
  return `${text.slice(0, equals).toUpperCase()}=${text.slice(equals + 1)}`;
}

/** A test for an address (`10.1.2.3`, `2001:db8::1`) or a network (`10.1.2.0/24`). What is none matches nothing. */
export function addressMatcher(network: string): (address: string) => boolean {
  const [base = '', bits] = network.split('/');
  const wanted = bytesOf(base);
  if (wanted === undefined) return () => false;
  // of an IPv4 address in IPv6's notation, 96 bits are notation
  const notation = base.includes(':') && wanted.length === 4 ? 96 : 0;
  const length = bits === undefined ? wanted.length * 8 : Number(bits) - notation;
  // it would be every IPv4 address
  if (length < 0) return () => false;
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

/** Who called or tried to, for people who look why nothing comes. */
export type Sender = Omit<Caller, 'certificate'>;

interface SenderRecord extends Sender {
  /** Associations. */
  readonly count: number;
  /** ISO 8601, UTC. */
  readonly first: string;
  readonly last: string;
  /** Why it was refused; absent where it was admitted. */
  readonly why?: string;
}

export interface SenderList {
  /** Counts an association at `now`. */
  add(sender: Sender, now: string, why?: string): void;
  /** The latest first. */
  all(): SenderRecord[];
  /** Senders that gave way to later ones. */
  readonly dropped: number;
}

/** Bounded, as strangers choose AE titles as they like: at most `most` senders; the one that was silent for longest gives way. */
export function senderList(most: number): SenderList {
  const records = new Map<string, SenderRecord>();
  let dropped = 0;
  return {
    add: ({ callingAet, calledAet, address }, now, why) => {
      const key = [callingAet, calledAet, address, why ?? ''].join('\\');
      const { count = 0, first = now } = records.get(key) ?? {};
      const reason = defined({ why });
      // the order of a Map is that of insertion: the latest stands last
      records.delete(key);
      records.set(key, { callingAet, calledAet, address, count: count + 1, first, last: now, ...reason });
      const [oldest] = records.keys();
      if (records.size <= most || oldest === undefined) return;
      records.delete(oldest);
      dropped += 1;
    },
    all: () => [...records.values()].reverse(),
    get dropped() {
      return dropped;
    },
  };
}
