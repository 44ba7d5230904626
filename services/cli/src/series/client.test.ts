import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { streamerApi } from './client.ts';

test('streamer API: the token goes to this machine and to the configured address, elsewhere only where asked', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-api-'));
  t.after(() => rm(folder, { recursive: true }));
  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, `${'t'.repeat(43)}\n`, { mode: 0o600 });
  const config = join(folder, 'scanflow.yaml');
  await writeFile(
    config,
    `facility: { name: Test, timezone: UTC }
data: ${folder}/data
scanners: {}
orthanc: { url: 'http://127.0.0.1' }
storage: { root: ${folder}/project }
http: { bind: 192.0.2.7, tokenFile: ${tokenFile} }
`,
  );
  const sent = async (url?: string, file?: string): Promise<boolean> => {
    const api = await streamerApi({ url, config, 'token-file': file });
    assert.equal(api.trouble === undefined, api.headers['authorization'] !== undefined, api.trouble ?? '');
    return api.headers['authorization'] !== undefined;
  };
  assert.equal(await sent(), true);
  for (const url of [
    'http://192.0.2.7:9103/',
    'http://127.0.0.1:1',
    'http://localhost',
    'https://[::1]:9103',
  ])
    assert.equal(await sent(url), true, url);
  for (const url of [
    'http://192.0.2.7:9104',
    'http://192.0.2.8:9103',
    'http://127.0.0.1.example.org',
    'http://localhost.example.org:9103',
    'http://127.0.0.1@192.0.2.8',
  ]) {
    assert.equal(await sent(url), false, url);
    assert.equal(await sent(url, tokenFile), true, url);
  }
});
