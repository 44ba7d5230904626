/** What hostile images and file names say on the terminal of who runs `scanflow`. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeSeries } from '@scanflow/dicom';
import { run, startStorescp } from '@scanflow/testkit';

const SCANFLOW = join(import.meta.dirname, '../../services/cli/bin/scanflow');
/** Its tag, then VR and length, as explicit VR little endian writes them. */
const SERIES_INSTANCE_UID = Buffer.from([0x20, 0, 0x0e, 0, 0x55, 0x49]);
const STEERING = /(?!\n)[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;

test('terminal: a hostile Series Instance UID and a hostile file name steer nothing', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-hostile-'));
  t.after(() => rm(folder, { recursive: true }));
  const when = Temporal.ZonedDateTime.from('2026-11-22T10:00[Europe/Amsterdam]');
  const [image] = makeSeries({ modality: 'MR', images: 1, patientId: 'x', when });
  assert.ok(image !== undefined);
  const bytes = Buffer.from(image.bytes);
  const at = bytes.indexOf(SERIES_INSTANCE_UID);
  const length = bytes.readUInt16LE(at + SERIES_INSTANCE_UID.length);
  const value = '\u001b]0;OWNED\u0007\u001b[2J\u001b[31mAll sent.'.padEnd(length, '\0').slice(0, length);
  bytes.write(value, at + SERIES_INSTANCE_UID.length + 2, 'latin1');
  await writeFile(join(folder, 'a.dcm'), bytes);
  for (const name of ['\u001b[31mname.dcm', 'n\u202egpj.dcm', '\nAll sent.dcm', '\u009b31m.txt'])
    await writeFile(join(folder, name), name.endsWith('.txt') ? 'no image' : bytes);
  const scp = await startStorescp({ folder: `${folder}-received`, aet: 'X' });
  t.after(() => scp.stop());
  t.after(() => rm(scp.folder, { recursive: true, force: true }));
  const to = `X@127.0.0.1:${scp.port}`;
  const report = `${folder}-report`;
  t.after(() => rm(report, { recursive: true, force: true }));
  for (const more of [[], ['--json']]) {
    const { stdout, stderr } = await run(SCANFLOW, ['send', folder, '--to', to, '--report', report, ...more]);
    assert.match(stdout + stderr, /OWNED|All sent/, 'it is shown, as text');
    assert.doesNotMatch(stdout + stderr, STEERING);
    if (more.length > 0) assert.doesNotThrow(() => JSON.parse(stdout) as unknown);
  }
});
