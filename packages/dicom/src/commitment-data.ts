/** Storage commitment as data: the request (PS3.4 table J.3-1), the report (table J.3-2), and the reasons of failures. */
import { defined } from '@scanflow/failure/defined';
import type { DataSet } from './dataset.ts';
import { dataSet, items, number, text } from './values.ts';

/** An instance by its UIDs. */
export interface Reference {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
}

interface FailedReference extends Reference {
  /** Failure Reason (0008,1197); undefined where the peer gave none. */
  readonly reason: number | undefined;
}

export interface CommitmentRequest {
  readonly transactionUid: string;
  readonly references: readonly Reference[];
}

export interface CommitmentReport {
  readonly transactionUid: string;
  readonly committed: readonly Reference[];
  readonly failed: readonly FailedReference[];
}

/** PS3.3 C.14.1.1: every reason there is. */
export const FAILURE_REASONS: Readonly<
  Record<number, { readonly meaning: string; readonly advice: string }>
> = {
  0x0110: { meaning: 'processing failure', advice: 'look into its log' },
  0x0112: { meaning: 'no such object instance', advice: 'it does not have the image, or no longer' },
  0x0119: { meaning: 'class-instance conflict', advice: 'it has the image under another SOP class' },
  0x0122: { meaning: 'referenced SOP class not supported', advice: 'it keeps no images of this SOP class' },
  0x0131: { meaning: 'duplicate transaction UID', advice: 'it has seen this request before' },
  0x0213: { meaning: 'resource limitation', advice: 'it has no room' },
};

/** `0112, no such object instance`, for messages. */
export function describeFailureReason(reason: number | undefined): string {
  if (reason === undefined) return 'no reason given';
  const known = FAILURE_REASONS[reason]?.meaning ?? 'in no table of the standard';
  return `${reason.toString(16).toUpperCase().padStart(4, '0')}, ${known}`;
}

const reference = ({ sopClassUid, sopInstanceUid }: Reference) => ({
  ReferencedSOPClassUID: sopClassUid,
  ReferencedSOPInstanceUID: sopInstanceUid,
});

/** The Action Information of an N-ACTION that requests storage commitment (PS3.4 table J.3-1, action type 1). */
export const commitmentRequest = ({ transactionUid, references }: CommitmentRequest): DataSet =>
  dataSet({ TransactionUID: transactionUid, ReferencedSOPSequence: references.map(reference) });

/** The same, read; undefined where it has no Transaction UID or names nothing. */
export function readCommitmentRequest(information: DataSet): CommitmentRequest | undefined {
  const transactionUid = text(information, 'TransactionUID');
  const references = items(information, 'ReferencedSOPSequence').flatMap(readReference);
  return transactionUid === undefined || references.length === 0 ? undefined : { transactionUid, references };
}

/** Event type 1 where nothing failed, 2 where something did, and the Event Information of N-EVENT-REPORT. */
export function commitmentReport({ transactionUid, committed, failed }: CommitmentReport): {
  readonly eventType: 1 | 2;
  readonly information: DataSet;
} {
  const information = dataSet({
    TransactionUID: transactionUid,
    ...(committed.length === 0 ? {} : { ReferencedSOPSequence: committed.map(reference) }),
    ...(failed.length === 0
      ? {}
      : {
          FailedSOPSequence: failed.map((one) => ({
            ...reference(one),
            ...defined({ FailureReason: one.reason }),
          })),
        }),
  });
  return { eventType: failed.length === 0 ? 1 : 2, information };
}

/**
 * The same, read. What stands in both sequences has failed. Undefined where it has no Transaction UID.
 */
export function readCommitmentReport(information: DataSet): CommitmentReport | undefined {
  const transactionUid = text(information, 'TransactionUID');
  if (transactionUid === undefined) return undefined;
  const failed = items(information, 'FailedSOPSequence').flatMap((item) =>
    readReference(item).map((one) => ({ ...one, reason: number(item, 'FailureReason') })),
  );
  const bad = new Set(failed.map(({ sopInstanceUid }) => sopInstanceUid));
  const committed = items(information, 'ReferencedSOPSequence')
    .flatMap(readReference)
    .filter(({ sopInstanceUid }) => !bad.has(sopInstanceUid));
  return { transactionUid, committed, failed };
}

/** Items that lack a UID name nothing. */
function readReference(item: DataSet): Reference[] {
  const sopClassUid = text(item, 'ReferencedSOPClassUID');
  const sopInstanceUid = text(item, 'ReferencedSOPInstanceUID');
  return sopClassUid === undefined || sopInstanceUid === undefined ? [] : [{ sopClassUid, sopInstanceUid }];
}
