/** What the tests of project storage share. */
import { createHash } from 'node:crypto';
import type { Folder, SeriesRecord, StillOurs, Store, StoredInstance } from '../../ports.ts';

/** Nobody else has the series. */
export const ours: StillOurs = () => Promise.resolve();

export const freshRecord = (orthancSeries: string): SeriesRecord => ({
  version: 1,
  orthancSeries,
  seriesInstanceUid: '1.2',
  state: 'storing',
  attributes: {},
  counts: { inOrthanc: 0, stored: 0, untagged: 0, failed: 0 },
  failures: [],
  instances: [],
});

export const storedInstance = (file: string, content: string): StoredInstance => ({
  orthancId: file,
  fileUuid: '',
  sopClassUid: '',
  sopInstanceUid: '',
  transferSyntax: '',
  file,
  sha256: createHash('sha256').update(content).digest('hex'),
  bytes: Buffer.byteLength(content),
  original: { md5: '', bytes: 1 },
  tagged: true,
  increment: 1,
});

/** Writes an image; gives the name that it got. */
export async function put(store: Store, folder: Folder, name: string, content: string): Promise<string> {
  const file = await store.create(folder, content.length);
  try {
    await file.write(Buffer.from(content));
    return (await file.publish(name)).file;
  } finally {
    await file.discard();
  }
}
