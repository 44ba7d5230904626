/** `scanflow transfer` as a person runs it, between real archives; judged by what Orthanc's REST says. */
import { strict as assert } from 'node:assert';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeAuthority, startDcmqrscp } from '@scanflow/testkit';
import {
  at,
  folder,
  inOrthanc,
  json,
  list,
  orthancFor,
  reportIn,
  study,
  summary,
  transfer,
  uidsOf,
  upload,
} from './transfer-support.ts';

const target = await orthancFor('TARGET');
const source = await orthancFor('SOURCE', { target: ['TARGET', '127.0.0.1', target.dicomPort] });
const ENDS = ['--from', at('SOURCE', source.dicomPort), '--to', at('TARGET', target.dicomPort)];

test('transfer: studies by accession arrive whole; what is not one study is told, and nothing is guessed', async (t) => {
  const one = study({ accession: 'ACC1', studyUid: '2.25.101', series: [3, 2] });
  const two = study({ accession: 'ACC2', studyUid: '2.25.102', series: [1] });
  const twins = ['2.25.103', '2.25.104'].flatMap((studyUid) =>
    study({ accession: 'TWIN', studyUid, series: [1], patientId: `P${studyUid}` }),
  );
  await upload(source, [...one, ...two, ...twins]);
  const path = await list(t, 'ACC1', 'ACC2', 'TWIN', 'NOSUCH');
  const reports = await folder(t);
  const result = await transfer(path, ...ENDS, '--report', reports, '--json');
  assert.equal(result.code, 1, result.stderr);
  assert.deepEqual(json(result).rows.map(summary), [
    [5, 0, 5, 0, 0, 'Complete', undefined],
    [1, 0, 1, 0, 0, 'Complete', undefined],
    [0, 0, 0, 0, 0, 'Failed', 'TRANSFER_SEVERAL_STUDIES'],
    [0, 0, 0, 0, 0, 'Failed', 'TRANSFER_NO_MATCH'],
  ]);
  assert.match(json(result).rows[2]?.reason ?? '', /2\.25\.10[34], 2\.25\.10[34]/);
  assert.deepEqual(await inOrthanc(target, '2.25.101'), uidsOf(one));
  assert.deepEqual(await inOrthanc(target, '2.25.102'), uidsOf(two));
  assert.deepEqual(await inOrthanc(target, '2.25.103'), []);
  const [head = '', first = '', , third = ''] = await reportIn(reports);
  assert.equal(
    head,
    'Line,Requested,Study Instance UID,Found,Already There,Transferred,Missing,Failed,Status,Checked By,Reason',
  );
  assert.equal(first, '1,ACC1,2.25.101,5,0,5,0,0,Complete,UIDs,');
  assert.match(third, /^3,TWIN,,0,0,0,0,0,Failed,,"?TRANSFER_SEVERAL_STUDIES: /);
});

test('transfer: only what is missing is moved, series by series; what is there is not', async (t) => {
  const images = study({ accession: 'ACC3', studyUid: '2.25.110', series: [3, 4] });
  await upload(source, images);
  await upload(target, [...images.slice(0, 3), ...images.slice(3, 5)]);
  const path = await list(t, 'ACC3');
  const first = await transfer(path, ...ENDS, '--json', '--journal', 'none');
  assert.equal(first.code, 0, first.stderr);
  assert.deepEqual(summary(json(first).rows[0]), [7, 5, 2, 0, 0, 'Complete', undefined]);
  assert.deepEqual(await inOrthanc(target, '2.25.110'), uidsOf(images));
  const second = await transfer(path, ...ENDS, '--json', '--journal', 'none');
  assert.equal(second.code, 0);
  assert.deepEqual(summary(json(second).rows[0]), [7, 7, 0, 0, 0, 'Complete', undefined]);
});

test('transfer: what the journal says is done is not asked for again, unless it is wanted', async (t) => {
  const images = study({ accession: 'ACC4', studyUid: '2.25.120', series: [2] });
  await upload(source, images);
  const path = await list(t, 'ACC4', 'LATER');
  const first = await transfer(path, ...ENDS, '--json');
  assert.equal(first.code, 1);
  await upload(source, study({ accession: 'LATER', studyUid: '2.25.121', series: [1] }));
  const journal = `${path}.journal`;
  // a crash in the midst of a line
  await writeFile(journal, `${await readFile(journal, 'utf8')}{"key":"ACC4\\\\`);
  const second = await transfer(path, ...ENDS, '--json');
  assert.equal(second.code, 0, second.stderr);
  assert.deepEqual(
    json(second).rows.map((row) => [row.requested, row.status, row.earlier]),
    [
      ['ACC4', 'Complete', true],
      ['LATER', 'Complete', false],
    ],
  );
  const third = await transfer(path, ...ENDS, '--json', '--again');
  assert.equal(third.code, 0);
  assert.equal(json(third).earlier, 0);
  assert.deepEqual(
    json(third).rows.map(({ there }) => there),
    [2, 1],
  );
  const other = await transfer(path, '--from', at('OTHER', source.dicomPort), ...ENDS.slice(2));
  assert.equal(other.code, 2);
  assert.match(other.stderr, /journal .* is of a transfer from SOURCE@/);
});

test('transfer: dcmqrscp as source, by study UID and by patient and dates, several at once', async (t) => {
  const root = await folder(t);
  const archive = await startDcmqrscp({ folder: root, targets: { TARGET: target.dicomPort } });
  t.after(() => archive.stop());
  const days = ['2026-10-31', '2026-11-01', '2026-11-30'].map((day, number) =>
    study({ accession: `D${number}`, studyUid: `2.25.13${number}`, series: [2], patientId: 'DAYS', day }),
  );
  const byUid = study({ accession: 'U1', studyUid: '2.25.139', series: [1, 1, 1], patientId: 'UID' });
  const files = join(root, 'files');
  await mkdir(files);
  for (const { sopInstanceUid, bytes } of [...days.flat(), ...byUid])
    await writeFile(join(files, sopInstanceUid), bytes);
  await archive.fill(files);
  const path = await list(
    t,
    '\ufeffPatientID;StudyDate;StudyInstanceUID',
    'DAYS;2026-11-01..2026-11-30;',
    '',
    ';;2.25.139',
  );
  const ends = ['--from', at(archive.aet, archive.port), '--to', at('TARGET', target.dicomPort)];
  const result = await transfer(path, ...ends, '--at-once', '2', '--json');
  assert.equal(result.code, 0, result.stdout + result.stderr);
  const rows = json(result).rows.map((row) => [row.line, row.studyUid, row.transferred, row.status]);
  assert.deepEqual(rows.sort(), [
    [2, '2.25.131', 2, 'Complete'],
    [2, '2.25.132', 2, 'Complete'],
    [4, '2.25.139', 3, 'Complete'],
  ]);
  assert.deepEqual(await inOrthanc(target, '2.25.130'), []);
  assert.deepEqual(await inOrthanc(target, '2.25.139'), uidsOf(byUid));
  // no patient is told to whoever may read the journal
  assert.ok(!(await readFile(`${path}.journal`, 'utf8')).includes('DAYS'));
});

test('transfer: through an Orthanc, which asks, receives and is counted', async (t) => {
  const images = study({ accession: 'VIA1', studyUid: '2.25.140', series: [3, 2] });
  const via = await orthancFor('VIA', { pacs: ['SOURCE', '127.0.0.1', source.dicomPort] });
  await upload(source, images);
  // the source has to know where it is
  const added = await source.request('/modalities/via', {
    method: 'PUT',
    body: JSON.stringify(['VIA', '127.0.0.1', via.dicomPort]),
  });
  assert.equal(added.status, 200);
  await upload(via, images.slice(0, 1));
  const path = await list(t, 'VIA1', 'NOSUCH');
  const who = ['--orthanc-user', via.username, '--orthanc-password-file', via.passwordFile];
  const result = await transfer(path, '--via', via.url, '--from', 'pacs', ...who, '--json');
  assert.equal(result.code, 1, result.stderr);
  assert.deepEqual(json(result).rows.map(summary), [
    [5, 1, 4, 0, 0, 'Complete', undefined],
    [0, 0, 0, 0, 0, 'Failed', 'TRANSFER_NO_MATCH'],
  ]);
  assert.deepEqual(await inOrthanc(via, '2.25.140'), uidsOf(images));
  const unknown = await transfer(path, '--via', via.url, '--from', 'nobody', ...who);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /no modality nobody \(it has pacs\)/);
  const stranger = await transfer(path, '--via', via.url, '--from', 'pacs');
  assert.equal(stranger.code, 2);
  assert.match(stranger.stderr, /refuses the user/);
});

test('transfer: over TLS from the archive, which sends on without', async (t) => {
  const images = study({ accession: 'TLS1', studyUid: '2.25.150', series: [2] });
  const authority = await makeAuthority(await folder(t), 'authority');
  const certificate = await authority.issue('archive');
  const secured = await orthancFor(
    'SECURED',
    { target: ['TARGET', '127.0.0.1', target.dicomPort] },
    {
      DicomTlsEnabled: true,
      DicomTlsPrivateKey: certificate.key,
      DicomTlsCertificate: certificate.certificate,
      DicomTlsTrustedCertificates: authority.certificate,
      DicomTlsRemoteCertificateRequired: false,
    },
  );
  await upload(secured, images);
  const path = await list(t, 'TLS1');
  const ends = ['--from', at('SECURED', secured.dicomPort), ...ENDS.slice(2), '--json'];
  const good = await transfer(path, ...ends, '--tls', '--tls-ca', authority.certificate);
  assert.equal(good.code, 0, good.stderr);
  assert.deepEqual(await inOrthanc(target, '2.25.150'), uidsOf(images));
  const untrusted = await transfer(path, ...ends, '--tls');
  assert.equal(untrusted.code, 2);
  assert.match(untrusted.stderr, /not started: .*authority/i);
});
