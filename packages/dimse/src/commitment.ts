/** What both sides of storage commitment share: the SOP class on the wire, and a report as it came (PS3.4 J.3). */
import {
  readCommitmentReport,
  sopClasses,
  STORAGE_COMMITMENT_INSTANCE,
  transferSyntaxes,
  type CommitmentReport,
  type DataSet,
} from '@scanflow/dicom';
import type { EventHandler, NormalizedResult } from './scp/types.ts';
import type { ServedContext } from './ul/negotiation.ts';

export const COMMITMENT_CLASS = sopClasses.storageCommitmentPush;
/** PS3.4 table J.3-1: Request Storage Commitment. */
export const ACTION_TYPE = 1;
/** In the order of our preference. */
export const COMMITMENT_SYNTAXES = [
  transferSyntaxes.explicitVRLittleEndian,
  transferSyntaxes.implicitVRLittleEndian,
] as const;

/** What a listener serves that gets reports: its callers are SCPs, and have to select that role. */
export const commitmentReports: ServedContext = {
  abstractSyntax: COMMITMENT_CLASS,
  transferSyntaxes: COMMITMENT_SYNTAXES,
  operations: ['N-EVENT-REPORT'],
  role: 'scu',
};

/** What becomes of a report; the status is the answer (PS3.7 10.1.1.1.8). */
export type ReportHandler = (report: CommitmentReport) => Promise<NormalizedResult>;

/** Statuses of PS3.7 annex C with which a report is answered. */
export const REPORT_STATUS = {
  success: 0x0000,
  noSuchInstance: 0x0112,
  noSuchEventType: 0x0113,
  invalidArgument: 0x0115,
  /** For now: the peer may report again. */
  noResources: 0x0213,
} as const;

/** A report from the event that carried it, handed on; what is none is answered by its status. */
export async function takeReport(
  event: { readonly sopInstanceUid: string; readonly eventType: number; readonly information: DataSet },
  handler: ReportHandler,
): Promise<NormalizedResult> {
  if (event.sopInstanceUid !== STORAGE_COMMITMENT_INSTANCE)
    return { status: REPORT_STATUS.noSuchInstance, comment: 'Not the instance of storage commitment' };
  if (event.eventType !== 1 && event.eventType !== 2)
    return { status: REPORT_STATUS.noSuchEventType, comment: 'Event types are 1 and 2' };
  const report = readCommitmentReport(event.information);
  if (report === undefined)
    return { status: REPORT_STATUS.invalidArgument, comment: 'There is no Transaction UID' };
  return handler(report);
}

/** `onEvent` of a listener. */
export const onCommitmentEvent =
  (
    handler: (
      report: CommitmentReport,
      from: Parameters<EventHandler>[0]['association'],
    ) => Promise<NormalizedResult>,
  ): EventHandler =>
  (event) =>
    takeReport(event, (report) => handler(report, event.association));
