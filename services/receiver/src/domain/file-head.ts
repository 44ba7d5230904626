/** The head that makes a received data set a file (PS3.10 7.1). The data set stays as it came. */
import { dataSet, part10Head, readAttributes, text } from '@scanflow/dicom';

/** What the C-STORE request and its association say. */
export interface Received {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntax: string;
  readonly callingAet: string;
  readonly calledAet: string;
}

export interface FileHead {
  readonly bytes: Buffer;
  /** UIDs in the data set; undefined if its beginning does not show them. */
  readonly named: { readonly sopClassUid: string; readonly sopInstanceUid: string } | undefined;
}

/**
 * Makes the head of a file. It names the instance by the UIDs of the data set (PS3.10 table 7.1-1), and who sent and
 * received it: (0002,0016), (0002,0017), (0002,0018).
 *
 * @param beginning first bytes of the data set
 * @param complete whether these are all bytes
 */
export function fileHead(received: Received, beginning: Uint8Array, complete: boolean): FileHead {
  const { transferSyntax, callingAet, calledAet } = received;
  const head = (uids: Pick<Received, 'sopClassUid' | 'sopInstanceUid'>): Buffer =>
    part10Head({
      transferSyntax,
      sopClassUid: uids.sopClassUid,
      sopInstanceUid: uids.sopInstanceUid,
      extraMeta: dataSet({
        SourceApplicationEntityTitle: callingAet,
        SendingApplicationEntityTitle: callingAet,
        ReceivingApplicationEntityTitle: calledAet,
      }),
    });
  const first = head(received);
  const named = uidsOf(Buffer.concat([first, beginning]), complete);
  const same =
    named === undefined ||
    (named.sopClassUid === received.sopClassUid && named.sopInstanceUid === received.sopInstanceUid);
  return { bytes: same ? first : head(named), named };
}

function uidsOf(file: Uint8Array, complete: boolean): FileHead['named'] {
  const found = readAttributes(file, ['SOPClassUID', 'SOPInstanceUID'], { complete });
  if (found.kind !== 'attributes') return undefined;
  const sopClassUid = text(found.dataSet, 'SOPClassUID') ?? '';
  const sopInstanceUid = text(found.dataSet, 'SOPInstanceUID') ?? '';
  return sopClassUid === '' || sopInstanceUid === '' ? undefined : { sopClassUid, sopInstanceUid };
}
