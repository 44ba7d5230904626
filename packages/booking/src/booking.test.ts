import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identify } from './booking.ts';

const source = { calendar: 'prisma', uid: 'a' };
const labels = { project: 'p', subject: 's1', session: '1' };

test('identity: never changes from one version to the next', () => {
  assert.deepEqual(identify(source, labels), {
    accessionNumber: 'FPEQFFGJV9DKD9WW',
    studyInstanceUid: '2.25.166971118745832871058671703787693382848',
  });
});

test('identity: of calendar, event, instance and labels, each its own', () => {
  const all = [
    identify(source, labels),
    identify({ ...source, calendar: 'skyra' }, labels),
    identify({ ...source, uid: 'b' }, labels),
    identify({ ...source, recurrenceId: '2026-11-22T08:00:00Z' }, labels),
    identify(source, { ...labels, project: 'q' }),
    identify(source, { ...labels, subject: 's2' }),
    identify(source, { ...labels, session: '2' }),
  ];
  assert.equal(new Set(all.map(({ accessionNumber }) => accessionNumber)).size, all.length);
  assert.equal(new Set(all.map(({ studyInstanceUid }) => studyInstanceUid)).size, all.length);
});

test('identity: values that DICOM takes', () => {
  const { accessionNumber, studyInstanceUid } = identify(source, labels);
  assert.match(accessionNumber, /^[0-9A-HJKMNP-TV-Z]{16}$/);
  assert.match(studyInstanceUid, /^2\.25\.[1-9]\d{0,38}$/);
});
