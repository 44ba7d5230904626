/** Storage commitment as data: written and read, whole and with something missing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  commitmentReport,
  commitmentRequest,
  dataSet,
  decodeDataSet,
  describeFailureReason,
  encodeDataSet,
  readCommitmentReport,
  readCommitmentRequest,
  transferSyntaxes,
  type DataSet,
} from './index.ts';

const MR = '1.2.840.10008.5.1.4.1.1.4';
const a = { sopClassUid: MR, sopInstanceUid: '1.2.3.1' };
const b = { sopClassUid: MR, sopInstanceUid: '1.2.3.2' };
const wire = (information: DataSet, syntax: string): DataSet =>
  decodeDataSet(encodeDataSet(information, syntax), syntax);

test('commitment: a request and a report come through either little endian syntax', () => {
  for (const syntax of [transferSyntaxes.implicitVRLittleEndian, transferSyntaxes.explicitVRLittleEndian]) {
    const request = { transactionUid: '2.25.1', references: [a, b] };
    assert.deepEqual(readCommitmentRequest(wire(commitmentRequest(request), syntax)), request);
    const whole = { transactionUid: '2.25.1', committed: [a, b], failed: [] };
    const { eventType, information } = commitmentReport(whole);
    assert.equal(eventType, 1);
    assert.deepEqual(readCommitmentReport(wire(information, syntax)), whole);
    const part = { transactionUid: '2.25.1', committed: [a], failed: [{ ...b, reason: 0x0112 }] };
    const failing = commitmentReport(part);
    assert.equal(failing.eventType, 2);
    assert.deepEqual(readCommitmentReport(wire(failing.information, syntax)), part);
  }
});

test('commitment: what is named in both sequences has failed, what lacks a UID names nothing', () => {
  const item = { ReferencedSOPClassUID: MR, ReferencedSOPInstanceUID: '1.2.3.1' };
  const read = readCommitmentReport(
    dataSet({
      TransactionUID: '2.25.1',
      ReferencedSOPSequence: [item, { ReferencedSOPClassUID: MR }],
      FailedSOPSequence: [item, { ReferencedSOPInstanceUID: '1.2.3.2', FailureReason: 0x110 }],
    }),
  );
  assert.deepEqual(read, {
    transactionUid: '2.25.1',
    committed: [],
    failed: [{ ...a, reason: undefined }],
  });
  assert.equal(readCommitmentReport(dataSet({ ReferencedSOPSequence: [item] })), undefined);
  assert.equal(readCommitmentRequest(dataSet({ TransactionUID: '2.25.1' })), undefined);
});

test('commitment: every failure reason has its meaning', () => {
  assert.equal(describeFailureReason(0x0112), '0112, no such object instance');
  assert.equal(describeFailureReason(0x0999), '0999, in no table of the standard');
  assert.equal(describeFailureReason(undefined), 'no reason given');
});
