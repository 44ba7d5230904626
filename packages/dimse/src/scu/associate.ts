/** Opens an association as requestor and ends it in order. */
import {
  APPLICATION_CONTEXT,
  IMPLEMENTATION_CLASS_UID,
  IMPLEMENTATION_VERSION_NAME,
} from '@scanflow/dicom/file';
import { FailureError, permanent, transient, type Failure } from '@scanflow/failure';
import { Association, endingOf } from '../association.ts';
import { tlsFailureAfterwards } from '../tls/problem.ts';
import { describeRejection, type Ending } from '../ul/ending.ts';
import { whatToDo, type ProposedContext, type RoleSelection } from '../ul/pdu.ts';
import { cancelled, dial, nameOf, timeoutsOf, type Peer } from './peer.ts';

/** Longest P-DATA-TF variable field that we take, and announce. */
const MAXIMUM_LENGTH = 131_072;
/** Of what a peer may answer. */
export const LIMITS = {
  dataBytes: MAXIMUM_LENGTH,
  associateBytes: 131_072,
  commandBytes: 16_384,
  /** Identifiers of C-FIND responses: kilobytes at most. */
  dataSetBytes: 4_194_304,
};
/** How long an association that we aborted may linger until the peer closes. */
const ARTIM_MS = 2_000;

/**
 * Connects and negotiates `contexts` (ids odd, at most 128). Throws FailureError: DEST_UNREACHABLE,
 * DEST_CONNECT_TIMEOUT, DEST_REJECTED, DEST_NO_ASSOCIATION, CANCELLED. The signal counts until it is established.
 * `operations`: how many requests we should like to have under way at once. `roles`: those that are not the default, SCU.
 */
export async function associate(
  peer: Peer,
  contexts: readonly ProposedContext[],
  signal?: AbortSignal,
  operations = 1,
  roles: readonly RoleSelection[] = [],
): Promise<Association> {
  if (peer.calledAet.length > 16 || peer.callingAet.length > 16) {
    throw new FailureError(
      permanent('AET_TOO_LONG', 'An AE title has at most 16 characters; correct the configuration.'),
    );
  }
  const socket = await dial(peer, signal);
  const { association: limitMs, response: stallMs } = timeoutsOf(peer);
  const association = new Association(socket, {
    role: 'requestor',
    limits: LIMITS,
    artimMs: ARTIM_MS,
    stallMs,
  });
  const stop = association.endAfter(limitMs, `no answer to the association request within ${limitMs} ms`);
  const letGo = abortOn(signal, association);
  const established = await association.request({
    type: 'associate-rq',
    protocolVersion: 1,
    calledAet: peer.calledAet,
    callingAet: peer.callingAet,
    applicationContext: APPLICATION_CONTEXT,
    contexts,
    user: {
      maximumLength: MAXIMUM_LENGTH,
      implementationClassUid: IMPLEMENTATION_CLASS_UID,
      implementationVersionName: IMPLEMENTATION_VERSION_NAME,
      roles,
      // PS3.7 D.3.3.3: what is not proposed is one at a time
      ...(operations > 1 ? { asyncOperations: { invoked: operations, performed: 1 } } : {}),
    },
  });
  stop();
  letGo();
  if (established) return association;
  if (signal?.aborted === true) throw cancelled();
  throw new FailureError(tlsFailureAfterwards(socket, nameOf(peer)) ?? notEstablished(peer, association));
}

/** Aborts the association when the signal does, until the returned function is called. */
export function abortOn(signal: AbortSignal | undefined, association: Association): () => void {
  const onAbort = (): void => association.abort('cancelled');
  signal?.addEventListener('abort', onAbort);
  if (signal?.aborted === true) onAbort();
  return () => signal?.removeEventListener('abort', onAbort);
}

function hintOf(ending: Ending | undefined): string {
  if (ending?.how === 'ended by us' && ending.stranger !== undefined) return ` ${whatToDo(ending.stranger)}`;
  return ending?.how === 'closed'
    ? ' A port that speaks TLS does so when it is called without: check the port, and whether it wants TLS.'
    : '';
}

function notEstablished(peer: Peer, association: Association): Failure {
  const { ending } = association;
  if (ending?.how !== 'rejected') {
    const message = `No association with ${nameOf(peer)}: ${endingOf(association)}.${hintOf(ending)}`;
    return transient('DEST_NO_ASSOCIATION', message);
  }
  const { rejection } = ending;
  const message = `${nameOf(peer)} rejected the association from ${peer.callingAet}: ${describeRejection(rejection)}.`;
  // PS3.8 9.3.4: 1 rejected-permanent, 2 rejected-transient
  return rejection.result === 2
    ? transient('DEST_REJECTED', message)
    : permanent('DEST_REJECTED', `${message} Check the AE titles on both sides.`);
}

/** Releases; a peer that does not answer is aborted after its time. True if it went in order. */
export async function release(association: Association, peer: Peer): Promise<boolean> {
  const limitMs = timeoutsOf(peer).release;
  const stop = association.endAfter(limitMs, `no answer to the release request within ${limitMs} ms`);
  const inOrder = await association.release();
  stop();
  return inOrder;
}
