import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeSelfSigned } from '@scanflow/testkit';
import fastify from 'fastify';
import { Registry } from 'prom-client';
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
  const registry = new Registry();
  const folders = { data: folder, 'storage.root': join(folder, 'missing'), again: folder };
  const floors = new Map([[folder, { bytes: 7 }]]);
  addMachine(app, registry, { folders, floors, certificates });
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
  assert.equal(answer.disks.length, 2, 'a folder is looked at once');
  const metrics = await registry.metrics();
  assert.match(metrics, /^scanflow_filesystem_free_bytes\{folder="data"\} \d+$/m);
  assert.match(metrics, /^scanflow_filesystem_size_bytes\{folder="again"\} \d+$/m);
  assert.match(metrics, /^scanflow_filesystem_floor_bytes\{folder="data"\} 7$/m);
  assert.doesNotMatch(metrics, /storage\.root/, 'what cannot be read has no size');
  const ends = Temporal.Instant.from(good?.ends ?? '').epochMilliseconds / 1000;
  const expiry = 'scanflow_certificate_expiry_timestamp_seconds';
  assert.ok(metrics.includes(`${expiry}{certificate="worklist.tls.certificate"} ${ends}\n`), metrics);
  assert.ok(metrics.includes(`${expiry}{certificate="worklist.tls.ca"} 0\n`), metrics);
});
