import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  dataSet,
  encodeDataSet,
  readAttributes,
  readPart10Header,
  text,
  transferSyntaxes,
} from '@scanflow/dicom';
import { fileHead, type Received } from './store.ts';

const MR = '1.2.840.10008.5.1.4.1.1.4';
const syntax = transferSyntaxes.explicitVRLittleEndian;
const received: Received = {
  sopClassUid: MR,
  sopInstanceUid: '1.2.3',
  transferSyntax: syntax,
  callingAet: 'PRISMA',
  calledAet: 'ORTHANC',
};
const imageOf = (uid: string): Uint8Array =>
  encodeDataSet(dataSet({ SOPClassUID: MR, SOPInstanceUID: uid, PatientName: 'X' }), syntax);

/** What the file meta information of the whole file says. */
function meta(head: Uint8Array, body: Uint8Array) {
  const file = Buffer.concat([head, body]);
  const header = readPart10Header(file, file.length);
  assert.ok(!('needMore' in header));
  assert.deepEqual(file.subarray(header.dataSetOffset), Buffer.from(body));
  return header;
}

test('file head: the file is whole, in the transfer syntax of the context, with the data set as it came', () => {
  const body = imageOf('1.2.3');
  const { bytes, named } = fileHead(received, body, true);
  assert.equal(meta(bytes, body).transferSyntax, syntax);
  assert.deepEqual(named, { sopClassUid: MR, sopInstanceUid: '1.2.3' });
  const latin = Buffer.from(bytes).toString('latin1');
  assert.equal(latin.split('PRISMA').length - 1, 2, '(0002,0016) and (0002,0017)');
  assert.equal(latin.split('ORTHANC').length - 1, 1, '(0002,0018)');
});

test('file head: where request and data set differ, the file names the instance of its data set', () => {
  const body = imageOf('1.2.99');
  const { bytes, named } = fileHead({ ...received, sopInstanceUid: '1.2.3' }, body, true);
  assert.equal(named?.sopInstanceUid, '1.2.99');
  const latin = Buffer.from(bytes).toString('latin1');
  assert.match(latin, /1\.2\.99/);
  assert.doesNotMatch(latin, /1\.2\.3\b/);
});

test('file head: a beginning is enough, and what cannot be read is named by the request', () => {
  const body = Buffer.concat([imageOf('1.2.3'), Buffer.alloc(64)]);
  assert.equal(fileHead(received, body.subarray(0, body.length - 64), false).named?.sopInstanceUid, '1.2.3');
  for (const nonsense of [Buffer.alloc(0), Buffer.from('no DICOM at all, as it happens')]) {
    const { bytes, named } = fileHead(received, nonsense, true);
    assert.equal(named, undefined);
    assert.match(Buffer.from(bytes).toString('latin1'), /1\.2\.3/);
  }
});

test('file head: what an image says otherwise is not looked at', () => {
  const body = imageOf('1.2.3');
  const found = readAttributes(Buffer.concat([fileHead(received, body, true).bytes, body]), ['PatientName'], {
    complete: true,
  });
  assert.ok(found.kind === 'attributes');
  assert.equal(text(found.dataSet, 'PatientName'), 'X');
});
