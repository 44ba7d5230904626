/** Whose images are received, by the configuration of this moment. Pure. */
import { callerProofs, rejectCalled, rejectCalling } from '@scanflow/dimse/access';
import type { Caller, CallerProof, Decision } from '@scanflow/dimse/access';

/** The parts of the configuration that decide. */
export interface AdmissionSettings {
  /** AE titles of the receiver; undefined: any. */
  readonly called: readonly string[] | undefined;
  /** Whether images of a calling AE title are taken. */
  readonly takes: (callingAet: string) => boolean;
  /** What an AE title has to prove. */
  readonly proofs: Readonly<Record<string, CallerProof>>;
}

/** Decides about associations. AE titles come without padding. */
export function admission({ called, takes, proofs }: AdmissionSettings): (caller: Caller) => Decision {
  const proven = callerProofs(proofs, 'receiver.access');
  return (caller) => {
    if (called !== undefined && !called.includes(caller.calledAet))
      return rejectCalled(
        `the receiver is ${called.join(', ')}: correct the called AE title, or receiver.aets`,
      );
    if (!takes(caller.callingAet))
      return rejectCalling('add the calling AE title to scanners.NAME.sends or arrivals.from');
    return proven(caller);
  };
}
