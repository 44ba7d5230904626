/** How the image of Orthanc starts, by its own script with programs that only say what they got: temporary folders, and addresses of the index. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { run } from '@scanflow/testkit';

const SCRIPT = join(import.meta.dirname, '../../docker/orthanc/entrypoint.sh');

/** The script on a volume of its own. Gives what Orthanc finds in its environment. */
async function volume(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-entrypoint-'));
  t.after(() => rm(folder, { recursive: true }));
  const [store, secrets, bin] = ['store', 'secrets', 'bin'].map((name) => join(folder, name));
  assert.ok(store !== undefined && secrets !== undefined && bin !== undefined);
  for (const one of [store, secrets, bin]) await mkdir(one);
  for (const name of ['orthanc-users.json', 'orthanc-index-password'])
    await writeFile(join(secrets, name), 'x');
  await writeFile(join(bin, 'psql'), '#!/bin/sh\necho 73-16385\n', { mode: 0o755 });
  await writeFile(join(bin, 'Orthanc'), '#!/bin/sh\nenv | grep ^ORTHANC_\n', { mode: 0o755 });
  const places = { '/var/lib/orthanc': store, '/run/secrets/scanflow': secrets, '/usr/bin/psql': 'psql' };
  const script = Object.entries({ ...places, '/tmp/pgpass': join(folder, 'pgpass') }).reduce(
    (text, [from, to]) => text.replaceAll(from, to),
    await readFile(SCRIPT, 'utf8'),
  );
  const file = join(folder, 'entrypoint.sh');
  await writeFile(file, script);
  const start = async (env: Readonly<Record<string, string>>): Promise<Map<string, string>> => {
    const path = `${bin}:/usr/bin:/bin`;
    const { code, stdout, stderr } = await run('sh', [file], { env: { PATH: path, ...env } });
    assert.equal(code, 0, stderr);
    return new Map(stdout.split('\n').map((line) => [line.replace(/=.*$/, ''), line.replace(/^[^=]*=/, '')]));
  };
  return { store, start };
}

const INDEX = 'postgresql://orthanc@db/orthanc';
const SETTINGS = [
  ...['connect_timeout=5', 'keepalives_idle=10', 'keepalives_interval=5', 'keepalives_count=3'],
  'tcp_user_timeout=20000',
];

test('orthanc’s entrypoint: an Orthanc that starts leaves alone what another one receives', async (t) => {
  const { store, start } = await volume(t);
  const tmp = join(store, 'tmp');
  await mkdir(join(tmp, '2'), { recursive: true });
  for (const name of ['old', '2/arriving']) await writeFile(join(tmp, name), 'x');
  const alone = await start({ ORTHANC_INDEX: INDEX });
  assert.deepEqual(
    ['DATABASE_ID', 'TMP', 'LOCK'].map((name) => alone.get(`ORTHANC_${name}`)),
    ['73-16385', tmp, 'true'],
  );
  assert.deepEqual([await readdir(tmp), await readdir(join(tmp, '2'))], [['2'], ['arriving']]);
  const second = await start({ ORTHANC_INDEX: INDEX, ORTHANC_INSTANCE: '2' });
  assert.deepEqual(
    ['DATABASE_ID', 'TMP', 'LOCK'].map((name) => second.get(`ORTHANC_${name}`)),
    ['73-16385@2', join(tmp, '2'), 'false'],
  );
  assert.deepEqual(await readdir(join(tmp, '2')), []);
});

test('orthanc’s entrypoint: each form of the index’s address gets time limits, and keeps its own', async (t) => {
  const { start } = await volume(t);
  const addressOf = async (index: string) => (await start({ ORTHANC_INDEX: index })).get('ORTHANC_INDEX');
  assert.equal(await addressOf(INDEX), `${INDEX}?${SETTINGS.join('&')}`);
  const own = `${INDEX}?connect_timeout=9`;
  assert.equal(await addressOf(own), `${own}&${SETTINGS.slice(1).join('&')}`);
  const words = 'host=db user=orthanc dbname=orthanc';
  assert.equal(await addressOf(words), `${words} ${SETTINGS.join(' ')}`);
});
