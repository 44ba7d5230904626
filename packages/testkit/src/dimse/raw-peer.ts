/** An SCP on a free port, with what it logged; and a requestor that writes PDUs by hand, so that it can do what no real peer would. */
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { dataSet, encodeDataSet, sopClasses, transferSyntaxes, APPLICATION_CONTEXT } from '@scanflow/dicom';
import { connect, type Socket } from 'node:net';
import { type Command, encodeCommand, Assembler, type Message } from '../../../dimse/src/message.ts';
import { listen } from '../../../dimse/src/scp/listen.ts';
import type {
  AsyncMatches,
  FindHandler,
  FindRequest,
  ScpLimits,
  ScpOptions,
} from '../../../dimse/src/scp/types.ts';
import type { Pdu, AssociateRq, ProposedContext } from '../../../dimse/src/ul/pdu.ts';
import { encodePdu, fragments } from '../../../dimse/src/ul/encode.ts';
import { PduReader } from '../../../dimse/src/ul/reader.ts';

export const MWL = sopClasses.modalityWorklistFind;
export const EXPLICIT = transferSyntaxes.explicitVRLittleEndian;
export const IMPLICIT = transferSyntaxes.implicitVRLittleEndian;
export const identifier = encodeDataSet(dataSet({ PatientName: '' }), EXPLICIT);
export const FIND: Command = {
  affectedSopClassUid: MWL,
  commandField: 0x0020,
  messageId: 7,
  priority: 0,
  dataSetType: 0x0001,
};
export const ECHO: Command = {
  affectedSopClassUid: sopClasses.verification,
  commandField: 0x0030,
  messageId: 9,
  dataSetType: 0x0101,
};

export interface Bench {
  readonly port: number;
  /** Handler calls. */
  readonly calls: number[];
  /** Everything that was logged, as one text. */
  readonly logged: string[];
  /** A new raw peer, connected; from another loopback address where one is given. */
  readonly raw: (localAddress?: string) => RawPeer;
  readonly close: () => Promise<void>;
}

/** Yields three matches. */
export const three: (request: FindRequest) => AsyncMatches = async function* () {
  for (const name of ['A', 'B', 'C']) {
    await pause(0);
    yield {
      status: 0xff00,
      identifier: dataSet({ PatientName: `Secret^${name}`, StudyInstanceUID: '1.2.3' }),
      characterSet: 'ISO_IR 100',
    };
  }
  return { status: 0 };
};

/** A listening SCP that serves MWL to everyone but STRANGER; ended with the test. */
export async function bench(
  t: TestContext,
  onFind: FindHandler = three,
  limits: Partial<ScpLimits> = {},
  change: Partial<ScpOptions> = {},
): Promise<Bench> {
  const calls: number[] = [];
  const logged: string[] = [];
  const raws: RawPeer[] = [];
  const write = (event: string, fields?: object): void =>
    void logged.push(`${event} ${JSON.stringify(fields)}`);
  const listening = await listen({
    bind: '127.0.0.1',
    port: 0,
    admit: ({ callingAet }) =>
      callingAet === 'STRANGER'
        ? { accept: false, result: 1, source: 1, reason: 3, why: 'not listed' }
        : { accept: true },
    contexts: [{ abstractSyntax: MWL, transferSyntaxes: [EXPLICIT, IMPLICIT] }],
    onFind: (found) => {
      calls.push(1);
      return onFind(found);
    },
    log: { error: write, warn: write, info: write, debug: write },
    limits: { closeMs: 200, ...limits },
    ...change,
  });
  t.after(async () => {
    for (const raw of raws) raw.socket.destroy();
    await listening.close();
  });
  const raw = (localAddress?: string): RawPeer => {
    const made = new RawPeer(listening.port, localAddress);
    raws.push(made);
    return made;
  };
  return { port: listening.port, calls, logged, raw, close: () => listening.close() };
}

export async function* first<T>(
  all: AsyncGenerator<T, unknown, undefined>,
): AsyncGenerator<T, void, undefined> {
  const { value, done } = await all.next();
  if (done !== true) yield value;
}

/** Matches for ever; `finished` tells that it was let go. */
export function endless(): { handler: FindHandler; finished: () => boolean } {
  let finished = false;
  const handler: FindHandler = async function* (found) {
    try {
      for (;;) yield* three(found);
    } finally {
      finished = true;
    }
  };
  return { handler, finished: () => finished };
}

export const abort = (source: number, reason: number): Pdu => ({ type: 'abort', source, reason });

/** What came and is waited for, in order. */
class Inbox<T> {
  readonly #waiting: ((value: T) => void)[] = [];
  readonly #come: T[] = [];

  push(value: T): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#come.push(value);
    else waiting(value);
  }

  async take(what: string): Promise<T> {
    const value = this.#come.shift();
    if (value !== undefined) return value;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.push(resolve);
    const timer = setTimeout(() => {
      // whoever has given up takes nothing from the next one who waits
      this.#waiting.splice(this.#waiting.indexOf(resolve), 1);
      reject(new Error(`waited in vain for ${what}`));
    }, 5_000);
    return promise.finally(() => clearTimeout(timer));
  }
}

/** A requestor without manners. Contexts: 1 worklist (explicit), 3 verification, 5 nothing we serve. */
export class RawPeer {
  readonly socket: Socket;
  readonly #reader = new PduReader({ dataBytes: 0xffff_ffff, associateBytes: 0xffff_ffff });
  readonly #assembler = new Assembler({ commandBytes: 1e6, dataSetBytes: 1e6 }, () => true);
  readonly #pdus = new Inbox<Pdu>();
  readonly #messages = new Inbox<Message>();
  readonly #gone = Promise.withResolvers<undefined>();
  closed = false;
  /** Longest variable field of the P-DATA-TF PDUs received. */
  longest = 0;

  /** @param localAddress another loopback address is another peer */
  constructor(port: number, localAddress = '127.0.0.1') {
    this.socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
    this.socket.on('data', (chunk: Buffer) => {
      for (const pdu of this.#reader.push(chunk)) this.#take(pdu);
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.closed = true;
      this.#gone.resolve(undefined);
    });
  }

  #take(pdu: Pdu): void {
    if (pdu.type !== 'p-data') {
      this.#pdus.push(pdu);
      return;
    }
    this.longest = Math.max(
      this.longest,
      pdu.values.reduce((sum, { data }) => sum + data.length + 6, 0),
    );
    for (const value of pdu.values) {
      const message = this.#assembler.push(value);
      if (message !== undefined) this.#messages.push(message);
    }
  }

  write(...pieces: Uint8Array[]): void {
    this.socket.write(Buffer.concat(pieces));
  }

  pdu(what: string): Promise<Pdu> {
    return this.#pdus.take(what);
  }

  message(what: string): Promise<Message> {
    return this.#messages.take(what);
  }

  /** Resolves when the connection is gone. */
  async ended(timeoutMs = 5_000): Promise<void> {
    const timer = setTimeout(() => this.#gone.reject(new Error('the connection stays open')), timeoutMs);
    await this.#gone.promise.finally(() => clearTimeout(timer));
  }

  async associate(change: Partial<AssociateRq> = {}, maximumLength = 16_384): Promise<Pdu> {
    this.write(encodePdu(request(change, maximumLength)));
    return this.pdu('an answer to the association request');
  }

  send(contextId: number, command: Command, data?: Uint8Array): void {
    this.write(...message(contextId, command, data));
  }

  async status(contextId: number, command: Command, data?: Uint8Array): Promise<number | undefined> {
    this.send(contextId, command, data);
    return (await this.message('a response')).command.status;
  }
}

/** The beginning of a message, whose data set goes on. */
export function beginning(contextId: number, command: Command, data: Uint8Array): Uint8Array[] {
  const target = { contextId, size: 10_000 };
  return [
    ...fragments(encodeCommand(command), true, { ...target, command: true }),
    ...fragments(data, false, { ...target, command: false }),
  ];
}

export function request(change: Partial<AssociateRq> = {}, maximumLength = 16_384): AssociateRq {
  const context = (id: number, abstractSyntax: string, ...syntaxes: string[]): ProposedContext => ({
    id,
    abstractSyntax,
    transferSyntaxes: syntaxes,
  });
  return {
    type: 'associate-rq',
    protocolVersion: 1,
    calledAet: 'SCP',
    callingAet: 'RAW',
    applicationContext: APPLICATION_CONTEXT,
    contexts: [
      context(5, sopClasses.ctImageStorage, IMPLICIT),
      context(1, sopClasses.modalityWorklistFind, IMPLICIT, EXPLICIT),
      context(3, sopClasses.verification, IMPLICIT),
    ],
    user: { maximumLength, implementationClassUid: '1.2.3', roles: [] },
    ...change,
  };
}

/** A message as PDUs, for RawPeer.write(). */
export function message(contextId: number, command: Command, data?: Uint8Array): Uint8Array[] {
  const target = { contextId, size: 10_000 };
  return [
    ...fragments(encodeCommand(command), true, { ...target, command: true }),
    ...(data === undefined ? [] : fragments(data, true, { ...target, command: false })),
  ];
}
