/** An acceptor of C-STORE made of our upper layer, and images to send to it. */
import { createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { defined, given } from '@scanflow/failure/defined';
import { APPLICATION_CONTEXT, makeSeries } from '@scanflow/dicom';
import { Association } from '../../../dimse/src/association.ts';
import { type Message, NO_DATA_SET } from '../../../dimse/src/message.ts';
import type { StoreOutcome, StoreItem, StoreOptions } from '../../../dimse/src/scu/store/order.ts';
import { store } from '../../../dimse/src/scu/store/store.ts';
import type { AssociateAc, AssociateRq } from '../../../dimse/src/ul/pdu.ts';
import { listenOnLoopback } from '../process.ts';

interface Acceptor {
  readonly port: number;
  /** Associations so far, and the most at a time. */
  readonly seen: { associations: number; most: number; proposed: (number | undefined)[] };
}

export interface Behaviour {
  /** Granted operations; undefined: the item is not answered. */
  readonly granted?: number;
  /** Longest P-DATA-TF PDU that it takes. */
  readonly maximumLength?: number;
  /** Associations beyond so many are rejected: temporary congestion. */
  readonly limit?: number;
  /** Is given each request, and calls `answer` when it likes. */
  readonly onRequest: (message: Message, answer: () => void, association: Association) => void;
}

export async function accept(t: TestContext, behaviour: Behaviour): Promise<Acceptor> {
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
        return accepted(request, behaviour);
      },
    });
    void serve(association, behaviour);
  });
  const port = await listenOnLoopback(server);
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port, seen };
}

function accepted(request: AssociateRq, { granted, maximumLength = 16_384 }: Behaviour): AssociateAc {
  const contexts = request.contexts.map(({ id, transferSyntaxes }) => ({
    id,
    result: 0 as const,
    transferSyntax: transferSyntaxes[0] ?? '',
  }));
  const window = defined({
    asyncOperations: given(granted, (granted) => ({ invoked: granted, performed: 1 })),
  });
  const user = { maximumLength, implementationClassUid: '1.2.3', roles: [], ...window };
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

export function images(count: number): StoreItem[] {
  const when = Temporal.ZonedDateTime.from('2026-11-22T09:00[Europe/Amsterdam]');
  const series = makeSeries({ modality: 'MR', images: count, rows: 16, columns: 16, when, seed: 1 });
  return [...series].map(({ bytes }, index) => ({ id: String(index + 1), bytes }));
}

export async function send(
  port: number,
  items: Iterable<StoreItem>,
  options: StoreOptions = {},
): Promise<string[]> {
  const peer = { host: '127.0.0.1', port, calledAet: 'A', callingAet: 'B' };
  const lines: string[] = [];
  for await (const outcome of store(peer, items, options)) lines.push(line(outcome));
  return lines;
}

export const line = (outcome: StoreOutcome): string =>
  outcome.result === 'failed'
    ? `${outcome.id} ${outcome.failure.kind} ${outcome.failure.code}`
    : `${outcome.id} ${outcome.result}`;

export const numbers = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${index + 1} sent`);
