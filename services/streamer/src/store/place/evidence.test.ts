/** The decision table of identifiers: what contradicts a booking, what is a doubt, and what is nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BookingRecord } from '@scanflow/booking';
import { evidenceAgainst, type Chosen, type Evidence } from './evidence.ts';
import { BookingIndex } from './bookings.ts';
import { bookingRecord } from '@scanflow/testkit/events';
import { routeRules } from '@scanflow/testkit/streamer';

const booking = (project: string, subject: string, session: string, uid = 'a@b'): BookingRecord =>
  bookingRecord({
    start: '2026-11-22T09:00:00Z',
    end: '2026-11-22T10:00:00Z',
    labels: { project, subject, session },
    patientId: `${project}_${subject}`,
    patientName: `${project}_${subject}`,
    source: { calendar: 'prisma', uid },
  });

const A = booking('3010000.01', 'sub-001', 'ses-mri01');
const B = booking('3010000.02', 'sub-002', 'ses-mri01');
const A2 = booking('3010000.01', 'sub-001', 'ses-mri02');
const TWICE = booking('3010000.01', 'sub-001', 'ses-mri01', 'c@d');
const SHORT = booking('3010000.01', 'sub-1', 'ses-mri01');
const PILOT = booking('pilot', 'p7', '1');
const known = new BookingIndex();
for (const record of [A, B, A2, TWICE, SHORT, PILOT]) known.add(record);

/** As the worklist gave it to the console. */
const AS_BOOKED = {
  AccessionNumber: A.accessionNumber,
  StudyInstanceUID: A.studyInstanceUid,
  PatientID: A.patientId,
  PatientName: A.patientName,
  StudyID: 'ses-mri01',
  AcquisitionDate: '20261122',
  AcquisitionTime: '103000.123',
};
const BY_ACCESSION: Chosen = { labels: A.labels, by: 'accession', booking: A };
const BY_STUDY: Chosen = { labels: A.labels, by: 'study', booking: A };
const BY_PATTERNS: Chosen = { labels: A.labels, by: 'patterns' };

interface Row {
  readonly what: string;
  readonly images: Readonly<Record<string, string>>;
  readonly chosen?: Chosen;
  readonly scanner?: string;
  readonly over?: Partial<Evidence['rules']>;
  /** Kinds of doubts, or a part of each contradiction. */
  readonly expected: readonly (string | RegExp)[];
}

const ALL_OF_B = { PatientID: B.patientId, PatientName: B.patientName };
const ROWS: readonly Row[] = [
  { what: 'all as booked', images: {}, expected: [] },
  {
    what: 'nothing but the accession number',
    images: { PatientID: '', PatientName: '', StudyID: '', StudyInstanceUID: '' },
    expected: [],
  },
  // the everyday case: the wrong item was picked, and the patient corrected at the console
  {
    what: 'patient of B under the item of A',
    images: ALL_OF_B,
    expected: [
      /PatientID “3010000\.02_sub-002” reads as 3010000\.02 sub-002 ses-mri01 \(booking \w{16}\), but AccessionNumber \w{16} is the booking of 3010000\.01 sub-001 ses-mri01\./,
      /PatientName/,
    ],
  },
  { what: 'Patient ID alone corrected', images: { PatientID: B.patientId }, expected: [/PatientID/] },
  { what: 'name alone corrected', images: { PatientName: B.patientName }, expected: [/PatientName/] },
  {
    what: 'accession and patient of A, Study UID of the item that was picked first',
    images: { StudyInstanceUID: B.studyInstanceUid },
    expected: [/StudyInstanceUID 2\.25\.\d+ is that of booking \w{16}, 3010000\.02 sub-002/],
  },
  {
    what: 'no accession, Study UID of A, patient of B',
    chosen: BY_STUDY,
    images: { AccessionNumber: '', ...ALL_OF_B },
    expected: [/but StudyInstanceUID is that of booking/, /PatientName/],
  },
  {
    what: 'another session of the same subject',
    images: { StudyInstanceUID: A2.studyInstanceUid },
    expected: [/StudyInstanceUID/],
  },
  {
    what: 'the same labels booked twice',
    images: { StudyInstanceUID: TWICE.studyInstanceUid },
    expected: ['study'],
  },
  {
    what: 'a Study UID of the scanner’s own',
    images: { StudyInstanceUID: '1.3.12.2.1107.5.2' },
    expected: ['study'],
  },
  {
    what: 'a Study UID of the scanner’s own, by the patterns',
    chosen: BY_PATTERNS,
    images: { StudyInstanceUID: '1.3.12' },
    expected: [],
  },
  // spellings
  { what: 'capitals', images: { PatientID: '3010000.01_SUB-001' }, expected: ['spelling'] },
  {
    what: 'a name in capitals, padded with components',
    images: { PatientName: '3010000.01_SUB-001^^^^' },
    expected: ['spelling'],
  },
  { what: 'empty components alone', images: { PatientName: '3010000.01_sub-001^^^' }, expected: [] },
  {
    what: 'a name with an empty alphabetic group',
    images: { PatientName: '=3010000.01_sub-001' },
    expected: [],
  },
  {
    what: 'space for underscore, no hyphen',
    images: { PatientID: '3010000.01 sub001' },
    expected: ['spelling'],
  },
  {
    what: 'a caret that the console made',
    images: { PatientName: '3010000.01^sub-001' },
    expected: ['spelling'],
  },
  {
    what: 'one zero less, and nobody is called so',
    images: { PatientID: '3010000.01_sub-01' },
    expected: ['spelling'],
  },
  {
    what: 'one that differs in zeros alone is another subject where it is booked',
    images: { PatientID: SHORT.patientId },
    expected: [/3010000\.01 sub-1 /],
  },
  { what: 'another spelling of B', images: { PatientID: '3010000.02 SUB002' }, expected: [/booking/] },
  { what: 'padding', images: { PatientID: ' 3010000.01_sub-001 ' }, expected: [] },
  // what reads as somebody who is not booked
  {
    what: 'another subject of the project',
    images: { PatientID: '3010000.01_sub-009' },
    expected: [/sub-009 \(arrivals\.patterns\)/],
  },
  {
    what: 'another project',
    images: { PatientID: '3010000.99_sub-001' },
    expected: [/3010000\.99 sub-001 \(arrivals\.patterns\)/],
  },
  {
    what: 'by the template, of a known project',
    over: { patterns: {} },
    images: { PatientID: 'pilot_p9' },
    expected: [/pilot p9 \(bookings\.patientId\)/],
  },
  {
    what: 'a name by the template',
    images: { PatientName: '3010000.01_sub-009' },
    expected: [/PatientName .* \(bookings\.patientName\)/],
  },
  {
    what: 'what fits the template by chance',
    over: { patterns: {} },
    images: { PatientID: 'AB_12345' },
    expected: ['spelling'],
  },
  { what: 'a number of the hospital', images: { PatientID: '7654321' }, expected: ['spelling'] },
  {
    what: 'a name of a person: it is not repeated',
    images: { PatientName: 'Doe^Jane' },
    expected: ['spelling'],
  },
  {
    what: 'a hostile megabyte',
    images: { PatientID: `3010000.99_sub-${'9'.repeat(1_000_000)}` },
    expected: ['spelling'],
  },
  // without a booking
  { what: 'by the patterns, all of A', chosen: BY_PATTERNS, images: {}, expected: [] },
  {
    what: 'by the patterns, the name is of B',
    chosen: BY_PATTERNS,
    images: { PatientName: B.patientName },
    expected: [/but the patterns read the images as 3010000\.01/],
  },
  {
    what: 'by the patterns, a name of a person',
    chosen: BY_PATTERNS,
    images: { PatientName: 'Doe^Jane' },
    expected: [],
  },
  // further patterns
  { what: 'StudyID of another session', images: { StudyID: 'ses-mri07' }, expected: ['spelling'] },
  { what: 'StudyID counted by the scanner', images: { StudyID: '4711' }, expected: [] },
  {
    what: 'a pattern over another attribute names another project',
    over: { patterns: { StudyDescription: /^(?<project>\S+)/u } },
    images: { StudyDescription: '3010000.02 memory' },
    expected: [/StudyDescription/],
  },
  // time and scanner
  { what: 'an hour before the slot begins', images: { AcquisitionTime: '090000' }, expected: [] },
  { what: 'two hours too early', images: { AcquisitionTime: '0759' }, expected: ['time'] },
  { what: 'another day', images: { AcquisitionDate: '20261121' }, expected: ['time'] },
  {
    what: 'in the slot by the zone that the images name',
    images: { AcquisitionTime: '043000', TimezoneOffsetFromUTC: '-0500' },
    expected: [],
  },
  {
    what: 'the time of the study where there is no other',
    images: { AcquisitionDate: '', StudyDate: '2026.11.20', StudyTime: '10:30:00' },
    expected: ['time'],
  },
  { what: 'a time that there is not', images: { AcquisitionTime: '996000' }, expected: [] },
  { what: 'the scanner that was booked', images: {}, scanner: 'prisma', expected: [] },
  { what: 'another scanner', images: {}, scanner: 'skyra', expected: ['scanner'] },
];

for (const { what, images, chosen = BY_ACCESSION, scanner, over, expected } of ROWS)
  test(`evidence: ${what}`, () => {
    const rules = routeRules(over);
    const attributes = { ...AS_BOOKED, ...images };
    const { contradictions, doubts } = evidenceAgainst(chosen, { attributes, known, rules, scanner });
    const found = [...contradictions, ...doubts.map(({ kind }) => kind)];
    assert.equal(found.length, expected.length, found.join('\n'));
    for (const [index, one] of expected.entries())
      if (typeof one === 'string') assert.equal(found[index], one);
      else assert.match(found[index] ?? '', one);
    assert.doesNotMatch(JSON.stringify(doubts), /Doe|Jane/);
  });
