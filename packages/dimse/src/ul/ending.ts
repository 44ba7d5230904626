/** How an association came to its end, and the words for what stands in A-ASSOCIATE-RJ and A-ABORT. */
import type { Abort, AssociateRj, Stranger } from './pdu.ts';

export type Ending =
  | { readonly how: 'released' }
  /** The peer's A-ABORT. */
  | { readonly how: 'aborted'; readonly source: number; readonly reason: number }
  /** The peer closed the connection, or the network did. */
  | { readonly how: 'closed'; readonly detail: string }
  | { readonly how: 'rejected'; readonly rejection: AssociateRj }
  /** We ended it: the peer broke the protocol, a time limit passed, or our caller wanted it. */
  | {
      readonly how: 'ended by us';
      readonly detail: string;
      /** What it speaks, where that is no DICOM. */
      readonly stranger?: Stranger | undefined;
    };

/** For logs and failures. */
export function describeEnding(ending: Ending): string {
  switch (ending.how) {
    case 'released':
      return 'the association was released';
    case 'aborted':
      return `the peer aborted the association (${describeAbort(ending)})`;
    case 'closed':
      return `the connection was closed (${ending.detail})`;
    case 'rejected':
      return `the peer rejected the association: ${describeRejection(ending.rejection)}`;
    case 'ended by us':
      return ending.detail;
  }
}

const ABORT_REASONS: Readonly<Record<number, string>> = {
  0: 'reason not specified',
  1: 'unrecognized PDU',
  2: 'unexpected PDU',
  4: 'unrecognized PDU parameter',
  5: 'unexpected PDU parameter',
  6: 'invalid PDU parameter value',
};

/** PS3.8 9.3.8. The reason means something only where the provider aborted. */
function describeAbort({ source, reason }: Pick<Abort, 'source' | 'reason'>): string {
  if (source === 0) return 'by its user';
  return `by its provider: ${ABORT_REASONS[reason] ?? `reason ${reason}`}`;
}

/** PS3.8 table 9-21, by source and reason. */
const REJECT_REASONS: Readonly<Record<string, string>> = {
  '1.1': 'no reason given',
  '1.2': 'application context name not supported',
  '1.3': 'calling AE title not recognized',
  '1.7': 'called AE title not recognized',
  '2.1': 'no reason given',
  '2.2': 'protocol version not supported',
  '3.1': 'temporary congestion',
  '3.2': 'local limit exceeded',
};

export function describeRejection({ result, source, reason }: AssociateRj): string {
  const why = REJECT_REASONS[`${source}.${reason}`] ?? `source ${source}, reason ${reason}`;
  return `${why} (${result === 2 ? 'transient' : 'permanent'})`;
}
