/** One image of 2 GiB through the receiver, whose memory is watched. Only by command: `npm run bench:huge`, or SCANFLOW_HUGE_MIB. */
import assert from 'node:assert/strict';
import { createHash, randomBytes, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { dataSet, encodePart10, readPart10Header, transferSyntaxes } from '@scanflow/dicom';
import { run, until } from '@scanflow/testkit';
import { startRig } from './receiver-support.ts';

const MIB = 1024 * 1024;
const { SCANFLOW_HUGE_MIB } = process.env;
const PIXELS = Math.min(Number(SCANFLOW_HUGE_MIB ?? 0), 2048) * MIB;
const skip = SCANFLOW_HUGE_MIB === undefined && 'takes minutes: npm run bench:huge';

/** A huge file with noise here and there, so that what is out of place shows; gives the sum of its data set. */
async function writeHuge(path: string): Promise<{ sum: string; dataSetBytes: number }> {
  const sopClassUid = '1.2.840.10008.5.1.4.1.1.4.1';
  const attributes = dataSet({
    ...{ SOPClassUID: sopClassUid, SOPInstanceUID: '2.25.9', PatientID: '3010000.01_sub-001' },
    ...{ SeriesInstanceUID: '2.25.8', StudyInstanceUID: '2.25.7', Modality: 'MR' },
  });
  const transferSyntax = transferSyntaxes.explicitVRLittleEndian;
  // (7FE0,0010) OW
  const pixels = Buffer.from([0xe0, 0x7f, 0x10, 0, 0x4f, 0x57, 0, 0, 0, 0, 0, 0]);
  pixels.writeUInt32LE(PIXELS, 8);
  const part10 = encodePart10(attributes, { transferSyntax, sopClassUid, sopInstanceUid: '2.25.9' });
  const head = Buffer.concat([part10, pixels]);
  const read = readPart10Header(head, head.length + PIXELS);
  assert.ok(!('needMore' in read));
  const hash = createHash('sha256').update(head.subarray(read.dataSetOffset));
  const nothing = Buffer.alloc(MIB);
  const file = await open(path, 'wx');
  await file.write(head);
  for (let at = 0, piece = 0; at < PIXELS; at += MIB, piece += 1) {
    const bytes = (piece % 37 === 0 ? randomBytes(MIB) : nothing).subarray(0, PIXELS - at);
    hash.update(bytes);
    if (piece % 37 === 0) await file.write(bytes, 0, bytes.length, head.length + at);
  }
  await file.truncate(head.length + PIXELS);
  await file.close();
  return { sum: hash.digest('hex'), dataSetBytes: head.length - read.dataSetOffset + PIXELS };
}

/** Plays Orthanc, which takes four times an image's size: takes the sum of the last bytes of what comes. */
async function playedOrthanc(t: TestContext, bytes: number): Promise<{ url: string; sums: string[] }> {
  const sums: string[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const isImage = request.method === 'POST' && request.url === '/instances';
    const hash = createHash('sha256');
    let skip = isImage ? Number(request.headers['content-length']) - bytes : 0;
    for await (const chunk of request as AsyncIterable<Buffer>) skip = behind(chunk, skip, hash);
    if (isImage) sums.push(hash.digest('hex'));
    response.writeHead(isImage || request.method === 'PUT' || request.url === '/system' ? 200 : 404);
    response.end(JSON.stringify({ ID: 'a', ParentSeries: 'b', Status: 'Success', Version: '1.12.7' }));
  };
  const server = createServer((request, response) => {
    take(request, response).catch(() => response.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sums };
}

/** Gives how much is left to skip. */
function behind(chunk: Buffer, skip: number, hash: Hash): number {
  if (chunk.length > skip) hash.update(chunk.subarray(skip));
  return Math.max(skip - chunk.length, 0);
}

/** The most memory that the process has had, in MB. */
async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return (Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024) / 1e6;
}

test(
  'receiver: a huge image goes on to Orthanc byte for byte, in less than 250 MB of memory',
  { skip },
  async (t) => {
    let orthanc: Awaited<ReturnType<typeof playedOrthanc>> | undefined;
    const made = Promise.withResolvers<Awaited<ReturnType<typeof writeHuge>>>();
    const rig = await startRig(t, {
      between: async ({ folder }) => {
        const huge = await writeHuge(join(folder, '..', 'huge.dcm'));
        made.resolve(huge);
        orthanc = await playedOrthanc(t, huge.dataSetBytes);
        return orthanc.url;
      },
    });
    const { sum } = await made.promise;
    const scanflow = join(import.meta.dirname, '../../services/cli/bin/scanflow');
    const to = `ORTHANC@127.0.0.1:${rig.port}`;
    const sent = await run(
      scanflow,
      ['send', join(rig.folder, 'huge.dcm'), '--to', to, '--tag', 'none', '--timeout', '5m'],
      {
        timeoutMs: 600_000,
      },
    );
    assert.equal(sent.code, 0, sent.stderr + sent.stdout + rig.receiver().output());
    assert.deepEqual(orthanc?.sums, [sum]);
    const peak = await peakOf(rig.receiver().pid);
    t.diagnostic(`${peak.toFixed(0)} MB at most`);
    assert.ok(peak > 30 && peak < 250, `${peak} MB`);
    await until(async () => (await rig.api('/healthz'))['heldOnDisk'] === 0, {
      what: 'it is let go',
      timeoutMs: 60_000,
    });
  },
);
