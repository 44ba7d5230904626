/** Who may ask for the worklist, what of it they see, and in which character set they read it. */
import { isWritableCharacterSet } from '@scanflow/dicom';
import { callerProofs, rejectCalled, rejectCalling } from '@scanflow/dimse/access';
import type { Caller, CallerProof, Decision } from '@scanflow/dimse/access';
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

/** What is asked of one caller, and what it sees. */
export interface AccessEntry extends CallerProof {
  readonly view?: View | undefined;
}

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

/** The policy that the configuration describes. */
export function accessPolicy({ aet, allow, view, scanners, access = {} }: AccessSettings): AccessPolicy {
  const allowed = allow === 'scanners' ? scanners.map((scanner) => scanner.aet) : allow;
  const titles = new Set(allowed === 'any' ? [] : allowed);
  const proven = callerProofs(access, 'worklist.access');
  const characterSets = new Map(scanners.map((scanner) => [scanner.aet, scanner.characterSet]));
  return {
    admit: (caller) => {
      if (caller.calledAet !== aet)
        return rejectCalled(`the worklist is ${aet}: correct the called AE title`);
      if (allowed !== 'any' && !titles.has(caller.callingAet))
        return rejectCalling('add the calling AE title to scanners or worklist.allow');
      return proven(caller);
    },
    stations: (callingAet) => {
      const limited = access[callingAet]?.view ?? view;
      if (limited === 'all') return undefined;
      return limited === 'own' ? [callingAet] : limited;
    },
    characterSet: (callingAet, declared) =>
      characterSets.get(callingAet) ?? [standard(declared)].find(isWritable) ?? UTF8,
  };
}

/** Whether an entry belongs to one of the stations. */
export const isOf = (entry: Entry, stations: readonly string[]): boolean =>
  entry.stations.some((station) => stations.includes(station));
