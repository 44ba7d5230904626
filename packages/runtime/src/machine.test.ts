import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeSelfSigned } from '@scanflow/testkit';
import fastify from 'fastify';
import { addMachine, certificatesIn } from './pages.ts';

test('machine: room on disks, and when certificates run out; what cannot be read says why', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-machine-'));
  const { certificate } = await makeSelfSigned(folder, 'worklist.example.org');
  await writeFile(join(folder, 'none.pem'), 'nothing');
  const app = fastify();
  t.after(async () => {
    await app.close();
    await rm(folder, { recursive: true });
  });
  const tls = { certificate, ca: join(folder, 'none.pem'), key: join(folder, 'secret.key') };
  const certificates = certificatesIn({ worklist: { tls }, other: { certificate: 'not of TLS' } });
  assert.deepEqual(
    certificates.map(({ key }) => key),
    ['worklist.tls.certificate', 'worklist.tls.ca'],
  );
  addMachine(app, { folders: [folder, join(folder, 'missing')], certificates });
  const answer = JSON.parse((await app.inject('/api/machine')).body) as {
    disks: { free?: number; total?: number; failure?: string }[];
    certificates: { subject?: string; ends?: string; failure?: string }[];
  };
  const [there, missing] = answer.disks;
  assert.ok((there?.free ?? -1) >= 0 && (there?.total ?? 0) > 0);
  assert.equal(missing?.failure, 'ENOENT');
  const [good, bad] = answer.certificates;
  assert.match(good?.subject ?? '', /worklist\.example\.org/);
  assert.ok(Temporal.Instant.compare(good?.ends ?? '', Temporal.Now.instant()) > 0);
  assert.equal(bad?.failure, 'it holds no certificate in PEM');
});
