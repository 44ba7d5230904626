/** Copies for a node that refuses a transfer syntax: which one, for which images, and when there is none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoreItem } from '@scanflow/dimse';
import { FailureError, permanent, transient } from '@scanflow/failure';
import type { Kind, SendItem, Carrier, SendOutcome } from './types.ts';
import { transcoding, type TranscodeDeps } from './transcode.ts';

const IMPLICIT = '1.2.840.10008.1.2';
const EXPLICIT = '1.2.840.10008.1.2.1';
const REFUSED = permanent('NOT_NEGOTIATED', 'It does not take that.');
const FILE = { size: 0, read: () => 0, close: () => undefined };

const item = (id: string, sopClassUid = '1.2'): SendItem => ({
  id,
  path: `/${id}`,
  original: { orthancId: id, fileUuid: 'f', sopClassUid, sopInstanceUid: `1.${id}` },
});

/** A node that refuses whatever comes from disk, and takes copies. */
function picky(asked: string[]): Carrier {
  return {
    send: async function* (items: AsyncIterable<StoreItem>) {
      for await (const { id, path, open } of items) {
        await open?.();
        asked.push(path === undefined ? `${id} copy` : id);
        yield path === undefined || id.startsWith('fine')
          ? { id, result: 'sent' as const }
          : { id, result: 'failed' as const, failure: REFUSED };
      }
    },
    close: () => undefined,
  };
}

async function send(
  items: readonly SendItem[],
  takes: readonly Kind[] | FailureError,
): Promise<{ outcomes: SendOutcome[]; asked: string[]; copies: string[] }> {
  const asked: string[] = [];
  const copies: string[] = [];
  const deps: TranscodeDeps = {
    accepts: (kinds) =>
      takes instanceof FailureError
        ? Promise.reject(takes)
        : Promise.resolve(
            kinds.filter((kind) =>
              takes.some(
                (one) => one.sopClassUid === kind.sopClassUid && one.transferSyntax === kind.transferSyntax,
              ),
            ),
          ),
    openTranscoded: ({ orthancId }, syntax) => {
      copies.push(`${orthancId} ${syntax}`);
      return Promise.resolve(FILE);
    },
  };
  const { signal } = new AbortController();
  const source = async function* (): AsyncGenerator<SendItem> {
    for (const one of items) yield await Promise.resolve(one);
  };
  const carrier = transcoding(picky(asked), deps);
  return {
    outcomes: await Array.fromAsync(carrier.send(source(), { signal, calmly: false })),
    asked,
    copies,
  };
}

test('transcode: only what was refused goes as a copy, Explicit VR before Implicit', async () => {
  const takes = [IMPLICIT, EXPLICIT].map((transferSyntax) => ({ sopClassUid: '1.2', transferSyntax }));
  const { outcomes, asked, copies } = await send([item('fine'), item('jpeg')], takes);
  assert.deepEqual(asked, ['fine', 'jpeg', 'jpeg copy']);
  assert.deepEqual(copies, [`jpeg ${EXPLICIT}`]);
  assert.deepEqual(outcomes, [
    { id: 'fine', result: 'sent' },
    { id: 'jpeg', result: 'sent', transcoded: EXPLICIT },
  ]);
});

test('transcode: each SOP class as the node takes it, and none that it does not take', async () => {
  const { outcomes, copies } = await send(
    [item('a', '1.2'), item('b', '1.3')],
    [{ sopClassUid: '1.3', transferSyntax: IMPLICIT }],
  );
  assert.deepEqual(copies, [`b ${IMPLICIT}`]);
  const [first, second] = outcomes;
  assert.ok(first?.result === 'failed' && first.failure.code === 'NOT_NEGOTIATED');
  assert.match(first.failure.message, /make it accept the SOP class/);
  assert.equal(second?.transcoded, IMPLICIT);
});

test('transcode: a node that cannot be asked is tried again later', async () => {
  const gone = new FailureError(transient('DEST_UNREACHABLE', 'It is down.'));
  const { outcomes, copies } = await send([item('a'), item('b')], gone);
  assert.deepEqual(copies, []);
  assert.ok(outcomes.every((one) => one.result === 'failed' && one.failure.code === 'DEST_UNREACHABLE'));
  assert.equal(outcomes.length, 2);
});

test('transcode: what has no known SOP class is refused as it was', async () => {
  const { outcomes, copies } = await send([{ id: 'a', path: '/a' }], []);
  assert.deepEqual(outcomes, [{ id: 'a', result: 'failed', failure: REFUSED }]);
  assert.deepEqual(copies, []);
});
