/** C-STORE with several requests under way and several associations, against an acceptor made of our upper layer. */
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { APPLICATION_CONTEXT, makeSeries } from '@scanflow/dicom';
import { Association } from '../association.ts';
import { NO_DATA_SET } from '../message/command.ts';
import type { Message } from '../message/assembler.ts';
import type { AssociateAc, AssociateRq } from '../ul/pdu.ts';
import type { StoreOutcome } from './store-outcome.ts';
import { store, type StoreOptions } from './store.ts';
import type { StoreItem } from './store-source.ts';

interface Acceptor {
  readonly port: number;
  /** Associations so far, and the most at a time. */
  readonly seen: { associations: number; most: number; proposed: (number | undefined)[] };
}

interface Behaviour {
  /** Granted operations; undefined: the item is not answered. */
  readonly granted?: number;
  /** Associations beyond so many are rejected: temporary congestion. */
  readonly limit?: number;
  /** Is given each request, and calls `answer` when it likes. */
  readonly onRequest: (message: Message, answer: () => void, association: Association) => void;
}

async function accept(t: TestContext, behaviour: Behaviour): Promise<Acceptor> {
  const seen: Acceptor['seen'] = { associations: 0, most: 0, proposed: [] };
  const sockets = new Set<Socket>();
  let open = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    const association = new Association(socket, {
      role: 'acceptor',
      limits: { dataBytes: 131_072, associateBytes: 131_072, commandBytes: 16_384, dataSetBytes: 1e9 },
      artimMs: 1_000,
      stallMs: 60_000,
      answer: (request) => {
        seen.proposed.push(request.user.asyncOperations?.invoked);
        if (behaviour.limit !== undefined && open >= behaviour.limit)
          return { type: 'associate-rj', result: 2, source: 3, reason: 1 };
        open += 1;
        seen.associations += 1;
        seen.most = Math.max(seen.most, open);
        void association.ended.then(() => (open -= 1));
        return accepted(request, behaviour.granted);
      },
    });
    void serve(association, behaviour);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return { port: typeof address === 'object' ? (address?.port ?? 0) : 0, seen };
}

function accepted(request: AssociateRq, granted: number | undefined): AssociateAc {
  const contexts = request.contexts.map(({ id, transferSyntaxes }) => ({
    id,
    result: 0 as const,
    transferSyntax: transferSyntaxes[0] ?? '',
  }));
  const window = granted === undefined ? {} : { asyncOperations: { invoked: granted, performed: 1 } };
  const user = { maximumLength: 16_384, implementationClassUid: '1.2.3', roles: [], ...window };
  const { calledAet, callingAet } = request;
  return {
    type: 'associate-ac',
    protocolVersion: 1,
    applicationContext: APPLICATION_CONTEXT,
    calledAet,
    callingAet,
    contexts,
    user,
  };
}

async function serve(association: Association, { onRequest }: Behaviour): Promise<void> {
  for (;;) {
    const message = await association.receive();
    if (message === undefined) return;
    const { messageId = 0, affectedSopClassUid = '', affectedSopInstanceUid = '' } = message.command;
    const answer = (): void =>
      void association.send(message.contextId, {
        affectedSopClassUid,
        commandField: 0x8001,
        messageIdBeingRespondedTo: messageId,
        dataSetType: NO_DATA_SET,
        status: 0,
        affectedSopInstanceUid,
      });
    onRequest(message, answer, association);
  }
}

function images(count: number): StoreItem[] {
  const when = Temporal.ZonedDateTime.from('2026-11-22T09:00[Europe/Amsterdam]');
  const series = makeSeries({ modality: 'MR', images: count, rows: 16, columns: 16, when, seed: 1 });
  return [...series].map(({ bytes }, index) => ({ id: String(index + 1), bytes }));
}

async function send(port: number, items: Iterable<StoreItem>, options: StoreOptions = {}): Promise<string[]> {
  const peer = { host: '127.0.0.1', port, calledAet: 'A', callingAet: 'B' };
  const lines: string[] = [];
  for await (const outcome of store(peer, items, options)) lines.push(line(outcome));
  return lines;
}

const line = (outcome: StoreOutcome): string =>
  outcome.result === 'failed'
    ? `${outcome.id} ${outcome.failure.kind} ${outcome.failure.code}`
    : `${outcome.id} ${outcome.result}`;

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => `${index + 1} sent`);

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
