/**
 * docs/swarm.md, followed on one machine; then a full disk, which restarts nothing; one container of each service killed under
 * load; and a second node, which dies. It leaves no swarm behind.
 */
import assert from 'node:assert/strict';
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { after, before, suite, test } from 'node:test';
import { parseConfig } from '@scanflow/config';
import { echo } from '@scanflow/dimse';
import { run, storescu, until } from '@scanflow/testkit';
import { phantom } from '../../integration/streamer-support.ts';
import { followPage, Machine } from '../docs.ts';
import { docker, type Container } from '../engine.ts';
import { testKills } from './swarm-kills.ts';
import { FIRST, layCable, OTHER_SCANNER, SCANNER, takeCableAway } from './swarm-node.ts';
import { testNodes } from './swarm-nodes.ts';
import { getsList, worklistAt } from './swarm-scanners.ts';
import { Stack, why } from './swarm-support.ts';

/** Of the containers. */
const USER = 10001;
/** Half a megabyte each: the first series fits on the disk, the second does not. */
const [FITS, TOO_MANY, DISK] = [6, 30, 'size=10m'];
/** A service is replaced after three failed probes. */
const PROBES = 4;
const STREAMERS = 3;

interface Health {
  readonly FailingStreak: number;
  readonly Log: readonly { readonly Start: string; readonly ExitCode: number }[];
}

suite('docs: swarm', { skip: await why() }, async () => {
  let machine: Machine;
  let stack: Stack;

  before(async () => {
    machine = await Machine.create('swarm');
    stack = new Stack(machine);
    await layCable();
    machine.words.set('192.0.2.11', FIRST);
    machine.words.set('imaging', machine.name);
    machine.words.set('/srv/', `${machine.path('/srv')}/`);
    await machine.clone();
    await machine.must(
      'docker compose -f compose.yaml -f compose.scale.yaml --profile swarm build postgres haproxy',
    );
    await mkdir(stack.project);
    await mount('-t', 'tmpfs', '-o', DISK, 'tmpfs', stack.project);
  });
  after(async () => {
    await stack
      .remove()
      .finally(() => run('umount', ['-l', stack.project], {}))
      .finally(takeCableAway);
    await machine.remove();
  });

  const mount = async (...args: string[]): Promise<void> => {
    const { code, stderr } = await run('mount', args, {});
    assert.equal(code, 0, stderr);
  };
  const containers = (service: string): Promise<string[]> => stack.containers(service);
  const healthz = (id: string, port = 9103): Promise<string> => {
    const probe = `node /app/packages/runtime/src/probe.ts http://127.0.0.1:${port}/healthz; true`;
    return docker('exec', id, 'sh', '-c', probe);
  };
  const areWell = async (): Promise<boolean> => {
    const streamers = (await containers('streamer')).map((id) => healthz(id));
    const receivers = (await containers('receiver')).map((id) => healthz(id, 9106));
    return (await Promise.all([...streamers, ...receivers])).every((text) => text.startsWith('200 '));
  };
  const isComplete = (...images: number[]): Promise<unknown> =>
    until(
      async () => (await stack.complete().catch(() => [])).toSorted((a, b) => a - b).join() === images.join(),
      { what: `${images.join(' and ')} images are stored`, timeoutMs: 180_000, everyMs: 500 },
    );
  const send = async (images: number, seriesNumber: number): Promise<void> => {
    const folder = machine.path(`/srv/mr${seriesNumber}`);
    await phantom(folder, { images, seriesNumber, rows: 512, columns: 512 });
    await storescu({ port: machine.ports.dicom, calledAet: 'ORTHANC', callingAet: 'PRISMA' }, [folder]);
  };
  /** A second scanner, which may query and send from its own address alone. */
  const admitSkyra = async (): Promise<void> => {
    const file = machine.path('/srv/scanflow/config/scanflow.yaml');
    const rule = `  access: { SKYRA: { addresses: [${OTHER_SCANNER}] } }`;
    const text = (await readFile(file, 'utf8'))
      .replace('  # skyra: ', '  skyra: ')
      .replace(/^ {2}allow: .*$/m, `$&\n${rule}`)
      .replace(/^receiver:$/m, `$&\n${rule}`);
    const result = parseConfig(text, file);
    assert.ok(result.ok && result.config.scanners['skyra'] !== undefined);
    await writeFile(file, text);
  };

  await followPage(() => machine, 'swarm.md', {
    before: {
      deploy: async () => {
        await chown(stack.project, USER, USER);
        await admitSkyra();
      },
      doctor: async () => {
        await until(areWell, {
          ...{
            what: 'PostgreSQL and Orthanc are there for those who ask them',
            timeoutMs: 60_000,
            everyMs: 500,
          },
        });
      },
    },
  });

  test('swarm: a scanner gets its bookings, and its images are stored', async () => {
    const prisma = worklistAt(FIRST, machine.ports.worklist, SCANNER);
    await until(() => getsList(prisma), {
      ...{ what: 'the worklist has bookings', timeoutMs: 90_000, everyMs: 1_000 },
    });
    await send(FITS, 1);
    await isComplete(FITS);
  });

  test('swarm: rules by address hold behind HAProxy, which hands on the address of the scanner', async () => {
    const { worklist, dicom } = machine.ports;
    const skyra = async (from: string): Promise<boolean[]> => [
      await getsList(worklistAt(FIRST, worklist, from, 'SKYRA')),
      (await echo({ ...worklistAt(FIRST, dicom, from, 'SKYRA'), calledAet: 'ORTHANC' })).ok,
    ];
    for (const turn of [1, 2, 3]) {
      assert.deepEqual(await skyra(OTHER_SCANNER), [true, true], `its own address, turn ${turn}`);
      assert.deepEqual(await skyra(SCANNER), [false, false], `another address, turn ${turn}`);
    }
    for (const [service, path, key] of [
      ['worklist', '/api/rejected', 'rejected'],
      ['receiver', '/api/senders', 'refused'],
    ] as const) {
      const both = await containers(service);
      assert.equal(both.length, 2);
      const pages = both.map((id) => docker('exec', id, 'scanflow', 'page', service, path));
      const refused = (await Promise.all(pages)).map(
        (page) => (JSON.parse(page) as Record<string, readonly { readonly address: string }[]>)[key] ?? [],
      );
      assert.deepEqual([...new Set(refused.flat().map(({ address }) => address))], [SCANNER], service);
    }
  });

  test('swarm: HAProxy runs without root, capabilities and a disk to write to; nobody else publishes a port of scanners', async () => {
    const [id = ''] = await containers('proxy');
    const [proxy] = JSON.parse(await docker('inspect', id)) as Container[];
    assert.ok(proxy !== undefined);
    const { Config, HostConfig, NetworkSettings, Mounts } = proxy;
    assert.equal(Config.User, '10006:10006');
    assert.deepEqual(
      [HostConfig.ReadonlyRootfs, HostConfig.Init, HostConfig.Privileged],
      [true, true, false],
    );
    assert.deepEqual([HostConfig.CapDrop, HostConfig.CapAdd], [['ALL'], null]);
    assert.deepEqual(
      Mounts.filter(({ RW, Destination }) => RW && Destination !== '/tmp'),
      [],
    );
    assert.deepEqual(Object.keys(NetworkSettings.Networks).toSorted(), [
      `${machine.name}_front`,
      `${machine.name}_scanners`,
    ]);
    for (const service of ['worklist', 'receiver'])
      for (const one of await containers(service)) assert.equal(await docker('port', one), '', service);
  });

  test('swarm: a full disk restarts no streamer, and storing goes on once there is space', async (t) => {
    const before = await containers('streamer');
    const [one = ''] = before;
    assert.equal(before.length, STREAMERS);
    await send(TOO_MANY, 2);
    await until(async () => /^503 .*STORE_DISK_FULL/.test(await healthz(one)), {
      ...{ what: '/healthz says so', timeoutMs: 90_000, everyMs: 500 },
    });
    const full = Temporal.Now.instant();
    const probes = async (id: string): Promise<number> => {
      const { FailingStreak, Log } = JSON.parse(
        await docker('inspect', '--format', '{{json .State.Health}}', id),
      ) as Health;
      assert.equal(FailingStreak, 0);
      return Log.filter(({ Start }) => Temporal.Instant.compare(Temporal.Instant.from(Start), full) > 0)
        .length;
    };
    await until(async () => (await Promise.all(before.map(probes))).every((count) => count >= PROBES), {
      ...{ what: `${PROBES} probes of each`, timeoutMs: 120_000, everyMs: 1_000 },
    });
    assert.match(await healthz(one), /^503 .*STORE_DISK_FULL/);
    assert.deepEqual(await containers('streamer'), before, 'the same containers');
    t.diagnostic(`the disk was full for ${full.until(Temporal.Now.instant()).total('seconds').toFixed(0)} s`);
    await mount('-o', 'remount,size=128m', stack.project);
    await isComplete(FITS, TOO_MANY);
    assert.deepEqual(await containers('streamer'), before, 'the same containers');
  });

  testKills(() => stack);
  testNodes(() => stack);
});
