/** docs/scale.md, followed on one machine: several streamers, plain `up` afterwards, an own configuration, and changing over from one streamer. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, suite, test } from 'node:test';
import { run, until } from '@scanflow/testkit';
import { followPage, Machine } from '../docs.ts';
import { imageOf, whyNot } from '../engine.ts';

suite('docs: several streamers', { skip: await whyNot() }, async () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.create('scale');
    machine.words.set('scanflow-streamer-', `${machine.name}-streamer-`);
    machine.words.set('scanflow_orthanc', `${machine.name}_orthanc`);
    await machine.clone();
    await machine.must('docker compose -f compose.yaml -f compose.scale.yaml build postgres');
  });
  after(() => machine.remove());

  const running = async (): Promise<number> =>
    (await machine.must('docker compose ps --quiet streamer')).split('\n').filter((id) => id !== '').length;
  const stored = (): Promise<string> =>
    machine.must("docker compose exec streamer sh -c 'cat $(find /project -name manifest-sha256.txt)'");

  await followPage(() => machine, 'scale.md', {
    before: {
      number: async () => {
        assert.equal(await running(), 3);
        const { code, stderr } = await machine.sh('docker compose -f compose.yaml up -d --wait');
        assert.equal(code, 1, stderr);
        assert.match(stderr, /orthanc-1 is unhealthy/);
        const words = 'docker compose logs orthanc';
        assert.match(
          await machine.must(words),
          /none is configured: is compose\.scale\.yaml in COMPOSE_FILE/,
        );
      },
      refused: async () => {
        assert.equal(await running(), 2);
        await machine.must(`docker compose up -d --wait
          cp -r config /etc/scanflow-config
          sed -i 's/Example Imaging Centre/Donders/' /etc/scanflow-config/scanflow.yaml
          echo SCANFLOW_CONFIG=/etc/scanflow-config >> .env`);
        assert.equal(await running(), 2, 'plain `up` keeps them');
        const { code } = await machine.sh('docker compose up -d --wait');
        assert.equal(code, 1, 'the sample does not run');
      },
      complete: async () => {
        assert.equal(await running(), 2);
        await machine.must('docker compose down --volumes && rm .env && docker compose up -d --wait');
        await machine.sendPhantom();
        await until(
          async () =>
            /complete .*20\/20/.test(await machine.must('docker compose exec streamer scanflow series list')),
          { what: 'the series is complete', timeoutMs: 60_000 },
        );
      },
    },
  });

  test('docs: after changing over the images are stored once, and more come', async () => {
    assert.equal(await running(), 3);
    const first = await stored();
    assert.equal(first.match(/\.dcm$/gm)?.length, 20);
    await machine.sendPhantom();
    await until(async () => (await stored()).match(/\.dcm$/gm)?.length === 40, {
      what: 'the second series is stored',
      timeoutMs: 60_000,
    });
    assert.ok((await stored()).includes(first));
    await machine.must('tar -tzf orthanc-before.tgz');
  });

  test('docs: the statements for a server of PostgreSQL make a database for each user', async () => {
    const statements = await readFile(machine.path('ledger.sql'), 'utf8');
    const script = `initdb --pgdata /tmp/data --username postgres --auth trust && pg_ctl --pgdata /tmp/data --options '-k /tmp' --wait start
      psql() { command psql -X --set ON_ERROR_STOP=1 --host /tmp "$@"; }
      psql --username postgres <<'SQL' && psql --username scanflow scanflow -c 'CREATE TABLE a (b text)' && psql --username board scanflow -c 'CREATE TABLE c (d text)'
${statements}
SQL
      psql --username board scanflow -c 'SELECT * FROM public.a' && exit 3
      psql --username board scanflow -tAc "SELECT schemaname FROM pg_tables WHERE tablename = 'c'"`;
    const args = ['run', '--rm', '--entrypoint', 'bash', imageOf('postgres'), '-euc', script];
    const { code, stdout, stderr } = await run('docker', args, { timeoutMs: 120_000 });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^board$/m);
    assert.match(stderr, /permission denied for table a/);
  });
});
