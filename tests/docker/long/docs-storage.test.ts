/** docs/storage.md, followed on a machine that docs/install.md has prepared: each block that has a mark runs. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { until } from '@scanflow/testkit';
import { followPage, Machine } from '../docs.ts';
import { whyNot } from '../engine.ts';
import { Archive, IMAGES, complete, scan, type StoredSeries } from '../stations.ts';

suite('docs: project storage', { skip: await whyNot() }, async () => {
  let machine: Machine;
  let archive: Archive | undefined;
  /** Its folder as the page's machine has it: /mnt has each root of the container. */
  const folderOf = ({ path }: StoredSeries): string => join('/mnt', path);
  /** Images belong to the streamer's user. */
  const root = (commands: string): Promise<string> => machine.must(commands, true);
  /** For a command: the first of its images. */
  const anImage = (series: StoredSeries): string =>
    `"$(find ${folderOf(series)} -name '*.dcm' | sort | head -n 1)"`;

  before(async () => {
    machine = await Machine.create('storage');
    await machine.clone();
    await mkdir(machine.path('/mnt/project'));
    await machine.must(`cp -r config /etc/scanflow-config
      printf 'SCANFLOW_CONFIG=/etc/scanflow-config\\nSCANFLOW_PROJECT=/mnt/project\\n' > .env`);
    await root('chown 10001:10001 /mnt/project');
    await machine.must('docker compose up -d --wait');
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
        machine.words.set(
          '/mnt/project/3010000.01/raw/sub-001/ses-mri01/003-t1_mprage_sag',
          machine.path(folderOf(first)),
        );
      },
      empty: async () => {
        // a new disk: the folder is there, and empty
        await machine.must('docker compose stop streamer');
        await root('find /mnt/project -mindepth 1 -delete');
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
        const copied = await root("find /mnt/backup/dicom -name '*.dcm' | wc -l");
        assert.equal(Number(copied), IMAGES);
      },
      repair: async () => {
        await root(`rm ${anImage(await complete(machine, 2))}`);
      },
      acknowledge: async () => {
        const second = await complete(machine, 2);
        machine.words.set('0c4f6b1d', second.id.slice(0, 8));
        await root(`mv ${anImage(second)} /mnt/tape.dcm`);
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
    const folder = folderOf(await complete(machine, 3));
    assert.equal((await root(`stat -c '%u:%g %a' ${folder}`)).trim(), '10001:5000 2770');
  });

  test('docs: the archive has the older series that was asked for, and the new one', async () => {
    await until(async () => (await archive?.images()) === 2 * IMAGES, {
      what: 'the archive has two series',
      timeoutMs: 60_000,
      everyMs: 500,
    });
  });
});
