/** Tests only: an SCP on a free port, with what it logged, and raw peers for it. */
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { dataSet, encodeDataSet, sopClasses, transferSyntaxes } from '@scanflow/dicom';
import type { Command } from '../../../dimse/src/message/command.ts';
import { listen } from '../../../dimse/src/scp/listen.ts';
import type {
  AsyncMatches,
  FindHandler,
  FindRequest,
  ScpLimits,
  ScpOptions,
} from '../../../dimse/src/scp/types.ts';
import type { Pdu } from '../../../dimse/src/ul/pdu.ts';
import { RawPeer } from './raw-peer.ts';

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
