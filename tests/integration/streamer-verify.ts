/** What has to be true of project storage and destinations in the end. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inflateFile, readFileHeader, removeSplice } from '@scanflow/dicom';
import { run } from '@scanflow/testkit';
import { sha256 } from './sha256.ts';
import type { Rig, Series } from './streamer-support.ts';

export const TAG = {
  group: 0x0021,
  creator: 'SCANFLOW',
  element: 0x10,
  vr: 'LO',
  value: 'DICOM send',
} as const;

export interface StoredRecord {
  readonly joined?: {
    readonly series: readonly {
      readonly studyInstanceUid: string;
      readonly seriesInstanceUid: string;
      readonly images: number;
    }[];
  };
  readonly warnings?: readonly { readonly code: string }[];
  readonly counts: Readonly<Record<string, number>>;
  readonly failures: readonly { readonly code: string }[];
  readonly instances: readonly {
    readonly orthancId: string;
    readonly sopInstanceUid: string;
    readonly transferSyntax: string;
    readonly file: string;
    readonly sha256: string;
    readonly bytes: number;
    readonly original: { readonly md5: string; readonly bytes: number };
    readonly tagged: boolean;
    readonly untagged?: { readonly code: string; readonly message: string };
    readonly differsFrom?: string;
    readonly increment: number;
  }[];
}

export function folderOf(series: Series): string {
  const path = series.legs.find(({ target }) => target === 'storage')?.path;
  assert.ok(path !== undefined, 'the series has no folder');
  return path;
}

export async function recordOf(folder: string): Promise<StoredRecord> {
  return JSON.parse(await readFile(join(folder, 'series.json'), 'utf8')) as StoredRecord;
}

/** `sha256sum -c` accepts the manifest; it, the record and the folder name the same files. */
export async function verifyManifest(folder: string): Promise<StoredRecord> {
  const record = await recordOf(folder);
  const check = await run('sha256sum', ['-c', '--strict', '--quiet', 'manifest-sha256.txt'], { cwd: folder });
  assert.equal(check.code, 0, check.stdout + check.stderr);
  const manifest = (await readFile(join(folder, 'manifest-sha256.txt'), 'utf8')).trimEnd().split('\n');
  const named = manifest.map((line) => line.slice(66)).sort();
  const present = (await readdir(folder)).sort();
  assert.deepEqual(present, [...named, 'manifest-sha256.txt', 'series.json'].sort());
  assert.deepEqual(record.instances.map(({ file }) => file).sort(), named);
  return record;
}

/**
 * The invariant, for a series that is stored: every instance of Orthanc's is there, once, as it came but for the
 * tag; the manifest says so and nothing else lies in the folder. Answers the number of images.
 */
export async function verifyStored(rig: Rig, series: Series): Promise<number> {
  const folder = folderOf(series);
  const record = await verifyManifest(folder);
  const inOrthanc = ((await rig.orthanc.get(`/series/${series.id}`)) as { Instances: string[] }).Instances;
  assert.deepEqual([...new Set(record.instances.map(({ orthancId }) => orthancId))].sort(), inOrthanc.sort());
  for (const id of inOrthanc) {
    const response = await rig.orthanc.request(`/instances/${id}/file`);
    const original = Buffer.from(await response.arrayBuffer());
    const md5 = createHash('md5').update(original).digest('hex');
    // an instance that was overwritten in Orthanc has one entry for each of its contents
    const instance = record.instances.find((one) => one.orthancId === id && one.original.md5 === md5);
    assert.ok(instance !== undefined, `${id} is not stored as Orthanc has it`);
    const stored = await readFile(join(folder, instance.file));
    assert.equal(stored.length, instance.bytes);
    const untagged = Buffer.from(instance.tagged ? removeSplice(stored, TAG) : inflateFile(stored));
    assert.ok(untagged.equals(inflateFile(original)), `${instance.file} without its tag is not what came`);
  }
  return record.instances.length;
}

/**
 * While a series is being stored: each image that has its name is, but for the tag, one of Orthanc's as it came. How many
 * have.
 */
export async function verifyNamed(rig: Rig, series: Series): Promise<number> {
  const { Instances: ids } = (await rig.orthanc.get(`/series/${series.id}`)) as { Instances: string[] };
  const originals = new Set<string>();
  for (const id of ids) {
    const response = await rig.orthanc.request(`/instances/${id}/file`);
    originals.add(sha256(inflateFile(Buffer.from(await response.arrayBuffer()))));
  }
  const folder = folderOf(series);
  const named = (await readdir(folder)).filter((name) => !name.startsWith('.') && name.endsWith('.dcm'));
  for (const name of named) {
    const bytes = removeSplice(await readFile(join(folder, name)), TAG);
    assert.ok(originals.has(sha256(bytes)), `${name} is half written, or another image`);
  }
  return named.length;
}

/** Every stored image is at the destination once, its data set byte for byte the same. */
export async function verifyForwarded(
  folders: readonly string[],
  received: readonly string[],
): Promise<number> {
  const stored = new Map<string, string>();
  for (const folder of folders)
    for (const { file, sopInstanceUid } of (await recordOf(folder)).instances)
      stored.set(sopInstanceUid, sha256(dataSetOf(await readFile(join(folder, file)))));
  const got = new Map<string, string>();
  for (const file of received) {
    const bytes = await readFile(file);
    got.set(headerOf(bytes).sopInstanceUid, sha256(dataSetOf(bytes)));
  }
  assert.equal(received.length, got.size, 'an image arrived under two names');
  assert.deepEqual([...got].sort(), [...stored].sort());
  return got.size;
}

function headerOf(bytes: Uint8Array): { sopInstanceUid: string; dataSetOffset: number } {
  const header = readFileHeader(bytes, bytes.length);
  assert.ok(!('needMore' in header));
  return header;
}

const dataSetOf = (bytes: Uint8Array): Uint8Array => bytes.subarray(headerOf(bytes).dataSetOffset);
