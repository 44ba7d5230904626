/** Who gets what from the worklist service: addresses, certificates, views, limits; DCMTK as its callers. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { dcmtk, makeAuthority, type Certificate } from '@scanflow/testkit';
import * as worklist from './worklist-support.ts';

const { accessions, AET, echo, encoded, find, IDENTITY, item, scratch, startService, wholeFile } = worklist;

const suite = wholeFile();
const data = await scratch(suite);
const folder = await worklist.worklistFolder(data);
const items = {
  A1: item('A1', { patientName: 'Doe^Jane' }),
  B1: item('B1', { stationAet: 'SKYRA', patientName: 'DOE^John' }),
  C1: item('C1', { stationAet: 'MEG', patientName: 'Roe^Richard' }),
};
for (const [name, one] of Object.entries(items)) await writeFile(join(folder, `${name}.wl`), encoded(one));

const plain = await startService(suite, {
  data,
  worklist: [
    'view: own',
    'maxAnswers: 2',
    'nameCase: exact',
    'access:',
    '  PRISMA: { addresses: [127.0.0.0/8], view: all }',
    '  MEG: { addresses: [192.0.2.7] }',
  ],
});

test('access: an AE title that calls from another address is rejected as not recognised, and told in the log', async () => {
  const { code, stderr, stdout } = await echo(plain.port, { callingAet: 'MEG' });
  assert.notEqual(code, 0);
  assert.match(stderr + stdout, /Calling AE Title Not Recognized/);
  await plain.program.said(/worklist\.access\.MEG\.addresses does not have 127\.0\.0\.1/);
  assert.match(await plain.page('/metrics'), /rejections_total\{reason="1\/1\/3"\} 1/);
});

test('access: each sees what its view allows', async (t) => {
  assert.deepEqual(accessions(await find(t, plain.port, IDENTITY, { callingAet: 'SKYRA' })), ['B1']);
  const listed = await startService(t, { data, worklist: ['view: [PRISMA, MEG]'] });
  assert.deepEqual(accessions(await find(t, listed.port, IDENTITY)), ['A1', 'C1']);
  assert.deepEqual(accessions(await find(t, listed.port, [...IDENTITY, 'AccessionNumber=B1'])), []);
});

test('limit: exactly so many answers, then A700 with the reason; no A700 for exactly so many', async (t) => {
  const all = await find(t, plain.port, IDENTITY, { callingAet: 'PRISMA' });
  assert.deepEqual(all.statuses, ['ff00', 'ff00', 'a700']);
  assert.equal(all.answers.length, 2);
  assert.match(all.output, /More than 2 items match; narrow the query/);
  const two = await find(t, plain.port, [...IDENTITY, 'PatientName=*oe^J*'], { callingAet: 'PRISMA' });
  assert.deepEqual(two.statuses, ['ff00', '0000']);
  const both = await find(t, plain.port, [...IDENTITY, 'PatientName=*^J*'], { callingAet: 'PRISMA' });
  assert.deepEqual(both.statuses, ['ff00', 'ff00', '0000']);
  const { queries } = (await plain.get('/api/queries')) as { queries: { outcome: string }[] };
  assert.ok(queries.some(({ outcome }) => outcome === 'limited'));
});

test('names: exact tells upper and lower case apart', async (t) => {
  const found = await find(t, plain.port, [...IDENTITY, 'PatientName=Doe*'], { callingAet: 'PRISMA' });
  assert.deepEqual(accessions(found), ['A1']);
});

test('tls: the service asks for certificates, and admits by subject', async (t) => {
  const pki = await scratch(t);
  const authority = await makeAuthority(pki, 'hospital');
  const own = await authority.issue('worklist');
  const prisma = await authority.issue('prisma');
  const other = await authority.issue('other');
  const secured = await startService(t, {
    data,
    worklist: [
      `tls: { key: ${own.key}, certificate: ${own.certificate}, ca: ${authority.certificate} }`,
      'access: { PRISMA: { certificates: ["CN=prisma,O=Example"] } }',
    ],
  });
  const call = async (aet: string, { key, certificate }: Certificate): Promise<number | null> => {
    const tls = ['+tls', key, certificate, '+cf', authority.certificate];
    const args = ['-aet', aet, '-aec', AET, ...tls, '127.0.0.1', String(secured.port)];
    return (await dcmtk('echoscu', args)).code;
  };
  assert.equal(await call('PRISMA', prisma), 0);
  assert.notEqual(await call('PRISMA', other), 0);
  assert.equal(await call('SKYRA', other), 0);
  assert.notEqual((await echo(secured.port, { callingAet: 'PRISMA' })).code, 0);
  assert.match(await secured.page('/metrics'), /rejections_total\{reason="tls"\} 1/);
  const log = secured.program.output();
  assert.match(
    log,
    /worklist\.access\.PRISMA\.certificates does not have [0-9a-f]{64} \(O=Example,CN=other\)/,
  );
  assert.match(log, /TLS_NOT_TLS/);
  const extra = ['+tls', prisma.key, prisma.certificate, '+cf', authority.certificate];
  const found = await find(t, secured.port, IDENTITY, { callingAet: 'PRISMA', extra });
  assert.deepEqual(accessions(found), ['A1', 'B1', 'C1']);
});

test('tls: a service whose files cannot be used does not start, and says why', async (t) => {
  const pki = await scratch(t);
  const authority = await makeAuthority(pki, 'hospital');
  const [one, two] = [await authority.issue('one'), await authority.issue('two')];
  const mixed = `tls: { key: ${one.key}, certificate: ${two.certificate} }`;
  await assert.rejects(
    startService(t, { data, worklist: [mixed] }),
    /the key is not the one of the certificate/,
  );
  const missing = `tls: { key: ${one.key}, certificate: ${join(pki, 'none.pem')} }`;
  await assert.rejects(
    startService(t, { data, worklist: [missing] }),
    /none\.pem of tls\.certificate cannot be read/,
  );
});
