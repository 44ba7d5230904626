/** Who may ask for the worklist, what of it they see, and in which character set they read it. */
import { declaredTerms, isWritableCharacterSet } from '@scanflow/dicom';
import { callerProofs, rejectCalled, rejectCalling } from '@scanflow/dimse/access';
import type { Caller, CallerProof, Decision } from '@scanflow/dimse/access';
import type { Entry } from './schedule.ts';

/** The parts of the configuration that decide access. */
export interface AccessSettings {
  /** AE title of the worklist SCP. */
  readonly aet: string;
  readonly allow: 'scanners' | 'any' | readonly string[];
  readonly view: View;
  readonly scanners: readonly {
    readonly aet: string;
    /** Its other AE titles. */
    readonly sends?: readonly string[] | undefined;
    readonly characterSet?: string | undefined;
  }[];
  /** The character set of text that declares none, if the scanner has none configured. */
  readonly assumedCharacterSet?: string | undefined;
  /** By calling AE title. */
  readonly access?: Readonly<Record<string, AccessEntry>>;
}

/** `all` items, those of the caller's `own` station, or those of a list of stations. */
export type View = 'all' | 'own' | readonly string[];

/** Conditions on one caller, and the items that it sees. */
export interface AccessEntry extends CallerProof {
  readonly view?: View | undefined;
}

export interface AccessPolicy {
  /** Whether an association may be established. AE titles come without padding. */
  admit(caller: Caller): Decision;
  /** The same by AE titles alone, whatever address and certificate the caller would have to show. */
  admitsTitle(callingAet: string, calledAet: string): Decision;
  /** The stations to which the caller's view is limited; undefined where it sees everything. */
  stations(callingAet: string): readonly string[] | undefined;
  /** Whether the caller may see an entry. */
  readonly maySee: (callingAet: string, entry: Entry) => boolean;
  /**
   * The name under which limits and metrics count the caller: one for all AE titles of a scanner, one for each title of
   * a list, and one for all strangers if `any` is admitted.
   */
  readonly countedAs: (callingAet: string) => string;
  /** Whether two AE titles are those of one scanner. */
  isSame(callingAet: string, other: string): boolean;
  /**
   * Character set of the caller's answers: that of its scanner in the configuration; else the one it declared in
   * the query, where we can write it; else UTF-8. The configuration wins, since consoles that declare more than
   * they can show are the reason it exists (PS3.4 K.4.1.1.3.2 leaves it to the SCP).
   */
  characterSet(callingAet: string, declared: readonly string[]): string;
  /** The character sets in which to read the caller's text if it declares none, or a wrong one. */
  assumed(callingAet: string): readonly string[];
}

const UTF8 = 'ISO_IR 192';

/** A set that a caller may ask for; an empty declaration says nothing. */
const isWritable = (name: string): boolean => name !== '' && isWritableCharacterSet(name);

/** Text that is UTF-8 by accident hardly exists; any bytes are Latin-1. */
const UTF8_ELSE_LATIN1 = [UTF8, 'ISO_IR 100'];

/** Character sets for text that declares none: the configured one, else UTF-8 or Latin-1. */
export const assumedSets = (configured: string | undefined): readonly string[] =>
  configured === undefined ? UTF8_ELSE_LATIN1 : [configured];

/** The policy that the configuration describes. */
export function accessPolicy(settings: AccessSettings): AccessPolicy {
  const { aet, allow, view, scanners, access = {} } = settings;
  const titlesOf = new Map(
    scanners.flatMap(({ aet: title, sends = [] }) =>
      [title, ...sends].map((one) => [one, [title, ...sends]]),
    ),
  );
  const allowed = allow === 'scanners' ? [...titlesOf.keys()] : allow;
  const titles = new Set(allowed === 'any' ? [] : allowed);
  const proven = callerProofs(access, 'worklist.access');
  const characterSets = new Map(scanners.map(({ aet: title, characterSet }) => [title, characterSet]));
  const entries = new Map(Object.entries(access));
  const scannerOf = (callingAet: string): string | undefined => titlesOf.get(callingAet)?.[0];
  const configured = (callingAet: string): string | undefined =>
    characterSets.get(scannerOf(callingAet) ?? callingAet);
  /** The AE title whose entry holds: a scanner's further title without an entry has to prove the same as the scanner. */
  const entryOf = (callingAet: string): string =>
    entries.has(callingAet) ? callingAet : (scannerOf(callingAet) ?? callingAet);
  const stations = (callingAet: string): readonly string[] | undefined => {
    const limited = entries.get(entryOf(callingAet))?.view ?? view;
    if (limited === 'all') return undefined;
    return limited === 'own' ? (titlesOf.get(callingAet) ?? [callingAet]) : limited;
  };
  const admitsTitle = (callingAet: string, calledAet: string): Decision => {
    if (calledAet !== aet) return rejectCalled(`the worklist is ${aet}: correct the called AE title`);
    if (allowed !== 'any' && !titles.has(callingAet))
      return rejectCalling('add the calling AE title to scanners or worklist.allow');
    return { accept: true };
  };
  return {
    admit: (caller) => {
      const decision = admitsTitle(caller.callingAet, caller.calledAet);
      return decision.accept ? proven({ ...caller, callingAet: entryOf(caller.callingAet) }) : decision;
    },
    admitsTitle,
    stations,
    maySee: (callingAet, entry) => {
      const limited = stations(callingAet);
      return limited === undefined || isOf(entry, limited);
    },
    countedAs: (callingAet) => scannerOf(callingAet) ?? (titles.has(callingAet) ? callingAet : ''),
    isSame: (callingAet, other) =>
      callingAet === other || (titlesOf.has(other) && scannerOf(callingAet) === scannerOf(other)),
    characterSet: (callingAet, declared) =>
      configured(callingAet) ?? [declaredTerms(declared.join('\\')).join('\\')].find(isWritable) ?? UTF8,
    assumed: (callingAet) => assumedSets(configured(callingAet) ?? settings.assumedCharacterSet),
  };
}

/** Whether an entry belongs to one of the stations. */
export const isOf = (entry: Entry, stations: readonly string[]): boolean =>
  entry.stations.some((station) => stations.includes(station));
