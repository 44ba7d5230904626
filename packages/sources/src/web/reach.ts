/**
 * Where a calendar's server may lead us. A redirect may lead to the public internet, or to the kind of address that the
 * configured one has; what is judged is the address that is connected to, so that a name cannot mean two (DNS rebinding).
 */
import { lookup as resolve, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Stop } from '../answer.ts';

/** `other`: no address of a calendar server, such as multicast, or an IPv4 address embedded in IPv6. */
export type Kind = 'public' | 'private' | 'loopback' | 'link-local' | 'other';

const KINDS: Readonly<Record<string, Kind>> = {
  unicast: 'public',
  private: 'private',
  uniqueLocal: 'private',
  carrierGradeNat: 'private',
  deprecatedSiteLocal: 'private',
  loopback: 'loopback',
  // on Linux, 0.0.0.0 and :: lead to this machine
  unspecified: 'loopback',
  linkLocal: 'link-local',
};

/** The kind of an IPv4 or IPv6 address. An IPv4 address in IPv6 notation counts as IPv4. */
export function kindOf(address: string): Kind {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  if (!ipaddr.isValid(bare)) return 'other';
  return KINDS[ipaddr.process(bare).range()] ?? 'other';
}

/** The addresses that a calendar's configured name had, over all fetches. */
export class Reach {
  readonly #listed: ReadonlySet<string>;
  /** Kinds of the addresses at the first resolution, and kinds that count as equal. */
  #kinds: Set<Kind> | undefined;

  /** `listed`: hosts and addresses that redirects may always lead to. */
  constructor(listed: readonly string[] = []) {
    this.#listed = new Set(listed.map((host) => host.toLowerCase()));
  }

  /** Checks an address in the URL itself before a request. Throws a Stop. */
  judge({ hostname, host }: URL, own: boolean): void {
    const bare = hostname.replace(/^\[|\]$/g, '');
    const isLocal = bare === 'localhost' || bare.endsWith('.localhost');
    if (!ipaddr.isValid(bare) && !isLocal) return;
    const kind = isLocal ? 'loopback' : kindOf(bare);
    if (own) this.#remember([kind]);
    if (!this.#allows(kind, bare, own)) throw inward(host, [kind], own);
  }

  /** Resolves a name to the addresses that a connection may use. */
  lookup(own: boolean): LookupFunction {
    return (hostname, options, callback) => {
      resolve(hostname, { ...options, all: true }, (error, addresses) => {
        if (error !== null) {
          callback(error, '', 0);
          return;
        }
        const kinds = addresses.map(({ address }) => kindOf(address));
        if (own) this.#remember(kinds);
        const allowed = addresses.filter((_, index) => this.#allows(kinds[index] ?? 'other', hostname, own));
        const [first] = allowed;
        if (first === undefined) callback(inward(hostname, kinds, own), '', 0);
        else answer(callback, options.all === true, first, allowed);
      });
    };
  }

  /**
   * A configured name may have addresses inside and outside; one that led elsewhere at first does not come to lead to
   * this machine or its link.
   */
  #remember(kinds: readonly Kind[]): void {
    this.#kinds ??= new Set(kinds);
    for (const kind of kinds) if (kind === 'public' || kind === 'private') this.#kinds.add(kind);
  }

  #allows(kind: Kind, host: string, own: boolean): boolean {
    if (this.#kinds?.has(kind) === true) return true;
    return !own && (kind === 'public' || this.#listed.has(host.toLowerCase()));
  }
}

type Callback = Parameters<LookupFunction>[2];

function answer(callback: Callback, all: boolean, first: LookupAddress, allowed: LookupAddress[]): void {
  if (all) callback(null, allowed);
  else callback(null, first.address, first.family);
}

const WORDS: Readonly<Record<Kind, string>> = {
  public: 'a public address',
  private: 'an address of a private network',
  loopback: 'this machine itself',
  'link-local': 'a link-local address',
  other: 'an address of no server',
};

function inward(host: string, kinds: readonly Kind[], own: boolean): Stop {
  const where = [...new Set(kinds)].map((kind) => WORDS[kind]).join(' and ');
  return own
    ? new Stop(
        'permanent',
        'FETCH_INWARD',
        `${host} leads to ${where}, and did not when cal2wl started. Check its name in the DNS; if it is right, restart cal2wl.`,
      )
    : new Stop(
        'permanent',
        'FETCH_INWARD',
        `The calendar was redirected to ${host}, which is ${where}, and no calendar leads there by itself. Give its final address, or list the host under redirects.`,
      );
}
