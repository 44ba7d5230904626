/** docs/swarm.md, followed on one machine; then a full disk, which restarts nothing, and a streamer that is killed. It leaves no swarm behind. */
import assert from 'node:assert/strict';
import { chown, mkdir } from 'node:fs/promises';
import { after, before, suite, test } from 'node:test';
import { run, storescu, until } from '@scanflow/testkit';
import { phantom } from '../../integration/streamer-support.ts';
import { findscu, patientIds } from '../checks.ts';
import { followPage, Machine } from '../docs.ts';
import { docker, whyNot } from '../engine.ts';

/** Of the containers. */
const USER = 10001;
/** Half a megabyte each: the first series fits on the disk, the second does not. */
const [FITS, TOO_MANY, DISK] = [6, 30, 'size=10m'];
/** A service is replaced after three failed probes. */
const PROBES = 4;

interface Health {
  readonly FailingStreak: number;
  readonly Log: readonly { readonly Start: string; readonly ExitCode: number }[];
}

interface Shown {
  readonly series: readonly {
    readonly state: string;
    readonly images: { readonly inOrthanc: number; readonly stored: number };
  }[];
}

/** A swarm is of the whole engine, so somebody's own is left alone. */
async function why(): Promise<string | false> {
  const reason = await whyNot();
  if (reason !== false) return reason;
  if (process.getuid?.() !== 0) return 'NOT RUN: THIS TAKES ROOT';
  const state = (await docker('info', '--format', '{{.Swarm.LocalNodeState}}')).trim();
  return state === 'inactive' ? false : `NOT RUN: THIS ENGINE'S SWARM IS ${state.toUpperCase()}`;
}

suite('docs: swarm', { skip: await why() }, async () => {
  let machine: Machine;
  let project: string;

  before(async () => {
    machine = await Machine.create('swarm');
    project = machine.path('/mnt/project');
    machine.words.set('192.0.2.11', '127.0.0.1');
    machine.words.set('imaging', machine.name);
    machine.words.set('/srv/', `${machine.path('/srv')}/`);
    await machine.clone();
    await machine.must('docker compose -f compose.yaml -f compose.scale.yaml build postgres');
    await mkdir(project);
    await mount('-t', 'tmpfs', '-o', DISK, 'tmpfs', project);
  });
  after(async () => {
    await run('docker', ['stack', 'rm', machine.name], { timeoutMs: 120_000 });
    const left = (): Promise<string> =>
      docker('ps', '--all', '--quiet', '--filter', `label=com.docker.stack.namespace=${machine.name}`);
    await until(async () => (await left()) === '', {
      what: 'the stack ends',
      timeoutMs: 120_000,
      everyMs: 500,
    })
      .finally(() => docker('swarm', 'leave', '--force'))
      .finally(() => run('umount', ['-l', project], {}));
    await docker('volume', 'rm', '--force', `${machine.name}_orthanc`, `${machine.name}_postgres`);
    await machine.remove();
  });

  const mount = async (...args: string[]): Promise<void> => {
    const { code, stderr } = await run('mount', args, {});
    assert.equal(code, 0, stderr);
  };
  /** Containers of a service that run and are healthy. */
  const containers = async (service: string): Promise<string[]> =>
    (
      await docker(
        'ps',
        '--no-trunc',
        '--quiet',
        '--filter',
        `name=${machine.name}_${service}`,
        '--filter',
        'health=healthy',
      )
    )
      .split('\n')
      .filter((id) => id !== '')
      .toSorted();
  const inside = async (service: string, ...command: string[]): Promise<string> => {
    const [id] = await containers(service);
    assert.ok(id !== undefined, `no container of ${service} is healthy`);
    return docker('exec', id, ...command);
  };
  const healthz = (id: string, port = 9103): Promise<string> => {
    const probe = `node /app/packages/runtime/src/probe.ts http://127.0.0.1:${port}/healthz; true`;
    return docker('exec', id, 'sh', '-c', probe);
  };
  const areWell = async (): Promise<boolean> => {
    const streamers = (await containers('streamer')).map((id) => healthz(id));
    const receivers = (await containers('receiver')).map((id) => healthz(id, 9106));
    return (await Promise.all([...streamers, ...receivers])).every((text) => text.startsWith('200 '));
  };
  const complete = async (): Promise<number[]> => {
    const { series } = JSON.parse(
      await inside('streamer', 'scanflow', 'page', 'streamer', '/api/series'),
    ) as Shown;
    return series.filter(({ state }) => state === 'complete').map(({ images }) => images.stored);
  };
  const isComplete = (...images: number[]): Promise<unknown> =>
    until(async () => (await complete().catch(() => [])).toSorted((a, b) => a - b).join() === images.join(), {
      ...{ what: `${images.join(' and ')} images are stored`, timeoutMs: 180_000, everyMs: 500 },
    });
  const send = async (images: number, seriesNumber: number): Promise<void> => {
    const folder = machine.path(`/srv/mr${seriesNumber}`);
    await phantom(folder, { images, seriesNumber, rows: 512, columns: 512 });
    await storescu({ port: machine.ports.dicom, calledAet: 'ORTHANC', callingAet: 'PRISMA' }, [folder]);
  };

  await followPage(() => machine, 'swarm.md', {
    before: {
      deploy: () => chown(project, USER, USER),
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
    await until(
      async () => patientIds(await findscu(machine.ports.worklist, 'PRISMA').catch(() => '')).length > 0,
      { what: 'the worklist has bookings', timeoutMs: 90_000, everyMs: 1_000 },
    );
    await send(FITS, 1);
    await isComplete(FITS);
  });

  test('swarm: a full disk restarts no streamer, and storing goes on once there is space', async (t) => {
    const before = await containers('streamer');
    const [one = ''] = before;
    assert.equal(before.length, 2);
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
    await mount('-o', 'remount,size=64m', project);
    await isComplete(FITS, TOO_MANY);
    assert.deepEqual(await containers('streamer'), before, 'the same containers');
  });

  test('swarm: a streamer that is killed is replaced, and nothing is lost', async () => {
    const [killed] = await containers('streamer');
    assert.ok(killed !== undefined);
    await send(FITS, 3);
    await docker('kill', '--signal', 'KILL', killed);
    await isComplete(FITS, FITS, TOO_MANY);
    await until(async () => (await containers('streamer')).length === 2, {
      ...{ what: 'two streamers are healthy', timeoutMs: 120_000, everyMs: 1_000 },
    });
    assert.ok(!(await containers('streamer')).includes(killed));
  });
});
