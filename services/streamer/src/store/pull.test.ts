import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freshRecord } from '@scanflow/testkit/streamer';
import type { Orthanc } from '@scanflow/orthanc';
import { parseLayout } from './place/layout.ts';
import type { Store } from './types.ts';
import { pullImage } from './pull.ts';

test('pull: where storage takes no file, the answer of Orthanc is let go', async () => {
  let ended = false;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield await Promise.resolve(new Uint8Array(10));
    } finally {
      ended = true;
    }
  }
  const orthanc = {
    open: () => Promise.resolve({ bytes: 100, md5: undefined, chunks: chunks() }),
  } as Partial<Orthanc> as Orthanc;
  const refused = Object.assign(new Error('no'), { code: 'EROFS' });
  const store = { create: () => Promise.reject(refused) } as Partial<Store> as Store;
  const listing = { id: 'i', fileUuid: 'f', bytes: 100, tags: {} };
  const folder = { path: '/nowhere', below: 'p', record: freshRecord('one') };
  const layout = parseLayout('{project}/{SOPInstanceUID}.dcm');
  const context = { orthanc, store, folder, layout, values: {}, increment: 1 };
  await assert.rejects(pullImage(listing, context, new AbortController().signal), { code: 'EROFS' });
  assert.ok(ended, 'its connection is taken until the time limit');
});
