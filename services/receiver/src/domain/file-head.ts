/** What stands before a received data set, so that it is a file (PS3.10 7.1). The data set itself stays as it came. */
import { dataSet, part10Head, readAttributes, text } from '@scanflow/dicom';

/** What the C-STORE and its association say. */
export interface Received {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntax: string;
  readonly callingAet: string;
  readonly calledAet: string;
}

export interface FileHead {
  readonly bytes: Buffer;
  /** What the data set says of itself; undefined where its beginning does not tell. */
  readonly named: { readonly sopClassUid: string; readonly sopInstanceUid: string } | undefined;
}

/**
 * Makes the head for a data set, of which `beginning` holds the first bytes. The file names the instance as its data set
 * does (PS3.10 table 7.1-1), and who sent and received it: (0002,0016), (0002,0017), (0002,0018).
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
