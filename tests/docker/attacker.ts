/**
 * Runs in the network of the worklist's container: associations that finish no message, each from one of 200 addresses;
 * beside them, queries of a million values. Says how many it holds, and what each query is answered. Ends when it is ended.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { dataSet, encodeDataSet, sopClasses, transferSyntaxes } from '@scanflow/dicom';
import { beginning, message, RawPeer, request } from '@scanflow/testkit/dimse/raw-peer';
import { encodePdu } from '../../packages/dimse/src/ul/encode.ts';

const PORT = 11112;
const PEERS = 400;
/** Just below what one message may have. */
const BYTES = 3_900_000;
const EVERY_MS = 500;

const IMPLICIT = transferSyntaxes.implicitVRLittleEndian;
const MWL = sopClasses.modalityWorklistFind;
const MPPS = sopClasses.modalityPerformedProcedureStep;
const contexts = [
  { id: 1, abstractSyntax: MWL, transferSyntaxes: [IMPLICIT] },
  { id: 3, abstractSyntax: MPPS, transferSyntaxes: [IMPLICIT] },
];
const attacker = { calledAet: 'SCANFLOW', callingAet: 'PRISMA', contexts };

const create = { affectedSopClassUid: MPPS, commandField: 0x0140, messageId: 1, dataSetType: 1 };
const begun = Buffer.concat([
  encodePdu(request(attacker)),
  ...beginning(3, { ...create, affectedSopInstanceUid: '1.2.3' }, Buffer.alloc(BYTES)),
]);
const find = { affectedSopClassUid: MWL, commandField: 0x20, messageId: 1, priority: 0, dataSetType: 1 };
const values = dataSet({ PatientID: Array.from({ length: 1_000_000 }, () => 'a*') });
const query = Buffer.concat(message(1, find, encodeDataSet(values, IMPLICIT)));

const peers = Array.from({ length: PEERS }, (_, index) => {
  const peer = new RawPeer(PORT, `127.0.1.${1 + (index % 200)}`);
  // one buffer for all of them
  peer.socket.write(begun);
  return peer;
});
for (;;) {
  const asker = new RawPeer(PORT, '127.0.2.1');
  await asker.associate(attacker).catch(() => undefined);
  asker.socket.write(query);
  const answer = await asker.message('an answer').catch(() => undefined);
  asker.socket.destroy();
  const held = peers.filter(({ closed, socket }) => !closed && socket.writableLength === 0).length;
  console.log(`holds ${held}; answered ${answer?.command.status?.toString(16) ?? 'nothing'}`);
  await pause(EVERY_MS);
}
