/** Who may open an association: by AE titles, and by further conditions on a caller. Pure. */
import { addressMatcher } from './address.ts';
import { certificateMatcher, type ShownCertificate } from './certificate.ts';

/** Conditions on one caller beyond its AE title, which anyone can use. */
export interface CallerProof {
  /** Addresses and networks. */
  readonly addresses?: readonly string[] | undefined;
  /** Fingerprints and subjects; one of them must be shown. */
  readonly certificates?: readonly string[] | undefined;
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

/** PS3.8 9.3.4: rejected-permanent by the service user. */
const reject = (reason: number, why: string): Decision => ({
  accept: false,
  result: 1,
  source: 1,
  reason,
  why,
});

/** Calling AE title not recognized. */
export const rejectCalling = (why: string): Decision => reject(3, why);
/** Called AE title not recognized. */
export const rejectCalled = (why: string): Decision => reject(7, why);

/**
 * Checks what each AE title has to prove; `path` is where the configuration says it. Who calls in another's name is not
 * that one: the wire says no more than for an unknown AE title.
 */
export function callerProofs(
  proofs: Readonly<Record<string, CallerProof>>,
  path: string,
): (caller: Caller) => Decision {
  const entries = new Map(Object.entries(proofs).map(([title, proof]) => [title, compiled(proof)]));
  return ({ callingAet, address, certificate }) => {
    const entry = entries.get(callingAet);
    if (entry?.isAddress?.(address) === false)
      return rejectCalling(`${path}.${callingAet}.addresses does not have ${address}`);
    if (entry?.isCertificate?.(certificate) === false)
      return rejectCalling(`${path}.${callingAet}.certificates${certificateReason(certificate)}`);
    return { accept: true };
  };
}

function compiled({ addresses, certificates }: CallerProof): {
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

const certificateReason = (shown: ShownCertificate | undefined): string =>
  shown === undefined
    ? ': no certificate was shown'
    : ` does not have ${shown.fingerprint} (${shown.subject})`;
