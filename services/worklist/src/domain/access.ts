/** Who may ask for the worklist, what of it they see, and in which character set they read it. */
import { isWritableCharacterSet } from '@scanflow/dicom';
import { addressMatcher } from './address.ts';
import { certificateMatcher, type ShownCertificate } from './certificate.ts';
import type { Entry } from './schedule.ts';

/** The parts of the configuration that decide access. */
export interface AccessSettings {
  /** AE title of the worklist SCP. */
  readonly aet: string;
  readonly allow: 'scanners' | 'any' | readonly string[];
  readonly view: View;
  readonly scanners: readonly { readonly aet: string; readonly characterSet: string }[];
  /** By calling AE title. */
  readonly access?: Readonly<Record<string, AccessEntry>>;
}

/** `all` items, those of the caller's `own` station, or those of a list of stations. */
export type View = 'all' | 'own' | readonly string[];

/** What is asked of one caller beyond its AE title, which anyone can use. */
export interface AccessEntry {
  /** Addresses and networks. */
  readonly addresses?: readonly string[] | undefined;
  /** Fingerprints and subjects; one of them must be shown. */
  readonly certificates?: readonly string[] | undefined;
  readonly view?: View | undefined;
}

/** Structurally the association of the upper layer. */
export interface Caller {
  readonly calledAet: string;
  readonly callingAet: string;
  /** IP address. */
  readonly address: string;
  /** Verified; undefined where none was shown. */
  readonly certificate?: ShownCertificate;
}

/** Structurally the admission that the upper layer asks for. */
export type Decision =
  | { readonly accept: true }
  | {
      readonly accept: false;
      readonly result: 1 | 2;
      readonly source: 1 | 2 | 3;
      readonly reason: number;
      readonly why: string;
    };

export interface AccessPolicy {
  /** Whether an association may be established. AE titles come without padding. */
  admit(caller: Caller): Decision;
  /** The stations to which the caller's view is limited; undefined where it sees everything. */
  stations(callingAet: string): readonly string[] | undefined;
  /**
   * Character set of the caller's answers: that of its scanner in the configuration; else the one it declared in
   * the query, where we can write it; else UTF-8. The configuration wins, since consoles that declare more than
   * they can show are the reason it exists.
   */
  characterSet(callingAet: string, declared: readonly string[]): string;
}

const UTF8 = 'ISO_IR 192';

/** As (0008,0005) is written: a single set of ISO 2022 without others to switch to is that set (PS3.3 C.12.1.1.2). */
const standard = (declared: readonly string[]): string =>
  declared.length === 1 ? (declared[0] ?? '').replace(/^ISO 2022 IR /, 'ISO_IR ') : declared.join('\\');

/** A set that a caller may ask for; an empty declaration says nothing. */
const isWritable = (name: string): boolean => name !== '' && isWritableCharacterSet(name);

/** PS3.8 9.3.4: rejected-permanent by the service user. */
const reject = (reason: number, why: string): Decision => ({
  accept: false,
  result: 1,
  source: 1,
  reason,
  why,
});
const CALLING_AE_NOT_RECOGNIZED = 3;
const CALLED_AE_NOT_RECOGNIZED = 7;

/** The policy that the configuration describes. */
export function accessPolicy({ aet, allow, view, scanners, access = {} }: AccessSettings): AccessPolicy {
  const allowed = allow === 'scanners' ? scanners.map((scanner) => scanner.aet) : allow;
  const titles = new Set(allowed === 'any' ? [] : allowed);
  const entries = new Map(
    Object.entries(access).map(([title, entry]) => [title, { ...entry, ...compiled(entry) }]),
  );
  const characterSets = new Map(scanners.map((scanner) => [scanner.aet, scanner.characterSet]));
  return {
    admit: ({ calledAet, callingAet, address, certificate }) => {
      if (calledAet !== aet)
        return reject(CALLED_AE_NOT_RECOGNIZED, `the worklist is ${aet}: correct the called AE title`);
      if (allowed !== 'any' && !titles.has(callingAet))
        return reject(CALLING_AE_NOT_RECOGNIZED, 'add the calling AE title to scanners or worklist.allow');
      const entry = entries.get(callingAet);
      // who calls in another's name is not that one: the wire says no more than for an unknown AE title
      if (entry?.isAddress?.(address) === false)
        return reject(
          CALLING_AE_NOT_RECOGNIZED,
          `worklist.access.${callingAet}.addresses does not have ${address}`,
        );
      if (entry?.isCertificate?.(certificate) === false)
        return reject(CALLING_AE_NOT_RECOGNIZED, certificateReason(callingAet, certificate));
      return { accept: true };
    },
    stations: (callingAet) => {
      const limited = entries.get(callingAet)?.view ?? view;
      if (limited === 'all') return undefined;
      return limited === 'own' ? [callingAet] : limited;
    },
    characterSet: (callingAet, declared) =>
      characterSets.get(callingAet) ?? [standard(declared)].find(isWritable) ?? UTF8,
  };
}

function compiled({ addresses, certificates }: AccessEntry): {
  isAddress?: (address: string) => boolean;
  isCertificate?: (shown: ShownCertificate | undefined) => boolean;
} {
  const networks = addresses?.map(addressMatcher);
  const known = certificates?.map(certificateMatcher);
  return {
    ...(networks && { isAddress: (address) => networks.some((has) => has(address)) }),
    ...(known && { isCertificate: (shown) => shown !== undefined && known.some((is) => is(shown)) }),
  };
}

const certificateReason = (callingAet: string, shown: ShownCertificate | undefined): string =>
  shown === undefined
    ? `worklist.access.${callingAet}.certificates: no certificate was shown`
    : `worklist.access.${callingAet}.certificates does not have ${shown.fingerprint} (${shown.subject})`;

/** Whether an entry belongs to one of the stations. */
export const isOf = (entry: Entry, stations: readonly string[]): boolean =>
  entry.stations.some((station) => stations.includes(station));
