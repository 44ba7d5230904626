/** C-STORE with several requests under way and several associations, against an acceptor made of our upper layer. */
import { strict as assert } from 'node:assert';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { accept, images, line, numbers, send, type Behaviour } from '@scanflow/testkit/dimse/store-acceptor';
import type { Message } from '../../message.ts';
import type { OpenFile } from './file.ts';
import type { StoreItem } from './order.ts';
import { store } from './store.ts';

/** Collects requests and answers them, the last first, once there are `count`. */
function together(count: number): { behaviour: Behaviour['onRequest']; most: () => number } {
  let held: (() => void)[] = [];
  let most = 0;
  const behaviour = (_: Message, answer: () => void): void => {
    held.push(answer);
    most = Math.max(most, held.length);
    if (held.length < count) return;
    for (const one of held.reverse()) one();
    held = [];
  };
  return { behaviour, most: () => most };
}

test('store: as many requests as the peer grants are under way, and answers may come in any order', async (t) => {
  const three = together(3);
  const { port, seen } = await accept(t, { granted: 3, onRequest: three.behaviour });
  const lines = await send(port, images(12));
  assert.deepEqual(lines.sort(), numbers(12).sort());
  assert.equal(three.most(), 3);
  assert.deepEqual(seen.proposed, [8]);
});

test('store: a grant without limit is held to what was asked', async (t) => {
  const five = together(5);
  const { port } = await accept(t, { granted: 0, onRequest: five.behaviour });
  await send(port, images(10), { operations: 5 });
  assert.equal(five.most(), 5);
});

test('store: one at a time where the peer says nothing, or nothing is asked', async (t) => {
  const onRequest = (_: Message, answer: () => void): void => answer();
  const silent = await accept(t, { onRequest });
  assert.deepEqual(await send(silent.port, images(5)), numbers(5));
  const modest = await accept(t, { granted: 4, onRequest });
  assert.deepEqual(await send(modest.port, images(5), { operations: 1 }), numbers(5));
  assert.deepEqual(modest.seen.proposed, [undefined]);
});

test('store: with several under way, a lost association leaves each with the outcome that is true of it', async (t) => {
  let count = 0;
  const { port } = await accept(t, {
    granted: 4,
    onRequest: (_, answer, association) => {
      count += 1;
      if (count === 1) answer();
      if (count === 4) association.abort('test');
    },
  });
  const lines = (await send(port, images(8))).sort();
  assert.equal(lines.length, 8);
  assert.equal(lines[0], '1 sent');
  assert.deepEqual(
    lines.slice(1, 4),
    ['2', '3', '4'].map((id) => `${id} ambiguous NO_RESPONSE`),
  );
  for (const rest of lines.slice(5)) assert.match(rest, /^[678] transient DEST_LOST$/);
});

test('store: an answer that comes before the last byte counts', async (t) => {
  // answered as soon as the request's command is there is what storage does that is full; here: at once, and by id
  const { port } = await accept(t, { granted: 2, onRequest: (_, answer) => answer() });
  assert.deepEqual((await send(port, images(3), { operations: 2 })).sort(), numbers(3));
});

test('store: associations side by side share the files, each of which goes once', async (t) => {
  const four = together(4);
  const { port, seen } = await accept(t, { onRequest: four.behaviour });
  const lines = await send(port, images(40), { associations: 4 });
  assert.deepEqual(lines.sort(), numbers(40).sort());
  assert.equal(seen.associations, 4);
  assert.equal(seen.most, 4);
});

test('store: a peer that takes fewer associations gets everything over those', async (t) => {
  const { port, seen } = await accept(t, { limit: 2, onRequest: (_, answer) => answer() });
  const lines = await send(port, images(30), { associations: 5 });
  assert.deepEqual(lines.sort(), numbers(30).sort());
  assert.ok(seen.most <= 2);
});

test('store: of two associations, one that is lost costs what was under way on it', async (t) => {
  let count = 0;
  const { port } = await accept(t, {
    onRequest: (_, answer, association) => {
      count += 1;
      if (count === 3) association.abort('test');
      else answer();
    },
  });
  const lines = (await send(port, images(30), { associations: 2 })).sort();
  assert.equal(lines.length, 30);
  assert.equal(lines.filter((one) => one.endsWith('sent')).length, 29);
  assert.equal(lines.filter((one) => one.endsWith('ambiguous NO_RESPONSE')).length, 1);
});

test('store: what the source throws reaches the caller, after the outcomes of what it gave', async (t) => {
  const { port } = await accept(t, { onRequest: (_, answer) => answer() });
  const outcomes: string[] = [];
  function* broken(): Generator<StoreItem> {
    yield* images(2);
    throw new Error('no more');
  }
  const peer = { host: '127.0.0.1', port, calledAet: 'A', callingAet: 'B' };
  await assert.rejects(async () => {
    for await (const outcome of store(peer, broken())) outcomes.push(line(outcome));
  }, /no more/);
  assert.deepEqual(outcomes, numbers(2));
});

test('store: a look at the head refuses, asks for more, and edits what leaves', async (t) => {
  const arrived: Buffer[] = [];
  const { port } = await accept(t, {
    onRequest: ({ dataSet }, answer) => {
      arrived.push(Buffer.from(dataSet ?? []));
      answer();
    },
  });
  const [image] = images(1);
  const bytes = Buffer.concat([image?.bytes ?? Buffer.alloc(0), Buffer.alloc(400_000)]);
  const lengths: number[] = [];
  const insert = Buffer.from('inserted');
  const items: StoreItem[] = [
    { id: 'refused', bytes, look: () => ({ failure: { kind: 'permanent', code: 'MINE', message: 'no' } }) },
    {
      id: 'edited',
      bytes,
      look: ({ head, size }) => {
        lengths.push(head.length);
        return { edits: [{ offset: size - 300_000, remove: 2, insert }] };
      },
    },
  ];
  assert.deepEqual(await send(port, items), ['refused permanent MINE', 'edited sent']);
  assert.equal(arrived.length, 1);
  const at = bytes.length - 300_000;
  const expected = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + 2)]);
  const offset = expected.length - (arrived[0]?.length ?? 0);
  assert.ok(arrived[0]?.equals(expected.subarray(offset)));
});

/** An image with a value of so many bytes behind its pixels. */
function grown(bytes: Uint8Array | undefined, length: number): Buffer {
  const header = Buffer.from('e17f1000 4f420000 00000000'.replaceAll(' ', ''), 'hex');
  header.writeUInt32LE(length, 8);
  return Buffer.concat([bytes ?? Buffer.alloc(0), header, randomBytes(length)]);
}

// 200: more pieces in a write than the system reads into at once
for (const maximumLength of [200, 16_384, 131_072])
  test(`store: files that are read while they leave arrive byte for byte in PDUs of ${maximumLength}`, async (t) => {
    const arrived: Buffer[] = [];
    const { port } = await accept(t, {
      maximumLength,
      onRequest: ({ dataSet }, answer) => {
        arrived.push(Buffer.from(dataSet ?? []));
        answer();
      },
    });
    const folder = await mkdtemp(join(tmpdir(), 'scanflow-store-'));
    t.after(() => rm(folder, { recursive: true }));
    const [image] = images(1);
    const items: StoreItem[] = [];
    const files: Buffer[] = [];
    // read at once, and in pieces
    for (const length of [100_000, 3_000_000, 5_000_000]) {
      const bytes = grown(image?.bytes, length);
      const path = join(folder, `${length}.dcm`);
      await writeFile(path, bytes);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      items.push({ id: `${length}`, path, sha256 }, { id: `${length} elsewhere`, open: () => reader(path) });
      files.push(bytes, bytes);
    }
    for (const inPlace of [true, false]) {
      arrived.length = 0;
      assert.deepEqual(
        await send(port, items, { inPlace }),
        items.map(({ id }) => `${id} sent`),
      );
      assert.equal(arrived.length, files.length);
      for (const [index, bytes] of files.entries()) {
        const dataSet = arrived[index] ?? Buffer.alloc(0);
        assert.ok(bytes.subarray(bytes.length - dataSet.length).equals(dataSet) && dataSet.length > 100_000);
      }
    }
  });

/** A file that is no file on disk: it reads into one buffer at a time. */
async function reader(path: string): Promise<OpenFile> {
  const bytes = await readFile(path);
  return {
    size: bytes.length,
    read: (buffer, length, position) => bytes.copy(buffer, 0, position, position + length),
    close: () => undefined,
  };
}
