/** Our C-STORE against a scripted peer and broken files: exactly one outcome per item, of the right kind. */
import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { truncateSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { dataSet, encodePart10, makeSeries, sopClasses, transferSyntaxes } from '@scanflow/dicom';
import { store, type Peer, type StoreItem, type StoreOptions, type StoreOutcome } from '@scanflow/dimse';
import { freePort, startScriptedScp, type ScriptedScpOptions } from '@scanflow/testkit';

const WHEN = Temporal.ZonedDateTime.from('2026-11-22T09:00[Europe/Amsterdam]');
const TIMEOUTS = { association: 400, response: 400, release: 400 };

/** Items `1` to `count`, in memory. */
function images(count: number): StoreItem[] {
  const series = makeSeries({ modality: 'MR', images: count, when: WHEN, seed: 1 });
  return [...series].map(({ bytes }, index) => ({ id: String(index + 1), bytes }));
}

interface Sent {
  /** `1 sent`, `2 failed transient STORE_REFUSED A700` … in order of arrival. */
  readonly lines: string[];
  readonly outcomes: StoreOutcome[];
  readonly requests: number;
  readonly associations: number;
}

function line(outcome: StoreOutcome): string {
  const status = outcome.status === undefined ? '' : ` ${outcome.status.toString(16)}`;
  if (outcome.result !== 'failed') return `${outcome.id} ${outcome.result}${status}`;
  return `${outcome.id} failed ${outcome.failure.kind} ${outcome.failure.code}${status}`;
}

async function play(
  t: TestContext,
  script: ScriptedScpOptions,
  items: Iterable<StoreItem> | AsyncIterable<StoreItem>,
  options: StoreOptions = {},
): Promise<Sent> {
  const scp = await startScriptedScp(script);
  t.after(() => scp.close());
  const peer: Peer = { ...scp, calledAet: 'SCRIPT', callingAet: 'SCANFLOW', timeouts: TIMEOUTS };
  const outcomes: StoreOutcome[] = [];
  for await (const outcome of store(peer, items, options)) outcomes.push(outcome);
  const { requests } = scp;
  return { lines: outcomes.map(line), outcomes, requests: requests.length, associations: scp.associations() };
}

test('store: every status is looked at, and none stops the others', async (t) => {
  const statuses = [0, 0xa700, 0xa900, 0xc000, 0xb000, 0xb006, 0x0122, 0x0111, 0];
  const { lines } = await play(t, { onStore: (n) => ({ status: statuses[n - 1] ?? 0 }) }, images(9));
  assert.deepEqual(lines, [
    '1 sent 0',
    '2 failed transient STORE_REFUSED a700',
    '3 failed permanent STORE_REFUSED a900',
    '4 failed permanent STORE_REFUSED c000',
    '5 warning b000',
    '6 warning b006',
    '7 failed permanent STORE_REFUSED 122',
    '8 failed permanent STORE_REFUSED 111',
    '9 sent 0',
  ]);
});

test('store: abort, close and silence at the third make it ambiguous and the rest transient', async (t) => {
  for (const step of ['abort', 'close', 'never answer'] as const) {
    const { lines, associations } = await play(
      t,
      { onStore: (n) => (n === 3 ? step : { status: 0 }) },
      images(5),
    );
    assert.deepEqual(
      lines,
      [
        '1 sent 0',
        '2 sent 0',
        '3 failed ambiguous NO_RESPONSE',
        '4 failed transient DEST_LOST',
        '5 failed transient DEST_LOST',
      ],
      step,
    );
    assert.equal(associations, 1);
  }
});

test('store: an answer for another instance is no success', async (t) => {
  const { lines } = await play(
    t,
    { onStore: (n) => (n === 1 ? 'answer for another instance' : { status: 0 }) },
    images(2),
  );
  assert.deepEqual(lines, ['1 failed ambiguous RESPONSE_MISMATCH 0', '2 sent 0']);
});

test('store: a rejection is transient or permanent as the peer says', async (t) => {
  for (const [result, kind] of [
    [1, 'permanent'],
    [2, 'transient'],
  ] as const) {
    const { lines } = await play(t, { onAssociation: { result, source: 3, reason: 2 } }, images(2));
    assert.deepEqual(lines, [`1 failed ${kind} DEST_REJECTED`, `2 failed ${kind} DEST_REJECTED`]);
  }
});

test('store: a peer that never answers the association request', async (t) => {
  const { lines } = await play(t, { onAssociation: 'never answer' }, images(2));
  assert.deepEqual(lines, [
    '1 failed transient DEST_NO_ASSOCIATION',
    '2 failed transient DEST_NO_ASSOCIATION',
  ]);
});

test('store: a peer that never answers the release is left, and the images count', async (t) => {
  const { lines } = await play(t, { release: false }, images(2));
  assert.deepEqual(lines, ['1 sent 0', '2 sent 0']);
});

test('store: nobody listens', async () => {
  const peer = { host: '127.0.0.1', port: await freePort(), calledAet: 'A', callingAet: 'B' };
  const lines: string[] = [];
  for await (const outcome of store(peer, images(2))) lines.push(line(outcome));
  assert.deepEqual(lines, ['1 failed transient DEST_UNREACHABLE', '2 failed transient DEST_UNREACHABLE']);
});

test('store: a context that is refused is an outcome, and the others are sent', async (t) => {
  const [ct] = makeSeries({ modality: 'CT', images: 1, when: WHEN, seed: 2 });
  const [implicit] = makeSeries({
    modality: 'MR',
    images: 1,
    when: WHEN,
    seed: 3,
    transferSyntax: transferSyntaxes.implicitVRLittleEndian,
  });
  const items = [
    ...images(1),
    { id: 'ct', bytes: ct?.bytes ?? new Uint8Array(0) },
    { id: 'implicit', bytes: implicit?.bytes ?? new Uint8Array(0) },
  ];
  const contextResult: ScriptedScpOptions['contextResult'] = (sopClass, syntaxes) =>
    sopClass === sopClasses.ctImageStorage
      ? 3
      : syntaxes[0] === transferSyntaxes.implicitVRLittleEndian
        ? 4
        : 0;
  const { lines, outcomes, requests } = await play(t, { contextResult }, items);
  assert.deepEqual(lines, [
    '1 sent 0',
    'ct failed permanent NOT_NEGOTIATED',
    'implicit failed permanent NOT_NEGOTIATED',
  ]);
  assert.equal(requests, 1);
  const messages = outcomes.map((outcome) => (outcome.result === 'failed' ? outcome.failure.message : ''));
  assert.match(messages[1] ?? '', /SOP class not supported/);
  assert.match(messages[2] ?? '', /transfer syntax not supported/);
});

/** A small file of a SOP class of its own. */
function ofClass(number: number): StoreItem {
  const sopClassUid = `1.2.826.0.1.3680043.2.1143.${number}`;
  const sopInstanceUid = `1.2.3.${number}`;
  const bytes = encodePart10(
    dataSet({ SOPClassUID: sopClassUid, SOPInstanceUID: sopInstanceUid, PatientID: 'X' }),
    {
      transferSyntax: transferSyntaxes.explicitVRLittleEndian,
      characterSet: 'ISO_IR 6',
      sopClassUid,
      sopInstanceUid,
    },
  );
  return { id: String(number), bytes };
}

test('store: more than 128 presentation contexts take further associations', async (t) => {
  const items = Array.from({ length: 300 }, (_, index) => ofClass(index + 1));
  const { lines, associations } = await play(t, {}, items);
  assert.deepEqual(
    lines,
    items.map(({ id }) => `${id} sent 0`),
  );
  assert.equal(associations, 3);
});

test('store: a list that comes bit by bit is sent over as few associations as will do', async (t) => {
  async function* slowly(): AsyncGenerator<StoreItem> {
    for (const item of [...images(4), ofClass(1), ofClass(2)]) {
      await new Promise((resolve) => setImmediate(resolve));
      yield item;
    }
  }
  const { lines, associations } = await play(t, {}, slowly());
  assert.deepEqual(lines, ['1 sent 0', '2 sent 0', '3 sent 0', '4 sent 0', '1 sent 0', '2 sent 0']);
  assert.equal(associations, 1);
});

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

test('store: files that cannot be read, are no DICOM or are not what they were cost only themselves', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'dimse-faults-'));
  t.after(() => rm(root, { recursive: true }));
  const [good, other] = images(2);
  const bytes = good?.bytes ?? new Uint8Array(0);
  const large = Buffer.concat([bytes, Buffer.alloc(3_000_000)]);
  const path = (name: string): string => join(root, name);
  await writeFile(path('text'), 'no DICOM');
  await writeFile(path('empty'), '');
  await writeFile(path('cut'), bytes.subarray(0, 200));
  await writeFile(path('large'), large);
  await writeFile(path('good'), bytes);
  await writeFile(path('odd'), bytes.subarray(0, bytes.length - 1));
  const items: StoreItem[] = [
    { id: 'missing', path: path('missing') },
    { id: 'folder', path: root },
    { id: 'text', path: path('text') },
    { id: 'empty', path: path('empty') },
    { id: 'cut', path: path('cut') },
    { id: 'odd', path: path('odd') },
    { id: 'nothing' },
    { id: 'good', path: path('good'), sha256: sha256(bytes).toUpperCase() },
    { id: 'small changed', path: path('good'), sha256: sha256(large) },
    { id: 'large changed', path: path('large'), sha256: sha256(bytes) },
    { id: 'after', bytes: other?.bytes ?? new Uint8Array(0) },
  ];
  const { lines, requests, associations } = await play(t, {}, items);
  assert.deepEqual(lines.sort(), [
    'after sent 0',
    'cut failed permanent DICOM_BROKEN',
    'empty failed permanent NOT_DICOM',
    'folder failed permanent FILE_UNREADABLE',
    'good sent 0',
    'large changed failed permanent FILE_CHANGED',
    'missing failed permanent FILE_UNREADABLE',
    'nothing failed permanent NO_FILE',
    'odd failed permanent DICOM_BROKEN',
    'small changed failed permanent FILE_CHANGED',
    'text failed permanent NOT_DICOM',
  ]);
  assert.equal(requests, 2, 'a file that is not what it was is never completed at the peer');
  assert.equal(associations, 2, 'the one that had been begun took its association with it');
});

test('store: a file that shrinks while it is read is not completed, and the others are sent', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'dimse-faults-'));
  t.after(() => rm(root, { recursive: true }));
  const [first, second, third] = images(3);
  const path = join(root, 'shrinking');
  await writeFile(path, Buffer.concat([second?.bytes ?? new Uint8Array(0), Buffer.alloc(3_000_000)]));
  // it is looked at, and has shrunk when its turn comes
  const look = (): { edits: [] } => {
    truncateSync(path, 1_000_000);
    return { edits: [] };
  };
  const items = [
    { id: '1', bytes: first?.bytes ?? new Uint8Array(0) },
    { id: '2', path, look },
    { id: '3', bytes: third?.bytes ?? new Uint8Array(0) },
  ];
  const { lines, requests, associations } = await play(t, {}, items);
  assert.deepEqual(lines, ['1 sent 0', '2 failed permanent FILE_CHANGED', '3 sent 0']);
  assert.equal(requests, 2);
  assert.equal(associations, 2);
});

test('store: a signal ends it, with an outcome for every item', async (t) => {
  const controller = new AbortController();
  const onStore: ScriptedScpOptions['onStore'] = (n) => {
    if (n === 2) controller.abort();
    return n === 2 ? 'never answer' : { status: 0 };
  };
  const { lines } = await play(t, { onStore }, images(4), { signal: controller.signal });
  assert.deepEqual(lines, [
    '1 sent 0',
    '2 failed ambiguous NO_RESPONSE',
    '3 failed transient CANCELLED',
    '4 failed transient CANCELLED',
  ]);
});

test('store: a caller that stops listening ends it in order', async (t) => {
  const scp = await startScriptedScp();
  t.after(() => scp.close());
  for await (const outcome of store({ ...scp, calledAet: 'A', callingAet: 'B' }, images(5))) {
    assert.equal(outcome.result, 'sent');
    break;
  }
  assert.ok(scp.requests.length <= 2);
});

test('store: a peer that takes nothing any more is left after its time', async (t) => {
  // answers the association request like a Storage SCP, and then reads no more
  const accepting = await startScriptedScp({ onStore: () => 'never answer' });
  t.after(() => accepting.close());
  const { connect } = await import('node:net');
  const proxy = createServer((client) => {
    const upstream = connect(accepting.port, '127.0.0.1');
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
    client.on('close', () => upstream.destroy());
    client.once('data', (request: Buffer) => {
      client.pause();
      upstream.write(request);
    });
    upstream.on('data', (answer: Buffer) => client.write(answer));
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => proxy.close());
  const address = proxy.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const [image] = images(1);
  const bytes = Buffer.concat([image?.bytes ?? new Uint8Array(0), Buffer.alloc(50_000_000)]);
  const peer = { host: '127.0.0.1', port, calledAet: 'A', callingAet: 'B', timeouts: TIMEOUTS };
  const lines: string[] = [];
  for await (const outcome of store(peer, [{ id: '1', bytes }, ...images(1)])) lines.push(line(outcome));
  assert.deepEqual(lines, ['1 failed transient DEST_LOST', '1 failed transient DEST_LOST']);
});
