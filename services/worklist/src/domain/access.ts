/** Who may ask for the worklist, what of it they see, and in which character set they read it. */
import { isWritableCharacterSet } from '@scanflow/dicom';
import type { Entry } from './schedule.ts';

/** The parts of the configuration that decide access. */
export interface AccessSettings {
  /** AE title of the worklist SCP. */
  readonly aet: string;
  readonly allow: 'scanners' | 'any' | readonly string[];
  readonly view: View;
  readonly scanners: readonly { readonly aet: string; readonly characterSet: string }[];
}

/** `all` items, or those of the caller's `own` station. */
export type View = 'all' | 'own';

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
  admit(association: { readonly calledAet: string; readonly callingAet: string }): Decision;
  /** The station to which the caller's view is limited; undefined where it sees everything. */
  station(callingAet: string): string | undefined;
  /**
   * Character set of the caller's answers: that of its scanner in the configuration; else the one it declared in
   * the query, where we can write it; else UTF-8. The configuration wins, since consoles that declare more than
   * they can show are the reason it exists.
   */
  characterSet(callingAet: string, declared: readonly string[]): string;
}

const UTF8 = 'ISO_IR 192';

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
export function accessPolicy({ aet, allow, view, scanners }: AccessSettings): AccessPolicy {
  const allowed = allow === 'scanners' ? scanners.map((scanner) => scanner.aet) : allow;
  const isAllowed: (aet: string) => boolean =
    allowed === 'any'
      ? () => true
      : (
          (set) => (title: string) =>
            set.has(title)
        )(new Set(allowed));
  const characterSets = new Map(scanners.map((scanner) => [scanner.aet, scanner.characterSet]));
  return {
    admit: ({ calledAet, callingAet }) => {
      if (calledAet !== aet)
        return reject(CALLED_AE_NOT_RECOGNIZED, `the worklist is ${aet}: correct the called AE title`);
      if (!isAllowed(callingAet))
        return reject(CALLING_AE_NOT_RECOGNIZED, 'add the calling AE title to scanners or worklist.allow');
      return { accept: true };
    },
    station: (callingAet) => (view === 'own' ? callingAet : undefined),
    characterSet: (callingAet, declared) =>
      characterSets.get(callingAet) ??
      (declared.length === 1 ? declared.find(isWritable) : undefined) ??
      UTF8,
  };
}

/** Whether an entry belongs to a station. */
export const isOf = (entry: Entry, station: string): boolean => entry.stations.includes(station);
