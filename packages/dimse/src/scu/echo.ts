/** C-ECHO as SCU (PS3.7 9.1.5, PS3.4 A). */
import { describeStatus, sopClasses, transferSyntaxes } from '@scanflow/dicom';
import { type Failure, FailureError, permanent, transient } from '@scanflow/failure';
import { failureOf } from '../failure.ts';
import { COMMAND, hex, NO_DATA_SET } from '../message/command.ts';
import { abortOn, associate, release } from './associate.ts';
import { nameOf, type Peer } from './peer.ts';
import { lost, response } from './response.ts';

export const ECHO_SYNTAXES = [transferSyntaxes.implicitVRLittleEndian] as const;

/** `ms`: the whole of connecting, negotiating and the echo, in milliseconds. */
export type EchoResult =
  { readonly ok: true; readonly ms: number } | { readonly ok: false; readonly failure: Failure };

/** Asks the peer whether it is there and accepts us. Never rejects. */
export async function echo(peer: Peer, signal?: AbortSignal): Promise<EchoResult> {
  const start = performance.now();
  try {
    await verify(peer, signal);
    return { ok: true, ms: performance.now() - start };
  } catch (error) {
    return { ok: false, failure: failureOf(error) };
  }
}

async function verify(peer: Peer, signal?: AbortSignal): Promise<void> {
  const proposed = {
    id: 1,
    abstractSyntax: sopClasses.verification,
    transferSyntaxes: ECHO_SYNTAXES,
  };
  const association = await associate(peer, [proposed], signal);
  const letGo = abortOn(signal, association);
  try {
    if (!association.contexts.accepted.has(1)) {
      throw new FailureError(
        permanent('NOT_NEGOTIATED', `${nameOf(peer)} does not offer verification (C-ECHO).`),
      );
    }
    const request = {
      affectedSopClassUid: sopClasses.verification,
      commandField: COMMAND.echoRq,
      messageId: 1,
      dataSetType: NO_DATA_SET,
    };
    const answer = (await association.send(1, request))
      ? await response(association, request, peer)
      : undefined;
    if (answer === undefined) throw lost(association, peer, signal);
    const status = answer.command.status ?? 0;
    if (status !== 0) {
      const { meaning } = describeStatus('C-ECHO', status);
      throw new FailureError(
        transient('ECHO_FAILED', `${nameOf(peer)} answered C-ECHO with: ${meaning} (status ${hex(status)}).`),
      );
    }
  } finally {
    letGo();
    await release(association, peer);
  }
}
