/** Images of an exam that ran while Scanflow 0.1.0 was updated: found by the old numbers, stored as the scanner showed it. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { parseBookingRecord, type BookingRecord } from '@scanflow/booking';
import { folderOf, verifyStored } from './streamer-verify.ts';
import { makeRig, phantom, sendTo, settled } from './streamer-support.ts';

const BOOKINGS = join(import.meta.dirname, '../fixtures/data-0.1.0/data/bookings');

/** As 0.1.0 wrote it. */
async function published(accessionNumber: string): Promise<BookingRecord> {
  const parsed = parseBookingRecord(await readFile(join(BOOKINGS, `${accessionNumber}.json`), 'utf8'));
  assert.ok(parsed.ok);
  return parsed.record;
}

test('update: series are stored under the labels that were shown, found by accession number or Study UID', async (t) => {
  // the update leaves this record as it is (services/cal2wl/src/update.test.ts), and makes the label of that one whole
  const running = await published('PBXWKDZ2ZJKV3FCP');
  const old = await published('NX8BHG013WW1KK94');
  const ahead = { ...old, labels: { ...old.labels, session: 'ses-mri-01' } };
  const rig = await makeRig(t);
  await rig.book(running);
  await rig.book(ahead);
  await rig.start();
  const of = ({ accessionNumber, studyInstanceUid, patientId, patientName, labels }: BookingRecord) => ({
    ...{ accession: accessionNumber, studyInstanceUid, patientId, patientName, studyId: labels.session },
  });
  const scans = [
    of(running),
    { ...of(running), accession: '' },
    of(ahead),
    // the scanner had asked for its list before the update
    { ...of(old), studyInstanceUid: ahead.studyInstanceUid },
  ];
  for (const [index, options] of scans.entries()) {
    const made = await phantom(join(rig.folder, `scan${index}`), {
      images: 2,
      seriesNumber: index + 1,
      ...options,
    });
    await sendTo(rig.orthanc, made.folder);
  }
  const all = await settled(rig, scans.length, ['complete', 'quarantined']);
  assert.deepEqual(
    all.map((one) => [one.state, relative(rig.root, folderOf(one)).replace(/-phantom.*/, '')]).sort(),
    [
      ['complete', '3010000.01/raw/sub-001/ses-mri/001'],
      ['complete', '3010000.01/raw/sub-001/ses-mri/002'],
      ['complete', '3010000.01/raw/sub-002/ses-mri-01/003'],
      ['complete', '3010000.01/raw/sub-002/ses-mri-01/004'],
    ],
  );
  for (const one of all) assert.equal(await verifyStored(rig, one), 2);
});
