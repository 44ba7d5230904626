/** The peer that a requestor calls, and an association with it: opened, and ended in order. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import {
  APPLICATION_CONTEXT,
  IMPLEMENTATION_CLASS_UID,
  IMPLEMENTATION_VERSION_NAME,
  transferSyntaxes,
} from '@scanflow/dicom/file';
import {
  codeOf,
  FailureError,
  failureIn,
  messageOf,
  permanent,
  transient,
  type Failure,
} from '@scanflow/failure';
import { Association, endingOf } from '../association.ts';
import { tlsFailureAfterwards } from '../tls/problem.ts';
import { describeRejection, type Ending } from '../ul/ending.ts';
import { whatToDo, type ProposedContext, type RoleSelection } from '../ul/pdu.ts';

/** Time limits in milliseconds. */
export interface Timeouts {
  /** Until the TCP connection stands. */
  readonly connect: number;
  /** From A-ASSOCIATE-RQ to its answer. */
  readonly association: number;
  /** From the last byte of a request to its response, between responses, and for the peer to take what is sent. */
  readonly response: number;
  readonly release: number;
}

/** Opens the connection. Rejects when it cannot, or when the signal aborts. TLS is another one of these. */
export type Dial = (target: { host: string; port: number }, signal: AbortSignal) => Promise<Socket>;

export interface Peer {
  readonly host: string;
  readonly port: number;
  readonly calledAet: string;
  readonly callingAet: string;
  readonly timeouts?: Partial<Timeouts>;
  /** Default: plain TCP. */
  readonly dial?: Dial;
}

export const TIMEOUTS: Timeouts = { connect: 10_000, association: 30_000, response: 60_000, release: 10_000 };

export const timeoutsOf = (peer: Peer): Timeouts => ({ ...TIMEOUTS, ...peer.timeouts });

/** `PACS at pacs.example.org:11112`, for messages. */
export const nameOf = (peer: Peer): string => `${peer.calledAet} at ${peer.host}:${peer.port}`;

/** What data sets of requests are proposed in, the preferred one first. */
export const SYNTAXES = [
  transferSyntaxes.explicitVRLittleEndian,
  transferSyntaxes.implicitVRLittleEndian,
] as const;

/** The id of the one presentation context that inAssociation() proposes. */
export const CONTEXT = 1;

/** What an association is opened for. */
interface Purpose {
  readonly sopClass: string;
  readonly transferSyntaxes?: readonly string[] | undefined;
  /** What the peer does that refuses the SOP class; default: it does not offer it. */
  readonly refusal?: string;
  readonly roles?: readonly RoleSelection[];
  /** The signal leads to C-CANCEL; else it aborts the association. */
  readonly cancels?: boolean;
}

/** What kept a request from its answer. */
export interface Unanswered {
  readonly ok: false;
  readonly failure: Failure;
}

/**
 * Opens an association for one SOP class, uses it and releases it. Never rejects: what associate() and `use` throw is the
 * failure, and NOT_NEGOTIATED where the peer refuses the SOP class.
 */
export async function inAssociation<T>(
  peer: Peer,
  { sopClass, transferSyntaxes: syntaxes = SYNTAXES, refusal, roles, cancels = false }: Purpose,
  signal: AbortSignal | undefined,
  use: (association: Association, transferSyntax: string) => Promise<T>,
): Promise<T | Unanswered> {
  try {
    const proposed = { id: CONTEXT, abstractSyntax: sopClass, transferSyntaxes: syntaxes };
    const association = await associate(peer, [proposed], signal, 1, roles);
    const letGo = abortOn(cancels ? undefined : signal, association);
    try {
      const transferSyntax = association.context(CONTEXT)?.transferSyntax;
      if (transferSyntax !== undefined) return await use(association, transferSyntax);
      const message = `${nameOf(peer)} ${refusal ?? `does not offer SOP class ${sopClass}`}.`;
      throw new FailureError(permanent('NOT_NEGOTIATED', message));
    } finally {
      letGo();
      await release(association, peer);
    }
  } catch (error) {
    return { ok: false, failure: failureOf(error) };
  }
}

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

function endingHint(ending: Ending | undefined): string {
  if (ending?.how === 'ended by us' && ending.stranger !== undefined) return ` ${whatToDo(ending.stranger)}`;
  return ending?.how === 'closed'
    ? ' A port that speaks TLS does so when it is called without: check the port, and whether it wants TLS.'
    : '';
}

function notEstablished(peer: Peer, association: Association): Failure {
  const { ending } = association;
  if (ending?.how !== 'rejected') {
    const message = `No association with ${nameOf(peer)}: ${endingOf(association)}.${endingHint(ending)}`;
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

/** The failure that an error carries. An error without one is a mistake of ours, and permanent. */
export function failureOf(error: unknown): Failure {
  return failureIn(error) ?? permanent('INTERNAL', `Unexpected error, please report it: ${String(error)}`);
}

/** Read at a time from a connection. */
const READ_BYTES = 65_536;

/** Reads into one buffer as long as the connection lasts; otherwise Node.js makes one for each read. Listeners copy what they keep. */
const plain: Dial = async ({ host, port }, signal) => {
  const socket: Socket = connect({
    host,
    port,
    noDelay: true,
    onread: {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback: (count, bytes) => socket.emit('data', bytes.subarray(0, count)),
    },
  });
  return connected(socket, signal);
};

/** The socket once it is connected. It is destroyed where that fails, or the signal aborts before. */
export async function connected(socket: Socket, signal: AbortSignal): Promise<Socket> {
  try {
    await once(socket, 'connect', { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Connects; throws FailureError, transient: a peer that is down or misconfigured comes back without our doing. */
async function dial(peer: Peer, signal?: AbortSignal): Promise<Socket> {
  const limit = AbortSignal.timeout(timeoutsOf(peer).connect);
  const either = signal === undefined ? limit : AbortSignal.any([limit, signal]);
  try {
    either.throwIfAborted();
    return await (peer.dial ?? plain)(peer, either);
  } catch (error) {
    if (signal?.aborted === true) throw cancelled(error);
    if (error instanceof FailureError) throw error;
    const late = limit.aborted;
    const why = late
      ? `no connection within ${timeoutsOf(peer).connect} ms`
      : (codeOf(error) ?? messageOf(error));
    const hint =
      (late ? undefined : hintOf(peer, why)) ?? 'Check that it runs, its address and the firewall.';
    throw new FailureError(
      transient(
        late ? 'DEST_CONNECT_TIMEOUT' : 'DEST_UNREACHABLE',
        `Cannot connect to ${nameOf(peer)}: ${why}. ${hint}`,
      ),
      error,
    );
  }
}

/** What the system's error means, for a person. */
function hintOf({ host, port }: Peer, code: string): string | undefined {
  switch (code) {
    case 'ENOTFOUND':
      return `No host is called ${host}: check the spelling, and that this machine's name server knows it.`;
    case 'EAI_AGAIN':
      return `The name server does not answer, so ${host} cannot be found: check this machine's network.`;
    case 'ECONNREFUSED':
      return `Nothing listens on port ${port} there, or a firewall refuses: check the port, and that it runs.`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'There is no way to that address: check it, and the network of this machine.';
    default:
      return undefined;
  }
}

export const cancelled = (cause?: unknown): FailureError =>
  new FailureError(
    transient('CANCELLED', 'It was cancelled before it was done; it can be tried again.'),
    cause,
  );
