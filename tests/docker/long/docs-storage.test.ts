/** docs/storage.md, followed on a machine that docs/install.md has prepared: each block that has a mark runs. */
import assert from 'node:assert/strict';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { until } from '@scanflow/testkit';
import { followPage, Machine } from '../docs.ts';
import { whyNot } from '../engine.ts';
import { Archive, IMAGES, complete, scan, type StoredSeries } from '../stations.ts';

suite('docs: project storage', { skip: await whyNot() }, async () => {
  let machine: Machine;
  let archive: Archive | undefined;
  /** What its folder in a container is on this machine. */
  const here = ({ path }: StoredSeries): string => machine.path(join('/mnt', path));
  const anImage = async (series: StoredSeries): Promise<string> => {
    const name = (await readdir(here(series))).find((file) => file.endsWith('.dcm'));
    assert.ok(name !== undefined, here(series));
    return join(here(series), name);
  };

  before(async () => {
    machine = await Machine.create('storage');
    await machine.clone();
    await mkdir(machine.path('/mnt/project'));
    await machine.must(`cp -r config /etc/scanflow-config
      chown 10001:10001 /mnt/project
      printf 'SCANFLOW_CONFIG=/etc/scanflow-config\\nSCANFLOW_PROJECT=/mnt/project\\n' > .env
      docker compose up -d --wait`);
    await scan(machine, 1);
  });
  after(async () => {
    await archive?.stop();
    await machine.remove();
  });

  await followPage(() => machine, 'storage.md', {
    before: {
      sums: async () => {
        const first = await complete(machine, 1);
        machine.words.set('/mnt/project/3010000.01/raw/sub-001/ses-mri01/003-t1_mprage_sag', here(first));
      },
      empty: async () => {
        // a new disk: the folder is there, and empty
        await machine.must('docker compose stop streamer');
        for (const name of await readdir(machine.path('/mnt/project')))
          await rm(machine.path(join('/mnt/project', name)), { recursive: true });
        await machine.must('docker compose start streamer');
        await until(
          async () => (await machine.sh('docker compose exec streamer scanflow storage list')).code === 1,
          { what: 'the streamer answers, and refuses a root', timeoutMs: 60_000, everyMs: 500 },
        );
      },
      verify: async () => {
        await complete(machine, 1);
        await scan(machine, 2);
        const second = await complete(machine, 2);
        assert.match(second.path, /^\/fast\/memory\//);
        const copied = await readdir(machine.path('/mnt/backup/dicom'), { recursive: true });
        assert.equal(copied.filter((name) => name.endsWith('.dcm')).length, IMAGES);
      },
      repair: async () => {
        await rm(await anImage(await complete(machine, 2)));
      },
      acknowledge: async () => {
        const second = await complete(machine, 2);
        machine.words.set('0c4f6b1d', second.id.slice(0, 8));
        const image = await anImage(second);
        await rename(image, join(machine.path('/srv'), 'tape.dcm'));
        const { code, stdout } = await machine.sh('docker compose exec streamer scanflow verify');
        assert.equal(code, 1, stdout);
      },
      later: async () => {
        archive = await Archive.start(machine, { DicomPort: 11112 });
        await machine.must(`sed -i 's/^destinations: {}/destinations: { pacs: { host: pacs.example.org, port: 11112, aet: PACS } }/' /etc/scanflow-config/scanflow.yaml
          docker compose restart streamer
          docker compose up -d --wait`);
      },
    },
  });

  test('docs: a series that is stored after all these changes has the group and the permissions', async () => {
    await scan(machine, 3);
    const folder = here(await complete(machine, 3));
    const { uid, gid, mode } = await stat(folder);
    assert.deepEqual([uid, gid, mode & 0o7777], [10001, 5000, 0o2770]);
  });

  test('docs: the archive has the older series that was asked for, and the new one', async () => {
    await until(async () => (await archive?.images()) === 2 * IMAGES, {
      what: 'the archive has two series',
      timeoutMs: 60_000,
      everyMs: 500,
    });
  });
});
