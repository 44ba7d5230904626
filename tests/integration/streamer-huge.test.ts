/**
 * One instance of 600 MiB (SCANFLOW_HUGE_MIB=4096 for one of 4 GiB) through a real streamer, whose memory is watched.
 * Orthanc takes four times an instance's size while it receives it; a small server that speaks its REST interface
 * stands in for it.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { applyEdits, dataSet, encodePart10, planSplice, transferSyntaxes } from '@scanflow/dicom';
import { freePort, run, startProgram, until } from '@scanflow/testkit';
import { recordOf, TAG } from './streamer-verify.ts';

const MIB = 1024 * 1024;
const PIXELS = Math.min(Number(process.env['SCANFLOW_HUGE_MIB'] ?? 600) * MIB, 0xfffffffe);
const MAIN = join(import.meta.dirname, '../../services/streamer/src/main.ts');
const ID = (letter: string): string => Array.from({ length: 5 }, () => letter.repeat(8)).join('-');
const TAGS = { PatientID: '3010000.01_sub-001', StudyID: 'ses-mri01', SOPInstanceUID: '2.25.9' };

/** Everything before the pixels: (7FE0,0010) OW with its length. */
function headOf(): Buffer {
  const attributes = dataSet({
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.4.1',
    ...{ ...TAGS, SeriesInstanceUID: '2.25.8', StudyInstanceUID: '2.25.7', Modality: 'MR' },
    ...{ SeriesNumber: 1, SeriesDescription: 'huge', InstanceNumber: 1 },
  });
  const part10 = encodePart10(attributes, {
    transferSyntax: transferSyntaxes.explicitVRLittleEndian,
    sopClassUid: '1.2.840.10008.5.1.4.1.1.4.1',
    sopInstanceUid: '2.25.9',
  });
  const pixels = Buffer.from([0xe0, 0x7f, 0x10, 0, 0x4f, 0x57, 0, 0, 0, 0, 0, 0]);
  pixels.writeUInt32LE(PIXELS, 8);
  return Buffer.concat([part10, pixels]);
}

const noise = randomBytes(MIB);
function* pixels(): Generator<Buffer> {
  for (let left = PIXELS; left > 0; left -= MIB) yield left < MIB ? noise.subarray(0, left) : noise;
}

interface Served {
  readonly bytes: number;
  /** As Orthanc has it in its database: of nothing from 2 GiB on. */
  readonly md5: string;
  readonly tagged: string;
}

function digests(head: Buffer): Served {
  const plan = planSplice(head, TAG, false, { fileSize: head.length + PIXELS });
  assert.ok(plan.kind === 'splice');
  const md5 = createHash('md5').update(head);
  const sha256 = createHash('sha256').update(applyEdits(head, plan.edits));
  for (const chunk of pixels()) {
    md5.update(chunk);
    sha256.update(chunk);
  }
  const bytes = head.length + PIXELS;
  const recorded = bytes >= 2 ** 31 ? createHash('md5').digest('hex') : md5.digest('hex');
  return { bytes, md5: recorded, tagged: sha256.digest('hex') };
}

async function serveFile(response: ServerResponse, head: Buffer, { bytes, md5 }: Served): Promise<void> {
  response.writeHead(200, { 'content-length': bytes, etag: `"0-${md5}"` });
  response.write(head);
  // a reader that has seen enough goes away
  await pipeline(pixels, response).catch(() => undefined);
}

/** What the streamer asks Orthanc for. */
function answers({ bytes }: Served): Readonly<Record<string, unknown>> {
  const series = { ID: ID('b'), Instances: [ID('a')], MainDicomTags: { Modality: 'MR' } };
  const instance = {
    ...{ ID: ID('a'), ParentSeries: ID('b'), FileUuid: 'f', FileSize: bytes },
    MainDicomTags: { SOPInstanceUID: TAGS.SOPInstanceUID, InstanceNumber: '1' },
  };
  return {
    '/system': { Version: '1.12.7', DatabaseServerIdentifier: 'd' },
    '/changes?last': { Changes: [], Last: 1, Done: true },
    '/series': [series],
    [`/series/${ID('b')}`]: series,
    [`/series/${ID('b')}/instances`]: [instance],
    [`/series/${ID('b')}/metadata`]: {},
    [`/series/${ID('b')}/study`]: { MainDicomTags: {}, PatientMainDicomTags: {} },
    [`/instances/${ID('a')}`]: instance,
    [`/instances/${ID('a')}/metadata`]: { ReceptionDate: '20261122T091500', RemoteAET: 'PRISMA' },
  };
}

function changesSince(url: URL): unknown {
  const change = { Seq: 1, ChangeType: 'NewInstance', ID: ID('a'), ResourceType: 'Instance' };
  return { Changes: url.searchParams.get('since') === '0' ? [change] : [], Last: 1, Done: true };
}

/** The most memory that a process has had, in MB; what is mapped of files counts. */
async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return (Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024) / 1e6;
}

test('streamer: a huge instance is pulled, tagged, hashed and stored in under 200 MB of memory', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-huge-'));
  const head = headOf();
  const served = digests(head);
  const known = answers(served);
  const server = createServer((request: IncomingMessage, response) => {
    const url = new URL(request.url ?? '/', 'http://orthanc');
    if (url.pathname.endsWith('/attachments/dicom/data')) {
      void serveFile(response, head, served);
      return;
    }
    const found =
      url.pathname === '/changes' && !url.searchParams.has('last')
        ? changesSince(url)
        : url.pathname === '/series' && url.searchParams.get('since') !== '0'
          ? []
          : (known[`${url.pathname}${url.searchParams.has('last') ? '?last' : ''}`] ?? undefined);
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(found ?? {}));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true, force: true });
  });
  await mkdir(join(folder, 'project'));
  await mkdir(join(folder, 'data', 'bookings'), { recursive: true });
  const port = await freePort();
  const config = {
    facility: { name: 'Test', timezone: 'Europe/Amsterdam' },
    data: join(folder, 'data'),
    scanners: { prisma: { aet: 'PRISMA', modality: 'MR' } },
    orthanc: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    arrivals: { quiet: '200ms', poll: '100ms' },
    storage: { root: join(folder, 'project'), layout: '{project}/{session}/{SOPInstanceUID}.dcm' },
    http: { bind: '127.0.0.1', ports: { cal2wl: 0, worklist: 0, streamer: port } },
  };
  const file = join(folder, 'scanflow.yaml');
  await writeFile(file, JSON.stringify(config));
  // as a person starts it: what is not compiled yet is by itself
  const streamer = await startProgram(process.execPath, [MAIN, '--config', file]);
  t.after(() => streamer.stop('SIGKILL'));
  const started = performance.now();
  const stored = join(folder, 'project/3010000.01/ses-mri01');
  await until(
    async () => {
      assert.ok(!streamer.exited(), streamer.output());
      return (await stat(join(stored, 'manifest-sha256.txt')).catch(() => undefined)) !== undefined;
    },
    { what: `it is stored`, timeoutMs: 900_000, everyMs: 200 },
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${streamer.output()}`);
  });
  const seconds = (performance.now() - started) / 1000;
  const peak = await peakOf(streamer.pid);
  t.diagnostic(
    `${(served.bytes / 1e6).toFixed(0)} MB in ${seconds.toFixed(1)} s; the streamer had ${peak.toFixed(0)} MB at most`,
  );
  const check = await run('sha256sum', ['-c', '--strict', '--quiet', 'manifest-sha256.txt'], {
    cwd: stored,
    timeoutMs: 900_000,
  });
  assert.equal(check.code, 0, check.stdout + check.stderr);
  const { instances } = await recordOf(stored);
  assert.deepEqual(
    instances.map(({ sha256, original, tagged }) => ({ sha256, bytes: original.bytes, tagged })),
    [{ sha256: served.tagged, bytes: served.bytes, tagged: true }],
  );
  assert.ok(peak < 200, `${peak} MB`);
});
