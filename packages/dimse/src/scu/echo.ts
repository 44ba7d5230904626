/** C-ECHO as SCU (PS3.7 9.1.5, PS3.4 A). */
import { sopClasses, transferSyntaxes } from '@scanflow/dicom';
import { FailureError, transient } from '@scanflow/failure';
import { COMMAND, NO_DATA_SET } from '../message/command.ts';
import { inAssociation, type Peer, type Unanswered } from './associate.ts';
import { exchange, lost, said } from './response.ts';

export const ECHO_SYNTAXES = [transferSyntaxes.implicitVRLittleEndian] as const;

/** `ms`: the whole of connecting, negotiating and the echo, in milliseconds. */
export type EchoResult = { readonly ok: true; readonly ms: number } | Unanswered;

/** Asks the peer whether it is there and accepts us. Never rejects. */
export async function echo(peer: Peer, signal?: AbortSignal): Promise<EchoResult> {
  const start = performance.now();
  const sopClass = sopClasses.verification;
  const refusal = 'does not offer verification (C-ECHO)';
  const purpose = { sopClass, transferSyntaxes: ECHO_SYNTAXES, refusal };
  const result = await inAssociation(peer, purpose, signal, async (association) => {
    const request = {
      affectedSopClassUid: sopClass,
      commandField: COMMAND.echoRq,
      messageId: 1,
      dataSetType: NO_DATA_SET,
    };
    const answer = await exchange(association, peer, request);
    if (answer === undefined) throw lost(association, peer, signal);
    if (answer.command.status !== 0) {
      throw new FailureError(transient('ECHO_FAILED', said('C-ECHO', answer.command, peer).message));
    }
    return { ok: true as const };
  });
  return result.ok ? { ok: true, ms: performance.now() - start } : result;
}
