/** N-EVENT-REPORT as requestor of the association: the SCP of storage commitment calls its SCU (PS3.4 J.3.3). */
import { defined } from '@scanflow/booking/defined';
import {
  commitmentReport,
  encodeDataSet,
  STORAGE_COMMITMENT_INSTANCE,
  type CommitmentReport,
} from '@scanflow/dicom';
import { FailureError, ambiguous, permanent } from '@scanflow/failure';
import { endingOf } from '../association.ts';
import { COMMITMENT_CLASS, COMMITMENT_SYNTAXES } from '../commitment.ts';
import { failureOf } from '../failure.ts';
import { COMMAND, DATA_SET } from '../message/command.ts';
import { abortOn, associate, release } from './associate.ts';
import type { NormalizedOutcome } from './normalized.ts';
import { cancelled, nameOf, type Peer } from './peer.ts';
import { response } from './response.ts';

export interface ReportOptions {
  /** Whether the role of the SCP is selected (PS3.7 D.3.3.4); default true. Without, a peer has to refuse. */
  readonly selectRole?: boolean;
  readonly signal?: AbortSignal;
}

/** Reports to the peer, which has to take us for the SCP. Never rejects; lost after it was sent is `ambiguous`. */
export async function reportCommitment(
  peer: Peer,
  report: CommitmentReport,
  { selectRole = true, signal }: ReportOptions = {},
): Promise<NormalizedOutcome> {
  try {
    const proposed = { id: 1, abstractSyntax: COMMITMENT_CLASS, transferSyntaxes: COMMITMENT_SYNTAXES };
    const roles = selectRole ? [{ sopClassUid: COMMITMENT_CLASS, scu: false, scp: true }] : [];
    const association = await associate(peer, [proposed], signal, 1, roles);
    const letGo = abortOn(signal, association);
    try {
      const transferSyntax = association.context(1)?.transferSyntax;
      if (transferSyntax === undefined)
        throw new FailureError(permanent('NOT_NEGOTIATED', `${nameOf(peer)} takes no reports.`));
      if (selectRole && !association.isScpOf(COMMITMENT_CLASS))
        throw new FailureError(permanent('ROLE_REFUSED', `${nameOf(peer)} does not take us for an SCP.`));
      const { eventType, information } = commitmentReport(report);
      const command = {
        affectedSopClassUid: COMMITMENT_CLASS,
        commandField: COMMAND.eventReportRq,
        messageId: 1,
        dataSetType: DATA_SET,
        affectedSopInstanceUid: STORAGE_COMMITMENT_INSTANCE,
        eventTypeId: eventType,
      };
      const sent = await association.send(1, command, encodeDataSet(information, transferSyntax));
      const answer = sent ? await response(association, command, peer) : undefined;
      if (answer !== undefined) {
        const { status = 0, errorComment } = answer.command;
        return { ok: true, status, ...defined({ comment: errorComment }) };
      }
      if (signal?.aborted === true) throw cancelled();
      throw new FailureError(ambiguous('NO_RESPONSE', `${nameOf(peer)}: ${endingOf(association)}.`));
    } finally {
      letGo();
      await release(association, peer);
    }
  } catch (error) {
    return { ok: false, failure: failureOf(error) };
  }
}
