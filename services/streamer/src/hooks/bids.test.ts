import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readAnswer, type BidsRemoval, type BidsRequest, type BidsResult } from '@scanflow/bids/answer';
import { httpServer } from '@scanflow/testkit';
import { callBids, removalsOf } from './bids.ts';

const removal = (subject: string): BidsRemoval => ({
  ...{ project: 'p', subject, session: '1', accessionNumber: 'A', root: '/project', erased: false },
});

interface Asked {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A bids service that answers so; what it was asked. */
async function service(
  t: TestContext,
  answer: (asked: Asked) => object | undefined,
): Promise<{ readonly url: string; readonly tokenFile: string; readonly timeoutMs: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-bids-call-'));
  t.after(() => rm(folder, { recursive: true }));
  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, 'a token of the test\n');
  const url = await httpServer(t, (request, response) => {
    void (async () => {
      const text = (await request.setEncoding('utf8').toArray()).join('');
      const said = answer({ path: request.url ?? '', body: JSON.parse(text) as Asked['body'] });
      if (said === undefined) response.writeHead(503).end('later');
      else response.end(JSON.stringify(said));
    })();
  });
  return { url, tokenFile, timeoutMs: 60_000 };
}

const REMOVED = { dataset: '/project/p/bids', folders: ['sub-s1/ses-1'], files: 3, kept: [] };

test('bids: where a later removal waits, labels that the earlier one freed are known all the same', async (t) => {
  const peer = await service(t, ({ body }) =>
    body['subject'] === 's1' ? { ok: true, removed: REMOVED } : undefined,
  );
  const removals = [removal('s1'), removal('s2')];
  const outcome = await callBids({ ...peer, requests: [], removals }, t.signal);
  assert.equal(outcome.kind, 'failed');
  // the next try finds nothing of it any more
  assert.deepEqual(outcome.freed, [removal('s1')]);
});

test('bids: whoever waits for labels is known before these are freed, should the streamer be killed in between', async (t) => {
  const happened: string[] = [];
  const peer = await service(t, ({ body }) => {
    happened.push(`${body['preview'] === true ? 'look at' : 'remove'} ${String(body['subject'])}`);
    const folders = body['subject'] === 's1' ? REMOVED.folders : [];
    return { ok: true, removed: { ...REMOVED, folders } };
  });
  const removals = [removal('s1'), removal('s2')];
  const call = { ...peer, requests: [], removals };
  const killed = new Error('killed');
  await assert.rejects(
    callBids(call, t.signal, { freeing: () => Promise.reject(killed) }),
    (error) => error === killed,
  );
  assert.deepEqual(happened.splice(0), ['look at s1']);
  const freeing = ({ subject }: BidsRemoval): Promise<unknown> =>
    Promise.resolve(happened.push(`free ${subject}`));
  await callBids(call, t.signal, { freeing });
  assert.deepEqual(happened, ['look at s1', 'free s1', 'remove s1', 'look at s2', 'remove s2']);
});

test('bids: where a part of a session fails, its project and what the others became are kept', async (t) => {
  const failure = { kind: 'permanent', code: 'BIDS_LABEL_TAKEN', message: 'taken' } as const;
  const result: BidsResult = {
    ...{ state: 'published', dataset: '/project/p/bids', folder: 'sub-01', verdict: 'valid' },
    ...{ errorCount: 0, warningCount: 0, errors: [], warnings: [], conflicts: [], failed: [], kept: [] },
    ...{ counts: { series: 1, converted: 1, failed: 0, left: 0, files: 2, images: 3 }, versions: {} },
  };
  const peer = await service(t, ({ path, body }) => {
    if (path === '/api/remove') return { ok: true, removed: REMOVED };
    return body['project'] === 'q' ? { ok: false, failure } : { ok: true, result };
  });
  const request = (project: string): BidsRequest => ({
    ...{ id: 'a', project, subject: 's', session: '1', accessionNumber: 'A', root: '/project', series: [] },
  });
  const call = { ...peer, requests: [request('q'), request('p')], removals: [removal('s1')] };
  const outcome = await callBids(call, t.signal);
  assert.ok(outcome.kind === 'failed');
  assert.equal(outcome.failure.code, 'BIDS_LABEL_TAKEN');
  const said = readAnswer(outcome.output);
  assert.ok(said?.ok === false);
  assert.equal(said.project, 'q');
  assert.equal(said.result?.folder, 'sub-01');
  assert.deepEqual(said.result.removed, [{ folders: ['sub-s1/ses-1'], kept: [] }]);
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
