import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadConfig } from './load.ts';

const folder = await mkdtemp(join(tmpdir(), 'scanflow-config-'));
after(() => rm(folder, { recursive: true, force: true }));

async function problem(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  const result = await loadConfig(path);
  return result.ok ? '' : (result.issues[0]?.message ?? '');
}

test('loadConfig: a missing file is an issue', async () => {
  const result = await loadConfig(join(folder, 'none.yaml'));
  assert.match(result.ok ? '' : (result.issues[0]?.message ?? ''), /cannot be read: ENOENT/);
});

test('loadConfig: a folder is an issue', async () => {
  const result = await loadConfig(folder);
  assert.match(result.ok ? '' : (result.issues[0]?.message ?? ''), /cannot be read/);
});

test('loadConfig: more than 1 MiB is refused', async () =>
  assert.match(await problem('big.yaml', '#'.repeat(1_048_577)), /larger than 1 MiB/));

test('loadConfig: what is not UTF-8 is refused', async () =>
  assert.match(
    await problem('latin1.yaml', Buffer.from('facility: { name: Zürich }', 'latin1')),
    /not UTF-8/,
  ));

test('loadConfig: file names are relative to the folder of the configuration', async () => {
  const path = join(folder, 'scanflow.yaml');
  await writeFile(
    path,
    [
      'facility: { name: Here, timezone: UTC }',
      'data: /data',
      'scanners: { a: { aet: A, modality: MR } }',
      'calendars: { a: { scanner: a, file: calendars/a.ics } }',
      'orthanc: { url: http://o:8042, username: u, passwordFile: secrets/o }',
      'storage: { root: /project }',
    ].join('\n'),
  );
  const result = await loadConfig(path);
  assert.ok(result.ok);
  assert.equal(result.config.calendars['a']?.file, join(folder, 'calendars/a.ics'));
  assert.equal(result.config.orthanc.passwordFile, join(folder, 'secrets/o'));
});
