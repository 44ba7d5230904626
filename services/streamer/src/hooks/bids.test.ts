import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { BidsRemoval } from '@scanflow/bids/answer';
import { callBids, removalsOf } from './bids.ts';

const removal = (subject: string): BidsRemoval => ({
  ...{ project: 'p', subject, session: '1', accessionNumber: 'A', root: '/project', erased: false },
});

test('bids: where a later removal waits, labels that the earlier one freed are known all the same', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-bids-call-'));
  t.after(() => rm(folder, { recursive: true }));
  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, 'a token of the test\n');
  const server = createServer((request, response) => {
    void (async () => {
      const body = (await request.setEncoding('utf8').toArray()).join('');
      const removed = { dataset: '/project/p/bids', folders: ['sub-s1/ses-1'], files: 3, kept: [] };
      if (body.includes('"s1"')) response.end(JSON.stringify({ ok: true, removed }));
      else response.writeHead(503).end('later');
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const removals = [removal('s1'), removal('s2')];
  const outcome = await callBids({ url, tokenFile, timeoutMs: 60_000, requests: [], removals }, t.signal);
  assert.equal(outcome.kind, 'failed');
  // the next try finds nothing of it any more
  assert.deepEqual(outcome.freed, [removal('s1')]);
});

test('bids: a subject leaves the dataset, and with it what its series still have under the labels that they were moved from', () => {
  const former = [{ project: 'q', subject: 's9', session: '1' }];
  const series = [
    { id: 'a', former },
    { id: 'b', former: [] },
    { id: 'c', former },
  ];
  assert.deepEqual(removalsOf({ project: 'p', subject: 's1', series }), [
    { project: 'p', subject: 's1', session: undefined, erased: true },
    // comes back with the other series of its session
    { project: 'q', subject: 's9', session: '1', series: ['a', 'c'], erased: false },
  ]);
});
