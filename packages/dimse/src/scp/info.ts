/** What all handlers of requests share: the peer, and the status that they end with. */
import type { Tag } from '@scanflow/dicom';
import type { PeerCertificate } from '../tls/certificate.ts';

/** Who is at the other end. */
export interface AssociationInfo {
  readonly calledAet: string;
  readonly callingAet: string;
  /** IP address. */
  readonly address: string;
  /** Counts up from 1 per listen(). */
  readonly id: number;
  /** Undefined without TLS, and where the peer showed none that an authority of ours vouches for. */
  readonly certificate?: PeerCertificate;
}

export interface FinalStatus {
  readonly status: number;
  /** At most 64 characters, no patient attribute. */
  readonly comment?: string;
  readonly offendingElement?: Tag;
}
