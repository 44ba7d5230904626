/** What becomes of an instance (PS3.7 9.1.1.1.9 and annex C, PS3.4 B.2.3). Pure. */
import { describeStatus } from '@scanflow/dicom/file';
import { ambiguous, permanent, transient, type Failure } from '@scanflow/failure';
import { hex, type Command } from '../../message/command.ts';
import { nameOf, type Peer } from '../associate.ts';

/** What became of one instance. `sent` and `warning`: the peer has it. */
export type StoreOutcome = {
  readonly id: string;
  readonly sopInstanceUid?: string;
  /** Of the C-STORE response, where there was one. */
  readonly status?: number;
  /** The association ended while it was under way: it may be why. */
  readonly underWay?: true;
  /** What the peer does not take, where that is why. */
  readonly notNegotiated?: { readonly sopClassUid: string; readonly transferSyntax: string };
} & (
  | { readonly result: 'sent' }
  | { readonly result: 'warning'; readonly meaning: string }
  | { readonly result: 'failed'; readonly failure: Failure }
);

/** Whose outcome it is. */
export interface Subject {
  readonly item: { readonly id: string };
  readonly sopInstanceUid?: string;
  readonly sopClassUid?: string;
  readonly transferSyntax?: string;
}

export function failed(subject: Subject, failure: Failure, status?: number): StoreOutcome {
  const { item, sopInstanceUid, sopClassUid, transferSyntax } = subject;
  const refused =
    failure.code === 'NOT_NEGOTIATED' && sopClassUid !== undefined && transferSyntax !== undefined;
  return {
    id: item.id,
    ...(sopInstanceUid === undefined ? {} : { sopInstanceUid }),
    ...(status === undefined ? {} : { status }),
    ...(refused ? { notNegotiated: { sopClassUid, transferSyntax } } : {}),
    result: 'failed',
    failure,
  };
}

/** Of one that was under way when the association ended. */
export const brokenOff = (subject: Subject, failure: Failure): StoreOutcome => ({
  ...failed(subject, failure),
  underWay: true,
});

/** Of a response. */
export function answered(
  subject: Subject & { readonly sopInstanceUid: string },
  response: Command,
  peer: Peer,
): StoreOutcome {
  const { status = 0, affectedSopInstanceUid, errorComment } = response;
  const { item, sopInstanceUid } = subject;
  if (affectedSopInstanceUid !== undefined && affectedSopInstanceUid !== sopInstanceUid) {
    const message = `${nameOf(peer)} answered for another instance; nobody knows whether it has this one.`;
    return failed(subject, ambiguous('RESPONSE_MISMATCH', message), status);
  }
  const { category, meaning, transient: passes } = describeStatus('C-STORE', status);
  const known = { id: item.id, sopInstanceUid, status };
  if (category === 'success') return { ...known, result: 'sent' };
  if (category === 'warning') return { ...known, result: 'warning', meaning };
  const comment = errorComment === undefined ? '' : ` (${errorComment})`;
  const message = `${nameOf(peer)} refused the instance: ${meaning}${comment} (status ${hex(status)}).`;
  return failed(subject, (passes ? transient : permanent)('STORE_REFUSED', message), status);
}

/** The instance was sent whole and nothing came back; `why`: how the association ended. */
export const unanswered = (peer: Peer, why: string): Failure =>
  ambiguous('NO_RESPONSE', `${nameOf(peer)} may or may not have the instance: ${why}.`);

/** A presentation context that was not accepted is an outcome, never silence. */
export function notNegotiated(
  { sopClassUid, transferSyntax }: { readonly sopClassUid: string; readonly transferSyntax: string },
  peer: Peer,
  why: string,
): Failure {
  return permanent(
    'NOT_NEGOTIATED',
    `${nameOf(peer)} does not take SOP class ${sopClassUid} in transfer syntax ${transferSyntax}: ${why}.`,
  );
}
