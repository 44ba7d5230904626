/** Names of DICOM attributes in the configuration: `scanflow check` and the streamer at its start know the dictionary. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '@scanflow/testkit';

const at = (path: string): string => join(import.meta.dirname, '../../services', path);

const text = (layout: string): string =>
  [
    'facility: { name: Here, timezone: Europe/Amsterdam }',
    'data: /data',
    'scanners: { prisma: { aet: PRISMA, modality: MR } }',
    'orthanc: { url: http://127.0.0.1:1 }',
    'storage:',
    '  root: /project',
    `  layout: '${layout}'`,
    '',
  ].join('\n');

test('config: an attribute that does not exist is shown with file, line and column', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-attributes-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'scanflow.yaml');
  await writeFile(file, text('{project}/{ProtocolNmae}/{SOPInstanceUID}.dcm'));
  const mistake = `${file}:7:11: storage.layout: there is no DICOM attribute ProtocolNmae; did you mean ProtocolName?`;
  const check = await run(process.execPath, [at('cli/src/main.ts'), 'check', file]);
  assert.equal(check.code, 1);
  assert.ok(check.stdout.includes(mistake), check.stdout);
  const streamer = await run(process.execPath, [at('streamer/src/main.ts'), '--config', file]);
  assert.equal(streamer.code, 2);
  assert.ok(streamer.stderr.includes(mistake), streamer.stderr);
  // any attribute of PS3.6 that has a text or a number
  await writeFile(file, text('{project}/{ImplantPartNumber}-{Rows}/{EchoTime}_{SOPInstanceUID}.dcm'));
  const good = await run(process.execPath, [at('cli/src/main.ts'), 'check', file]);
  assert.equal(good.code, 0, good.stdout);
});
