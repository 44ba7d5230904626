/** A scanner that keeps its association open, for timing queries: it parses no answer, so that the servers are measured. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { defined, given } from '@scanflow/failure/defined';
import { encodeDataSet, sopClasses, transferSyntaxes, type DataSet } from '@scanflow/dicom';
import { request } from '@scanflow/testkit/dimse/raw-peer';
import { encodeCommand, decodeCommand } from '../../packages/dimse/src/message.ts';
import { encodePdu, fragments } from '../../packages/dimse/src/ul/encode.ts';
import type { Pdu } from '../../packages/dimse/src/ul/pdu.ts';
import { PduReader } from '../../packages/dimse/src/ul/reader.ts';

export interface Timing {
  /** Milliseconds from the request to its final response, and to the first one. */
  readonly total: number;
  readonly first: number;
  readonly answers: number;
}

export interface Asker {
  /** One C-FIND; throws unless it ends with success. */
  ask(identifier: DataSet): Promise<Timing>;
  /** One C-ECHO; milliseconds. */
  echo(): Promise<number>;
  /** Releases and waits for the connection's end. */
  close(): Promise<void>;
}

const SYNTAX = transferSyntaxes.explicitVRLittleEndian;
const FIND = 1;
const ECHO = 3;

/** Opens an association; throws where it is refused. */
export async function openAssociation(
  { port }: { readonly port: number },
  callingAet: string,
  localAddress?: string,
): Promise<Asker> {
  const socket = connect({
    port,
    host: '127.0.0.1',
    noDelay: true,
    ...defined({ localAddress }),
  });
  const reader = new PduReader({ dataBytes: 0xffff_ffff, associateBytes: 0xffff_ffff });
  let onPdu: (pdu: Pdu) => void = () => undefined;
  let onLost: (error: Error) => void = () => undefined;
  const closed = once(socket, 'close');
  closed.catch(() => undefined);
  socket.on('data', (chunk: Buffer) => {
    for (const pdu of reader.push(chunk)) onPdu(pdu);
  });
  socket.on('error', (error) => onLost(error));
  socket.on('close', () => onLost(new Error('the connection ended')));
  const wait = <T>(take: (pdu: Pdu) => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      onLost = reject;
      onPdu = (pdu) => {
        const value = take(pdu);
        if (value !== undefined) resolve(value);
        else if (pdu.type === 'abort' || pdu.type === 'associate-rj') reject(new Error(`got ${pdu.type}`));
      };
    });
  const contexts = [
    { id: FIND, abstractSyntax: sopClasses.modalityWorklistFind, transferSyntaxes: [SYNTAX] },
    { id: ECHO, abstractSyntax: sopClasses.verification, transferSyntaxes: [SYNTAX] },
  ];
  const accepted = wait((pdu) => (pdu.type === 'associate-ac' ? true : undefined));
  socket.write(encodePdu(request({ calledAet: 'SCANFLOW', callingAet, contexts })));
  await accepted;

  let messageId = 0;
  const send = (contextId: number, sopClass: string, commandField: number, data?: Uint8Array): void => {
    messageId = (messageId % 0xffff) + 1;
    const command = encodeCommand({
      affectedSopClassUid: sopClass,
      commandField,
      messageId,
      ...defined({ priority: given(data, () => 0) }),
      dataSetType: data === undefined ? 0x0101 : 0x0102,
    });
    const target = { contextId, size: 16_000 };
    const pieces = fragments(command, true, { ...target, command: true });
    if (data !== undefined) pieces.push(...fragments(data, true, { ...target, command: false }));
    socket.write(Buffer.concat(pieces));
  };
  return {
    ask: async (identifier) => {
      const data = encodeDataSet(identifier, SYNTAX, 'ISO_IR 100');
      const started = performance.now();
      let first: number | undefined;
      let answers = 0;
      const final = wait((pdu) => {
        if (pdu.type !== 'p-data') return undefined;
        for (const { command, data: bytes } of pdu.values) {
          if (!command) continue;
          const { status = 0 } = decodeCommand(bytes);
          first ??= performance.now() - started;
          if (status !== 0xff00 && status !== 0xff01) return status;
          answers += 1;
        }
        return undefined;
      });
      send(FIND, sopClasses.modalityWorklistFind, 0x0020, data);
      const status = await final;
      if (status !== 0) throw new Error(`the query ended with status ${status.toString(16)}`);
      const total = performance.now() - started;
      return { total, first: first ?? total, answers };
    },
    echo: async () => {
      const started = performance.now();
      const answered = wait((pdu) => (pdu.type === 'p-data' ? true : undefined));
      send(ECHO, sopClasses.verification, 0x0030);
      await answered;
      return performance.now() - started;
    },
    close: async () => {
      const released = wait((pdu) => (pdu.type === 'release-rp' ? true : undefined));
      socket.write(encodePdu({ type: 'release-rq' }));
      await released;
      onLost = () => undefined;
      socket.end();
      await closed;
    },
  };
}
