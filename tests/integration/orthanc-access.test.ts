/** The request filter of our Orthanc image (docker/orthanc/access.lua), in this machine's Orthanc. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { makeSeries } from '@scanflow/dicom';
import { startOrthanc, type RunningOrthanc } from '@scanflow/testkit';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';

const FILTER = join(import.meta.dirname, '../../docker/orthanc/access.lua');
const OWN = { people: 'a-word-for-people', receiver: 'a-word-for-receiving', guest: 'another-word' };
const FORBIDDEN = 403;

suite('Orthanc: who may do what', () => {
  let folder: string;
  let orthanc: RunningOrthanc;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'scanflow-access-'));
    orthanc = await startOrthanc({
      folder,
      users: OWN,
      extra: { LuaScripts: [FILTER], ExecuteLuaEnabled: false },
    });
  });
  after(async () => {
    await orthanc.kill();
    await rm(folder, { recursive: true, force: true });
  });

  interface Ask {
    readonly user?: keyof typeof OWN | 'scanflow' | 'nobody';
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string | Uint8Array;
  }
  /** The status of the answer. Not by fetch, which sets Host and Sec-Fetch-Mode itself. */
  const ask = (
    method: string,
    path: string,
    { user = 'scanflow', headers = {}, body }: Ask = {},
  ): Promise<number> =>
    new Promise((done, fail) => {
      const password = user === 'scanflow' ? orthanc.password : user === 'nobody' ? 'x' : OWN[user];
      const auth = `${user}:${password}`;
      const asked = request(
        { host: '127.0.0.1', port: orthanc.httpPort, method, path, headers, auth },
        (answer) => {
          answer.resume();
          answer.on('end', () => {
            done(answer.statusCode ?? 0);
          });
        },
      );
      asked.on('error', fail).end(body);
    });
  const upload = (): Promise<{ status: number; body: unknown }> => {
    const when = Temporal.ZonedDateTime.from('2026-11-22T10:00[Europe/Amsterdam]');
    const [image] = makeSeries({ modality: 'MR', images: 1, patientId: 'x', when });
    assert.ok(image !== undefined);
    return orthanc.upload(image.bytes);
  };
  const studies = async (): Promise<number> => ((await orthanc.get('/studies')) as unknown[]).length;

  test('orthanc: a page of another origin deletes nothing, with whatever Host', async () => {
    await upload();
    const [study] = (await orthanc.get('/studies')) as string[];
    const body = JSON.stringify({ Resources: [study] });
    const foreign = [
      { origin: 'https://evil.example' },
      { origin: 'https://evil.example', host: 'rebind.evil.example' },
      { origin: 'null' },
      { origin: `http://127.0.0.1:${orthanc.httpPort}.evil.example` },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
    ];
    for (const headers of foreign) {
      const status = await ask('POST', '/tools/bulk-delete', {
        headers: { 'content-type': 'text/plain', ...headers },
        body,
      });
      assert.equal(status, FORBIDDEN, JSON.stringify(headers));
      assert.equal(await ask('DELETE', `/studies/${study}`, { headers }), FORBIDDEN);
    }
    assert.equal(await ask('GET', '/studies', { headers: { origin: 'https://evil.example' } }), FORBIDDEN);
    assert.ok((await studies()) > 0);
  });

  test('orthanc: its own pages work, and a link from elsewhere opens them', async () => {
    const origin = `http://127.0.0.1:${orthanc.httpPort}`;
    const find = JSON.stringify({ Level: 'Study', Query: {} });
    for (const user of ['people', 'scanflow'] as const) {
      assert.equal(await ask('POST', '/tools/find', { user, headers: { origin }, body: find }), 200, user);
      const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
      assert.equal(await ask('GET', '/app/explorer.html', { user, headers }), 200, user);
    }
  });

  test('orthanc: people look and change nothing; so does a user whom the filter does not know', async () => {
    await upload();
    const [study] = (await orthanc.get('/studies')) as string[];
    const writes = [
      ['DELETE', `/studies/${study}`],
      ['POST', '/instances'],
      ['POST', `/studies/${study}/anonymize`],
      ['POST', `/studies/${study}/modify`],
      ['PUT', `/studies/${study}/metadata/1024`],
      ['POST', '/tools/bulk-delete'],
      ['POST', '/tools/execute-script'],
      ['POST', '/tools/reset'],
      ['POST', '/tools/shutdown'],
      ['PUT', '/tools/log-level'],
      ['PUT', '/modalities/x'],
      ['POST', '/tools/find/x'],
    ] as const;
    for (const user of ['people', 'guest'] as const) {
      for (const path of ['/system', '/studies', `/studies/${study}`, '/changes'])
        assert.equal(await ask('GET', path, { user }), 200, `${user} ${path}`);
      for (const [method, path] of writes)
        assert.equal(await ask(method, path, { user, body: '{}' }), FORBIDDEN, `${user} ${method} ${path}`);
    }
    assert.ok((await studies()) > 0);
  });

  test('orthanc: the receiver brings images and what belongs to them, and neither lists nor deletes', async () => {
    const user = 'receiver';
    await upload();
    const [instance] = (await orthanc.get('/instances')) as string[];
    const [series] = (await orthanc.get('/series')) as string[];
    const when = Temporal.ZonedDateTime.from('2026-11-22T10:00[Europe/Amsterdam]');
    const [image] = makeSeries({ modality: 'MR', images: 1, patientId: 'y', when });
    assert.equal(await ask('POST', '/instances', { user, body: image?.bytes ?? '' }), 200);
    assert.equal(await ask('GET', '/system', { user }), 200);
    assert.equal(await ask('PUT', `/series/${series}/metadata/1030`, { user, body: 'PRISMA' }), 200);
    assert.equal(await ask('PUT', `/instances/${instance}/attachments/1030`, { user, body: 'bytes' }), 200);
    for (const path of ['attachments', 'attachments/dicom/md5', 'attachments/dicom/data'])
      assert.equal(await ask('GET', `/instances/${instance}/${path}`, { user }), 200, path);
    for (const path of [
      '/studies',
      `/series/${series}`,
      `/instances/${instance}/file`,
      '/changes',
      '/patients',
    ])
      assert.equal(await ask('GET', path, { user }), FORBIDDEN, path);
    assert.equal(await ask('DELETE', `/instances/${instance}`, { user }), FORBIDDEN);
    assert.equal(await ask('POST', '/tools/bulk-delete', { user, body: '{}' }), FORBIDDEN);
  });

  test("orthanc: the streamer's user does what it did; nobody runs scripts; nobody comes in without a password", async () => {
    await upload();
    const [study] = (await orthanc.get('/studies')) as string[];
    assert.equal(await ask('POST', '/tools/execute-script', { body: 'print(1)' }), FORBIDDEN);
    assert.equal(await ask('DELETE', `/studies/${study}`), 200);
    assert.equal(await ask('GET', '/system', { user: 'nobody' }), 401);
  });
});
