/** Whose images are received: by AE title, address and certificate, and without a restart when that changes. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { dcmtk, makeAuthority, until, freePort } from '@scanflow/testkit';
import { instances, startRig, writeImages, type Rig } from './receiver-support.ts';

interface Senders {
  readonly from: unknown;
  readonly lastImages: { scanner: string; at: string }[];
  readonly admitted: { callingAet: string; count: number; scanner: string | null }[];
  readonly refused: { callingAet: string; calledAet: string; address: string; count: number; why: string }[];
}
const senders = async (rig: Rig): Promise<Senders> => (await rig.api('/api/senders')) as unknown as Senders;

/** What storescu says: '' for done. */
async function sending(
  { port }: { port: number },
  path: string,
  callingAet: string,
  calledAet = 'ORTHANC',
  more: readonly string[] = [],
): Promise<string> {
  const args = ['-aet', callingAet, '-aec', calledAet, ...more, '127.0.0.1', String(port), path];
  const { code, stderr } = await dcmtk('storescu', args);
  return code === 0 ? '' : stderr;
}

test('admission: only scanners send, the others are rejected by name and show with their address', async (t) => {
  const sections = {
    arrivals: { from: 'scanners' },
    scanners: { prisma: { aet: 'PRISMA', sends: ['PRISMA_STORE'], modality: 'MR' } },
  };
  const rig = await startRig(t, { sections });
  const [one = '', two = '', three = ''] = await writeImages(join(rig.folder, 'images'), 3);
  assert.equal(await sending(rig, one, 'PRISMA'), '');
  assert.equal(await sending(rig, two, 'PRISMA_STORE'), '');
  for (let turn = 0; turn < 2; turn += 1)
    assert.match(await sending(rig, three, 'NOBODY'), /Calling AE Title Not Recognized/i);
  assert.equal((await instances(rig)).length, 2);
  const { from, admitted, refused, lastImages } = await senders(rig);
  assert.equal(from, 'scanners');
  assert.deepEqual(
    lastImages.map(({ scanner }) => scanner),
    ['prisma'],
  );
  assert.deepEqual(
    admitted.map(({ callingAet, count, scanner }) => [callingAet, count, scanner]),
    [
      ['PRISMA_STORE', 1, 'prisma'],
      ['PRISMA', 1, 'prisma'],
    ],
  );
  assert.deepEqual(
    refused.map(({ callingAet, calledAet, address, count }) => [callingAet, calledAet, address, count]),
    [['NOBODY', 'ORTHANC', '127.0.0.1', 2]],
  );
});

test('admission: without the new keys everybody sends, as before, and shows', async (t) => {
  const rig = await startRig(t);
  const [path = ''] = await writeImages(join(rig.folder, 'images'), 1);
  assert.equal(await sending(rig, path, 'ANYBODY', 'WHATEVER'), '');
  const { from, admitted } = await senders(rig);
  assert.equal(from, null);
  assert.deepEqual(
    admitted.map(({ callingAet, scanner }) => [callingAet, scanner]),
    [['ANYBODY', null]],
  );
  await rig.receiver().said(/receiver\.open/);
});

test('admission: a called AE title and an address are checked where they are configured', async (t) => {
  const sections = {
    scanners: { prisma: { aet: 'PRISMA', modality: 'MR' }, skyra: { aet: 'SKYRA', modality: 'MR' } },
    receiver: { aets: ['SCANFLOW'], access: { SKYRA: { addresses: ['192.0.2.0/24'] } } },
  };
  const rig = await startRig(t, { sections });
  const [path = ''] = await writeImages(join(rig.folder, 'images'), 1);
  assert.match(await sending(rig, path, 'PRISMA'), /Called AE Title Not Recognized/i);
  assert.match(await sending(rig, path, 'SKYRA', 'SCANFLOW'), /Calling AE Title Not Recognized/i);
  assert.equal(await sending(rig, path, 'PRISMA', 'SCANFLOW'), '');
  const { refused } = await senders(rig);
  assert.match(refused[0]?.why ?? '', /receiver\.access\.SKYRA\.addresses does not have 127\.0\.0\.1/);
});

test('admission: a scanner that is added sends without a restart, and a file with mistakes changes nothing', async (t) => {
  const scanners = { prisma: { aet: 'PRISMA', modality: 'MR' } };
  const rig = await startRig(t, { sections: { arrivals: { from: 'scanners' }, scanners } });
  const [one = '', two = ''] = await writeImages(join(rig.folder, 'images'), 2);
  assert.match(await sending(rig, one, 'SKYRA'), /Calling AE Title Not Recognized/i);
  await rig.configure({
    arrivals: { from: 'scanners' },
    scanners: { ...scanners, skyra: { aet: 'SKYRA', modality: 'MR' } },
  });
  await until(async () => (await sending(rig, one, 'SKYRA')) === '', {
    what: 'the new scanner sends',
    timeoutMs: 60_000,
  });
  await rig.configure({ arrivals: { from: 'nobody' } });
  await until(() => rig.receiver().output().includes('configuration.unusable'), {
    what: 'the mistake is in the log',
    timeoutMs: 60_000,
  });
  assert.equal(await sending(rig, two, 'SKYRA'), '');
});

test('admission: TLS has a port of its own beside the plain one, and certificates tell scanners apart', async (t) => {
  const tlsPort = await freePort();
  const tlsFolder = await mkdtemp(join(tmpdir(), 'scanflow-receiver-tls-'));
  t.after(() => rm(tlsFolder, { recursive: true }));
  const authority = await makeAuthority(tlsFolder, 'hospital');
  const server = await authority.issue('receiver');
  const [prisma, skyra] = [await authority.issue('prisma'), await authority.issue('skyra')];
  const rig = await startRig(t, {
    sections: {
      receiver: {
        tls: { port: tlsPort, key: server.key, certificate: server.certificate, ca: authority.certificate },
        access: { PRISMA: { certificates: ['CN=prisma'] } },
      },
    },
  });
  const [path = ''] = await writeImages(join(rig.folder, 'images'), 1);
  const shown = (one: { key: string; certificate: string }): string[] => [
    '+tls',
    one.key,
    one.certificate,
    '+cf',
    authority.certificate,
  ];
  const secure = { port: tlsPort };
  assert.match(await sending(secure, path, 'PRISMA', 'ORTHANC', shown(skyra)), /Not Recognized/i);
  assert.match(await sending(rig, path, 'PRISMA'), /Not Recognized/i, 'no certificate on the plain port');
  assert.equal(await sending(secure, path, 'PRISMA', 'ORTHANC', shown(prisma)), '');
  assert.equal(await sending(rig, path, 'OTHER'), '', 'the plain port stays');
  assert.equal((await instances(rig)).length, 1);
});
