/** docs/hooks.md, followed on a machine: a script, a mounted folder, an image of your own and a signed request. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, suite, test } from 'node:test';
import { until } from '@scanflow/testkit';
import { followPage, Machine } from '../docs.ts';
import { docker, whyNot } from '../engine.ts';

interface Request {
  readonly signature: string;
  readonly body: string;
}

suite('docs: hooks in containers', { skip: await whyNot() }, async () => {
  let machine: Machine;
  let lab: Server;
  const requests: Request[] = [];
  before(async () => {
    lab = createServer((request, response) => {
      void text(request).then((body) => {
        requests.push({ signature: String(request.headers['x-scanflow-signature']), body });
        response.end();
      });
    }).listen(0, '0.0.0.0');
    await new Promise((done) => lab.once('listening', done));
    machine = await Machine.create('hooks');
    const { port } = lab.address() as AddressInfo;
    machine.words.set('https://lab.example.org', `http://host.docker.internal:${port}`);
    machine.words.set('our-streamer', `${machine.name}-streamer`);
    for (const folder of ['/etc/scanflow-streamer', '/srv/hooks'])
      machine.words.set(folder, machine.path(folder));
    await mkdir(machine.path('/srv/hooks'));
    await writeFile(machine.path('/srv/hooks/program'), '');
    await machine.clone();
    await machine.must(`cp -r config /etc/scanflow-config
      echo SCANFLOW_CONFIG=/etc/scanflow-config > .env
      docker compose up -d --wait`);
  });
  after(async () => {
    lab.close();
    await machine.remove();
    await docker('image', 'rm', '--force', `${machine.name}-streamer`);
  });

  await followPage(() => machine, 'hooks.md', {
    before: { look: () => machine.sendPhantom() },
  });

  const output = (hook: string): Promise<string> =>
    until(
      async () => {
        const { hooks } = JSON.parse(
          await machine.must('docker compose exec streamer scanflow page streamer /api/hooks'),
        ) as { hooks: { target: string; state: string; output?: string }[] };
        const run = hooks.find(({ target }) => target === `hook:${hook}`);
        return run?.state === 'done' ? (run.output ?? '') : undefined;
      },
      { what: `the hook ${hook} is done`, timeoutMs: 60_000 },
    );

  test('the script runs from the folder of the configuration', async () => {
    assert.match(await output('count'), /^\d{7}\.\d{2} sub-?\w+: 20 images\n$/);
  });

  test('dcm2niix of the own image converts the series', async () => {
    await output('nifti');
    await machine.must("docker compose exec streamer sh -c 'ls /project/*/*/*/*/*.nifti/*.nii.gz'");
  });

  test('the address gets a request that the key of the volume signed', async () => {
    await output('lab');
    const key = await machine.must('docker compose exec streamer cat /run/secrets/scanflow/lab');
    const [{ signature, body } = { signature: '', body: '' }] = requests;
    const time = /^t=(\d+),/.exec(signature)?.[1];
    const hmac = createHmac('sha256', key.trim()).update(`${time}.${body}`).digest('hex');
    assert.equal(signature, `t=${time},v1=${hmac}`);
    assert.equal((JSON.parse(body) as { event: string }).event, 'stored');
  });

  test('the mounted folder is there, and cannot be written', async () => {
    await machine.must('docker compose exec streamer test -f /opt/hooks/program');
    const { code } = await machine.sh('docker compose exec streamer touch /opt/hooks/program');
    assert.equal(code, 1);
  });
});
