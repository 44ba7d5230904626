import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mentions } from './find.ts';

const wanted = { project: '3010000.01', subject: 'sub-001' };
const booked = { accessions: new Set(['ACC1']), studies: new Set(['1.2.3']) };

for (const [attributes, session, expected] of [
  [{ PatientID: '3010000.01_sub-001' }, undefined, true],
  [{ PatientName: 'SUB-001^3010000.01' }, undefined, true],
  [{ PatientID: '3010000.01_sub-0011' }, undefined, false],
  [{ PatientID: '13010000.01_sub-001' }, undefined, false],
  [{ PatientID: 'sub-001', PatientName: '3010000.01' }, undefined, false],
  [{ PatientID: '3010000.01_sub-001', StudyID: 'ses-2' }, 'ses-1', false],
  [{ PatientID: '3010000.01_sub-001', StudyID: 'ses-1' }, 'ses-1', true],
  [{ PatientID: 'x', AccessionNumber: 'ACC1 ' }, undefined, true],
  [{ PatientID: 'x', StudyInstanceUID: '1.2.3' }, undefined, true],
  [{}, undefined, false],
] as const)
  test(`erase: ${JSON.stringify(attributes)} ${session ?? ''} is ${expected ? '' : 'not '}the subject's`, () => {
    const subject = session === undefined ? wanted : { ...wanted, session };
    assert.equal(mentions(subject, attributes as Readonly<Record<string, string>>, booked), expected);
  });
