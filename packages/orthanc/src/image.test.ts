import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { httpServer } from '@scanflow/testkit';
import { orthancClient } from './client.ts';
import { openImage, type RemoteFile } from './image.ts';

const ID = '2f859814-2cf8fe4f-c7963e7d-d32c018d-66fc8cfa';
const never = new AbortController().signal;
const file = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 251));
const MD5 = createHash('md5').update(file).digest('hex');

/** `ranges`: as Orthanc 1.12.5 and later. */
async function imageAt(t: TestContext, md5: string, ranges: boolean): Promise<RemoteFile> {
  const url = await httpServer(t, (request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const part = ranges ? file.subarray(from) : file;
    response.writeHead(ranges && from > 0 ? 206 : 200, { etag: `"0-${md5}"`, 'content-length': part.length });
    response.end(part);
  });
  const client = orthancClient({ url });
  t.after(() => client.close());
  return openImage(client, ID, never);
}

async function whole(image: RemoteFile): Promise<Buffer> {
  const all = Buffer.alloc(image.size);
  // the head first, as whoever sends it reads it, then the rest
  for (let at = 0; at < all.length;) {
    const length = Math.min(at === 0 ? 1_000 : 100_000, all.length - at);
    at += await image.read(all.subarray(at), length, at);
  }
  return all;
}

for (const ranges of [true, false])
  test(`orthanc image: read in pieces it is the same file, ${ranges ? 'with' : 'without'} ranges`, async (t) => {
    assert.ok((await whole(await imageAt(t, MD5, ranges))).equals(file));
  });

test('orthanc image: other bytes than Orthanc received are a failure before the last of them', async (t) => {
  const image = await imageAt(
    t,
    MD5.replace(/./, (digit) => (digit === '0' ? '1' : '0')),
    true,
  );
  await assert.rejects(whole(image), { code: 'ORTHANC_CORRUPT', kind: 'transient' });
});
