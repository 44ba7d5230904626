/** `scanflow send` of one instance of 2 GB, whose memory is watched. The file has no blocks on disk but for its head. */
import assert from 'node:assert/strict';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { dataSet, encodePart10, transferSyntaxes } from '@scanflow/dicom';
import { run, startProgram, startStorescp, until } from '@scanflow/testkit';

const SCANFLOW = join(import.meta.dirname, '../../services/cli/bin/scanflow');
const PIXELS = 2_000_000_000;
const SOP_CLASS = '1.2.840.10008.5.1.4.1.1.4.1';

async function writeSparse(path: string): Promise<void> {
  const attributes = dataSet({
    SOPClassUID: SOP_CLASS,
    ...{ SOPInstanceUID: '2.25.9', SeriesInstanceUID: '2.25.8', StudyInstanceUID: '2.25.7', Modality: 'MR' },
  });
  const head = encodePart10(attributes, {
    transferSyntax: transferSyntaxes.explicitVRLittleEndian,
    sopClassUid: SOP_CLASS,
    sopInstanceUid: '2.25.9',
  });
  // (7FE0,0010) OW
  const pixels = Buffer.from([0xe0, 0x7f, 0x10, 0, 0x4f, 0x57, 0, 0, 0, 0, 0, 0]);
  pixels.writeUInt32LE(PIXELS, 8);
  const file = await open(path, 'wx');
  await file.write(Buffer.concat([head, pixels]));
  await file.truncate(head.length + pixels.length + PIXELS);
  await file.close();
}

/** The most memory that the process has had so far, in MB; nothing of one that has ended. */
async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return (Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024) / 1e6;
}

test('send: an instance of 2 GB is sent in under 100 MB of memory', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'send-huge-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'huge.dcm');
  await writeSparse(file);
  const scp = await startStorescp({ folder: join(folder, 'received'), extra: ['--ignore'] });
  t.after(() => scp.stop());
  // what was not compiled yet is from now on
  assert.equal((await run(SCANFLOW, ['send', '--help'])).code, 0);
  const sending = await startProgram(SCANFLOW, ['send', file, '--to', `STORESCP@127.0.0.1:${scp.port}`]);
  t.after(() => sending.stop('SIGKILL'));
  let peak = 0;
  await until(
    async () => {
      peak = Math.max(peak, await peakOf(sending.pid));
      return sending.exited() ? true : undefined;
    },
    { what: 'it is sent', timeoutMs: 300_000, everyMs: 100 },
  );
  assert.equal(await sending.ended, 0, sending.output());
  assert.match(sending.output(), /^1 images sent \(2000\.\d MB/m);
  t.diagnostic(`${peak.toFixed(0)} MB at most`);
  assert.ok(peak > 30 && peak < 100, `${peak} MB`);
});
