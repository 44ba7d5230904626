/** docs/install.md and docs/operations.md, followed on one machine: each block that has a mark runs. */
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { run } from '@scanflow/testkit';
import { followPage, Machine } from './docs.ts';
import { ROOT, whyNot } from './engine.ts';

suite('docs: from an empty machine to daily work', { skip: await whyNot() }, async () => {
  let machine: Machine;
  let bookings: Server;
  before(async () => {
    machine = await Machine.create('install');
    // the booking system of the page runs beside the containers, on this machine
    const calendar = await readFile(join(ROOT, 'config/calendars/prisma.ics'));
    bookings = createServer((_, response) => response.end(calendar)).listen(0, '0.0.0.0');
    await new Promise((done) => bookings.once('listening', done));
    const { port } = bookings.address() as AddressInfo;
    machine.words.set('https://booking.example.org', `http://host.docker.internal:${port}`);
    machine.words.set('scanflow_project', `${machine.name}_project`);
    machine.words.set('/srv/', `${machine.path('/srv')}/`);
  });
  after(async () => {
    bookings.close();
    await machine.remove();
  });

  let since = '';
  const orthancStarted = (): Promise<string> =>
    machine.must("docker inspect --format '{{.State.StartedAt}}' $(docker compose ps --quiet orthanc)");
  await followPage(() => machine, 'install.md', {
    before: {
      changed: async () => {
        since = await orthancStarted();
      },
      phantom: async () => {
        assert.equal(await orthancStarted(), since, 'Orthanc goes on while a changed configuration is taken');
      },
      project: async () => {
        await mkdir(machine.path('/mnt/project'), { recursive: true });
      },
      migrate: async () => {
        // an old Orthanc's folder: an image under a name without ending, and a file that is none
        await machine.must(`mkdir -p /srv/orthanc/1a/2b && chmod 777 /srv/orthanc/1a/2b
          docker compose run --rm --no-deps --volume /srv/orthanc:/old worklist scanflow phantom /old/1a/2b --images 2 --patient-id 3010000.01_sub-009
          echo '{}' > /srv/orthanc/1a/2b/json`);
      },
    },
  });

  test('docs: the systemd unit is good', async (t) => {
    const unit = join(ROOT, 'deploy/systemd/scanflow.service');
    const result = await run('systemd-analyze', ['verify', unit]).catch(() => undefined);
    if (result === undefined) t.skip('systemd-analyze is not here');
    else assert.deepEqual([result.code, result.stderr], [0, '']);
  });

  await followPage(() => machine, 'operations.md', {
    before: {
      find: async () => {
        const ask = 'docker compose exec streamer scanflow series list --state complete';
        const [, id, accession, path] =
          /^([0-9a-f]{8}) +complete +(\w+) .*(\/project\/\S+)/m.exec(await machine.must(ask)) ?? [];
        assert.ok(id !== undefined && accession !== undefined && path !== undefined);
        machine.words.set('0c4f6b1d', id);
        machine.words.set('4K2M7Q9X1B3C5D7E', accession);
        machine.words.set('/project/3010000.01/raw/sub-001/ses-mri01', path);
      },
    },
  });

  test('docs: doctor.sh warns of containers that were made without compose.override.yaml', async () => {
    await machine.must('echo "services: {}" > compose.override.yaml');
    const { stdout } = await machine.sh('sh doctor.sh');
    assert.match(stdout, /^warning: containers were made without compose\.override\.yaml/m);
    assert.match(stdout, /^Works, with warnings:.* compose\.override\.yaml$/m);
  });
});
