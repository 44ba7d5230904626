/** Our C-STORE against storescp and Orthanc: bytes as they are, whatever the file, the syntax and the PDU size. */
import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  decodeDataSet,
  encodeDataSet,
  makeSeries,
  readFileHeader,
  transferSyntaxes,
  type Part10Header,
} from '@scanflow/dicom';
import { store, type Peer, type StoreItem, type StoreOutcome } from '@scanflow/dimse';
import { findOrthanc, run, startOrthanc, startStorescp } from '@scanflow/testkit';

const WHEN = Temporal.ZonedDateTime.from('2026-11-22T09:00[Europe/Amsterdam]');
/** Many transfer syntaxes, SR, RT, waveforms and broken ones: Debian's python3-pydicom. */
const PYDICOM = '/usr/lib/python3/dist-packages/pydicom/data/test_files';

const peerAt = (port: number, calledAet: string): Peer => ({
  host: '127.0.0.1',
  port,
  calledAet,
  callingAet: 'SCANFLOW',
});

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'dimse-store-'));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

/** Phantoms of three modalities and two syntaxes, as files. */
async function phantoms(root: string): Promise<StoreItem[]> {
  const kinds = [
    { modality: 'MR', transferSyntax: transferSyntaxes.explicitVRLittleEndian },
    { modality: 'CT', transferSyntax: transferSyntaxes.implicitVRLittleEndian },
    { modality: 'SC', transferSyntax: transferSyntaxes.explicitVRLittleEndian },
  ] as const;
  const items: StoreItem[] = [];
  for (const [seed, kind] of kinds.entries()) {
    for (const { bytes } of makeSeries({ ...kind, images: 4, when: WHEN, seed })) {
      const path = join(root, `${items.length}.dcm`);
      await writeFile(path, bytes);
      items.push({ id: path, path, sha256: createHash('sha256').update(bytes).digest('hex') });
    }
  }
  return items;
}

async function pydicomFiles(): Promise<StoreItem[]> {
  if (!existsSync(PYDICOM)) return [];
  const names = (await readdir(PYDICOM)).filter((name) => name.endsWith('.dcm')).sort();
  return names.map((name) => ({ id: name, path: join(PYDICOM, name) }));
}

function headerOf(bytes: Uint8Array): Part10Header {
  const header = readFileHeader(bytes, bytes.length);
  assert.ok(!('needMore' in header));
  return header;
}

/** Of the data set; a deflated one counts with the NUL that makes it even (PS3.5 A.5). */
function dataSetHash(bytes: Uint8Array): string {
  const content = bytes.subarray(headerOf(bytes).dataSetOffset);
  return createHash('sha256')
    .update(content)
    .update(Buffer.alloc(content.length % 2))
    .digest('hex');
}

async function sendAll(peer: Peer, items: readonly StoreItem[]): Promise<StoreOutcome[]> {
  const outcomes: StoreOutcome[] = [];
  for await (const outcome of store(peer, items)) outcomes.push(outcome);
  assert.deepEqual(
    outcomes.map(({ id }) => id).sort(),
    items.map(({ id }) => id).sort(),
    'one outcome per item',
  );
  return outcomes;
}

/** Data set hashes by SOP Instance UID of what lies in a folder. */
async function received(files: readonly string[]): Promise<Map<string, Set<string>>> {
  const found = new Map<string, Set<string>>();
  for (const file of files) {
    const bytes = await readFile(file);
    const { sopInstanceUid } = headerOf(bytes);
    found.set(sopInstanceUid, (found.get(sopInstanceUid) ?? new Set()).add(dataSetHash(bytes)));
  }
  return found;
}

async function assertArrived(
  outcomes: readonly StoreOutcome[],
  items: readonly StoreItem[],
  files: string[],
): Promise<void> {
  const there = await received(files);
  const paths = new Map(items.map(({ id, path }) => [id, path ?? '']));
  for (const { id, result, sopInstanceUid = '' } of outcomes) {
    if (result === 'failed') continue;
    const bytes = await readFile(paths.get(id) ?? '');
    assert.ok(there.get(sopInstanceUid)?.has(dataSetHash(bytes)), `${id} arrived with the same bytes`);
  }
}

test('store: storescp receives data sets byte for byte, at any PDU size', async (t) => {
  const items = await phantoms(await folder(t));
  for (const extra of [[], ['-pdu', '4096'], ['-pdu', '131072']]) {
    const storescp = await startStorescp({ folder: await folder(t), extra });
    t.after(() => storescp.stop());
    const outcomes = await sendAll(peerAt(storescp.port, storescp.aet), items);
    assert.deepEqual(new Set(outcomes.map(({ result }) => result)), new Set(['sent']));
    const files = await storescp.files();
    assert.equal(files.length, items.length);
    await assertArrived(outcomes, items, files);
  }
});

test('store: every syntax and class of pydicom’s files arrives byte for byte or is refused by name', async (t) => {
  const items = await pydicomFiles();
  if (items.length === 0) {
    t.skip('python3-pydicom is not installed');
    return;
  }
  const storescp = await startStorescp({ folder: await folder(t), extra: ['+uf'] });
  t.after(() => storescp.stop());
  const outcomes = await sendAll(peerAt(storescp.port, storescp.aet), items);
  const failures = outcomes.filter((outcome) => outcome.result === 'failed');
  const sent = outcomes.length - failures.length;
  t.diagnostic(`${sent} of ${items.length} sent`);
  for (const { id, failure } of failures) t.diagnostic(`${id}: ${failure.code}`);
  assert.ok(sent >= 60);
  assert.deepEqual(
    new Set(failures.map(({ failure }) => failure.code)).difference(
      new Set(['NOT_DICOM', 'DICOM_BROKEN', 'NOT_NEGOTIATED', 'STORE_REFUSED', 'DICOM_SYNTAX_UNTOLD']),
    ),
    new Set(),
  );
  await assertArrived(outcomes, items, await storescp.files());
});

test('store: data sets without file meta information arrive byte for byte, in the syntax that they show', async (t) => {
  const root = await folder(t);
  const { explicitVRLittleEndian, explicitVRBigEndian, implicitVRLittleEndian } = transferSyntaxes;
  const syntaxes = [explicitVRLittleEndian, explicitVRBigEndian, implicitVRLittleEndian];
  const items: StoreItem[] = [];
  const put = async (id: string, bytes: Uint8Array): Promise<void> => {
    const path = join(root, id);
    await writeFile(path, bytes);
    items.push({ id, path, sha256: createHash('sha256').update(bytes).digest('hex') });
  };
  const images = makeSeries({ modality: 'MR', images: 4, rows: 300, columns: 300, when: WHEN, seed: 9 });
  for (const [index, { bytes }] of [...images].entries()) {
    const content = bytes.subarray(headerOf(bytes).dataSetOffset);
    const syntax = syntaxes[index];
    if (syntax !== undefined)
      await put(syntax, encodeDataSet(decodeDataSet(content, explicitVRLittleEndian), syntax, 'ISO_IR 100'));
    // fragments instead of the last element, its pixels: nothing says what they are compressed with
    const pixels = Buffer.from(content).lastIndexOf(Buffer.from([0xe0, 0x7f, 0x10, 0, 0x4f, 0x57]));
    const open = [0xe0, 0x7f, 0x10, 0, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff];
    const fragments = [0xfe, 0xff, 0, 0xe0, 0, 0, 0, 0, 0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0];
    if (syntax === undefined)
      await put(
        'compressed',
        Buffer.concat([content.subarray(0, pixels), Buffer.from([...open, ...fragments])]),
      );
  }
  const storescp = await startStorescp({ folder: await folder(t) });
  t.after(() => storescp.stop());
  const outcomes = await sendAll(peerAt(storescp.port, storescp.aet), items);
  const found = new Map(
    outcomes.map((one) => [one.id, one.result === 'failed' ? one.failure.code : one.result]),
  );
  assert.deepEqual(Object.fromEntries(found), {
    ...Object.fromEntries(syntaxes.map((syntax) => [syntax, 'sent'])),
    compressed: 'DICOM_SYNTAX_UNTOLD',
  });
  const files = await storescp.files();
  assert.equal(files.length, syntaxes.length);
  await assertArrived(outcomes, items, files);
  const named = await Promise.all(files.map(async (file) => headerOf(await readFile(file)).transferSyntax));
  assert.deepEqual(named.sort(), syntaxes.toSorted());
});

test('store: Orthanc keeps what it was sent', { skip: findOrthanc() === undefined }, async (t) => {
  const items = await phantoms(await folder(t));
  const orthanc = await startOrthanc({ folder: await folder(t) });
  t.after(() => orthanc.stop());
  const outcomes = await sendAll(peerAt(orthanc.dicomPort, orthanc.aet), items);
  assert.deepEqual(new Set(outcomes.map(({ result }) => result)), new Set(['sent']));
  const ids = (await orthanc.get('/instances')) as string[];
  assert.equal(ids.length, items.length);
  const hashes = new Set<string>();
  for (const id of ids) {
    const response = await orthanc.request(`/instances/${id}/file`);
    hashes.add(dataSetHash(new Uint8Array(await response.arrayBuffer())));
  }
  for (const { path = '' } of items) assert.ok(hashes.has(dataSetHash(await readFile(path))), path);
});

test('store: four associations at once, and a window asked for, into storescp --fork and Orthanc', async (t) => {
  const items = await phantoms(await folder(t));
  const inParallel = async (peer: Peer): Promise<StoreOutcome[]> => {
    const outcomes: StoreOutcome[] = [];
    for await (const outcome of store(peer, items, { associations: 4, operations: 8 }))
      outcomes.push(outcome);
    assert.deepEqual(outcomes.map(({ id }) => id).sort(), items.map(({ id }) => id).sort());
    assert.deepEqual(new Set(outcomes.map(({ result }) => result)), new Set(['sent']));
    return outcomes;
  };
  const storescp = await startStorescp({ folder: await folder(t), extra: ['--fork'] });
  t.after(() => storescp.stop());
  const outcomes = await inParallel(peerAt(storescp.port, storescp.aet));
  await assertArrived(outcomes, items, await storescp.files());
  if (findOrthanc() === undefined) return;
  const orthanc = await startOrthanc({ folder: await folder(t) });
  t.after(() => orthanc.stop());
  await inParallel(peerAt(orthanc.dicomPort, orthanc.aet));
  assert.equal(((await orthanc.get('/instances')) as string[]).length, items.length);
});

/** Sends FILE to PORT in a process of its own and prints its largest memory in KiB. */
const CHILD = `
import { store } from '@scanflow/dimse';
const [path, port, sha256] = process.argv.slice(-3);
const peer = { host: '127.0.0.1', port: Number(port), calledAet: 'SINK', callingAet: 'SCANFLOW' };
for await (const outcome of store(peer, [{ id: '1', path, sha256 }])) console.log(JSON.stringify(outcome));
console.log(process.resourceUsage().maxRSS);
`;

test('store: an instance of 1 GB takes no more memory than a small one', async (t) => {
  const root = await folder(t);
  const [small] = await phantoms(root);
  const head = (await readFile(small?.path ?? '')).subarray(0, 100_000);
  const { dataSetOffset } = headerOf(head);
  const path = join(root, 'large.dcm');
  const value = Buffer.from('e07f1000' + '4f57' + '0000' + '00000040', 'hex');
  const file = Buffer.concat([head.subarray(0, dataSetOffset), value]);
  const size = file.length + 0x4000_0000;
  await writeFile(path, file);
  // a file with a hole: no disk is filled
  await run('truncate', ['-s', String(size), path]);
  const { stdout: sum } = await run('sha256sum', [path]);
  const storescp = await startStorescp({ folder: join(root, 'in'), extra: ['--ignore'] });
  t.after(() => storescp.stop());
  const child = join(import.meta.dirname, '..', '..', 'packages', 'dimse');
  const args = ['--input-type=module', '-e', CHILD, path, String(storescp.port), sum.slice(0, 64)];
  const { stdout, stderr, code } = await run(process.execPath, args, { cwd: child, timeoutMs: 120_000 });
  assert.equal(code, 0, stderr);
  const [outcome = '', rss = ''] = stdout.trim().split('\n');
  assert.match(outcome, /"result":"sent"/);
  t.diagnostic(`${Math.round(Number(rss) / 1024)} MB at most`);
  assert.ok(Number(rss) < 200 * 1024, `${rss} KiB`);
});
