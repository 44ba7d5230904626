/** docs/tls.md and docs/commitment.md, followed on one machine: scanners, worklist, receiver and an archive with TLS; the archive commits. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { after, before, suite, test } from 'node:test';
import { freePort } from '@scanflow/testkit';
import { followPage, Machine } from '../docs.ts';
import { whyNot } from '../engine.ts';
import { Archive, IMAGES, complete, makePhantom, troubled, type StoredSeries } from '../stations.ts';

const TLS = {
  DicomPort: 2762,
  DicomTlsEnabled: true,
  DicomTlsPrivateKey: '/etc/archive/pacs.key',
  DicomTlsCertificate: '/etc/archive/pacs.pem',
  DicomTlsTrustedCertificates: '/etc/archive/ca.pem',
  DicomTlsRemoteCertificateRequired: true,
};
/** With the certificate of the page's scanner. */
const SECURED = '+tls /etc/scanflow-ca/prisma.key /etc/scanflow-ca/prisma.pem +cf /etc/scanflow-ca/ca.pem';

suite('docs: TLS and storage commitment', { skip: await whyNot() }, async () => {
  let machine: Machine;
  let archive: Archive | undefined;
  const ports = { receiver: await freePort(), commitments: await freePort() };
  const start = async (settings: Readonly<Record<string, unknown>>): Promise<void> => {
    archive = await Archive.start(machine, settings);
  };
  /** Where the archive reports commitment: the port that Compose publishes on this machine. */
  const reporting = (secured: boolean): object => ({
    DicomModalities: {
      scanflow: {
        ...{ AET: 'SCANFLOW', Host: 'host.docker.internal', Port: ports.commitments },
        UseDicomTls: secured,
      },
    },
  });
  const send = (seriesNumber: number): Promise<string> =>
    machine.must(
      `storescu ${SECURED} -aet PRISMA -aec ORTHANC +sd receiver.example.org 2763 /srv/phantom-${seriesNumber}`,
      true,
    );
  /** The next `series show ID` of the page is about this series. */
  const isAbout = ({ id }: StoredSeries): void => {
    machine.words.set('0c4f6b1d', id.slice(0, 8));
  };
  /** A series whose commitment the archive refuses, because it knows no address of Scanflow. */
  const uncommitted = async (seriesNumber: number): Promise<void> => {
    await start({ ...TLS, DicomPort: 104 });
    await send(seriesNumber);
    isAbout(await troubled(machine, seriesNumber, 'commitment:pacs'));
  };

  before(async () => {
    machine = await Machine.create('tls');
    const { worklist } = machine.ports;
    for (const folder of ['/etc/scanflow-ca', '/srv/']) machine.words.set(folder, machine.path(folder));
    // calls come from the engine's own networks
    machine.words.set('10.1.2.3', '172.16.0.0/12, 192.168.0.0/16');
    machine.words.set("'2763:2762'", `'127.0.0.1:${ports.receiver}:2762'`);
    machine.words.set('receiver.example.org 2763', `127.0.0.1 ${ports.receiver}`);
    for (const between of [':', ' '])
      machine.words.set(`worklist.example.org${between}2762`, `127.0.0.1${between}${worklist}`);
    await machine.clone();
    await machine.must(`cp -r config /etc/scanflow-config
      printf 'SCANFLOW_CONFIG=/etc/scanflow-config\\nSCANFLOW_COMMITMENTS_PORT=${ports.commitments}\\n' > .env
      docker compose up -d --wait`);
    // the worklist answers nobody without TLS later on
    for (const number of [1, 2, 3, 4, 5]) await makePhantom(machine, number, `/srv/phantom-${number}`);
  });
  after(async () => {
    await archive?.stop();
    await machine.remove();
  });

  await followPage(() => machine, 'tls.md', {
    before: {
      up: async () => {
        await mkdir(machine.path('/srv/archive'), { recursive: true });
        await machine.must(
          `(
          cd /etc/scanflow-ca
          openssl req -newkey rsa:3072 -nodes -subj /O=Example/CN=pacs -keyout pacs.key -out pacs.csr
          echo subjectAltName=DNS:pacs.example.org > pacs.ext
          openssl x509 -req -in pacs.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 825 -extfile pacs.ext -out pacs.pem
          install -m 644 pacs.key pacs.pem ca.pem /srv/archive/
        )`,
          true,
        );
        await start(TLS);
      },
    },
  });

  test('docs: images come and go with TLS; the plain port takes none of that scanner', async () => {
    await machine.enter('/opt/scanflow');
    const plain = await machine.sh('echoscu -aet PRISMA -aec ORTHANC 127.0.0.1 4242');
    assert.notEqual(plain.code, 0, plain.stdout);
    await send(1);
    await complete(machine, 1);
    assert.equal(await archive?.images(), IMAGES);
  });

  await followPage(() => machine, 'commitment.md', {
    before: {
      up: () => start({ ...TLS, DicomPort: 104, ...reporting(false) }),
      show: async () => {
        await send(2);
        isAbout(await complete(machine, 2));
      },
      retry: async () => {
        await uncommitted(3);
        await start({ ...TLS, DicomPort: 104, ...reporting(false) });
      },
      skip: async () => {
        await complete(machine, 3);
        await uncommitted(4);
      },
      secured: () => start({ ...TLS, ...reporting(true) }),
    },
  });

  test('docs: what was given up is complete; the archive reports with TLS', async () => {
    await complete(machine, 4);
    await send(5);
    await complete(machine, 5);
  });
});
