/** SCPs with scripted behaviour, for tests of their callers: Storage, made of dcmjs-dimse; Storage Commitment, of our listener. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import dcmjsDimse from 'dcmjs-dimse';
import {
  commitmentReport,
  readCommitmentRequest,
  sopClasses,
  transferSyntaxes,
  type CommitmentReport,
  type CommitmentRequest,
} from '@scanflow/dicom';
import { listen, reportCommitment, type ActionRequest, type ReportOutcome } from '@scanflow/dimse';
import { listenOnLoopback } from './process.ts';

/**
 * What it does with a C-STORE request: answers with the status (and closes the connection then), aborts, closes the connection, never answers, or
 * answers for another instance.
 */
export type StoreStep =
  | { readonly status: number; readonly comment?: string; readonly then?: 'close' }
  | 'abort'
  | 'close'
  | 'never answer'
  | 'answer for another instance';

/** `never answer`: takes the connection and keeps silent. */
type AssociationStep =
  'accept' | 'never answer' | { readonly result: number; readonly source: number; readonly reason: number };

export interface ScriptedScpOptions {
  /** Called per C-STORE request; `count` is 1 for the first one of this SCP. Default: status 0x0000. */
  readonly onStore?: (count: number, sopInstanceUid: string) => StoreStep;
  /** Default: accepts. A function decides for each association. */
  readonly onAssociation?: AssociationStep | (() => AssociationStep);
  /** Result per proposed context: 0 accepts (default), 1 to 4 refuse. */
  readonly contextResult?: (sopClassUid: string, transferSyntaxUids: readonly string[]) => 0 | 1 | 2 | 3 | 4;
  /** False: the release request is never answered. Default true. */
  readonly release?: boolean;
}

export interface ScriptedScp {
  readonly port: number;
  readonly host: '127.0.0.1';
  /** SOP Instance UIDs of the C-STORE requests so far, in order. */
  readonly requests: readonly string[];
  /** Association requests so far. */
  associations(): number;
  close(): Promise<void>;
}

/** Listens on a free loopback port. */
export async function startScriptedScp(options: ScriptedScpOptions = {}): Promise<ScriptedScp> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  let associations = 0;
  const script: Script = {
    options,
    requested: (uid) => requests.push(uid),
    associated: () => (associations += 1),
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    new Scripted(socket, script);
  });
  const port = await listenOnLoopback(server);
  return {
    port,
    host: '127.0.0.1',
    requests,
    associations: () => associations,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

interface Script {
  readonly options: ScriptedScpOptions;
  requested(uid: string): number;
  associated(): void;
}
type Association = Parameters<InstanceType<typeof dcmjsDimse.Scp>['associationRequested']>[0];
// it prints every message by default
dcmjsDimse.log.setLevel('silent');

type StoreRequest = Parameters<InstanceType<typeof dcmjsDimse.Scp>['cStoreRequest']>[0];
type StoreAnswer = Parameters<InstanceType<typeof dcmjsDimse.Scp>['cStoreRequest']>[1];
type Made = Parameters<InstanceType<typeof dcmjsDimse.Scp>['createDatasetFromStoreWritableStream']>[2];

class Scripted extends dcmjsDimse.Scp {
  readonly #socket: Socket;
  readonly #script: Script;

  constructor(socket: Socket, script: Script) {
    super(socket, {});
    this.#socket = socket;
    this.#script = script;
    // without a listener its errors (a peer that aborts or closes) would end the process
    this.on('networkError', () => undefined);
  }

  override associationRequested(association: Association): void {
    const { onAssociation = 'accept', contextResult = () => 0 } = this.#script.options;
    this.#script.associated();
    const step = typeof onAssociation === 'function' ? onAssociation() : onAssociation;
    if (step === 'never answer') return;
    if (step !== 'accept') {
      this.sendAssociationReject(step.result, step.source, step.reason);
      return;
    }
    for (const { context } of association.getPresentationContexts()) {
      const syntaxes = [...context.getTransferSyntaxUids()];
      const result = contextResult(context.getAbstractSyntaxUid(), syntaxes);
      context.setResult(result, syntaxes[0]);
    }
    this.sendAssociationAccept();
  }

  override associationReleaseRequested(): void {
    if (this.#script.options.release !== false) this.sendAssociationReleaseResponse();
  }

  override abort(): void {
    this.#socket.destroy();
  }

  /** The images are not looked at. */
  override createStoreWritableStream(): Writable {
    return new Writable({ write: (_chunk, _encoding, done) => done() });
  }

  override createDatasetFromStoreWritableStream(_writable: Writable, _context: unknown, made: Made): void {
    made(new dcmjsDimse.Dataset());
  }

  override cStoreRequest(request: StoreRequest, answer: StoreAnswer): void {
    const uid = request.getAffectedSopInstanceUid();
    const count = this.#script.requested(uid);
    const step = this.#script.options.onStore?.(count, uid) ?? { status: 0 };
    if (step === 'never answer') return;
    if (step === 'close') this.#socket.destroy();
    else if (step === 'abort') this.sendAbort(2, 0);
    else {
      answer(responseTo(request, step));
      if (typeof step === 'object' && step.then === 'close') this.#socket.end();
    }
  }

  override cEchoRequest(
    request: Parameters<InstanceType<typeof dcmjsDimse.Scp>['cEchoRequest']>[0],
    answer: Parameters<InstanceType<typeof dcmjsDimse.Scp>['cEchoRequest']>[1],
  ): void {
    const response = dcmjsDimse.responses.CEchoResponse.fromRequest(request);
    response.setStatus(0);
    answer(response);
  }
}

function responseTo(
  request: StoreRequest,
  step: Exclude<StoreStep, 'abort' | 'close' | 'never answer'>,
): InstanceType<typeof dcmjsDimse.responses.CStoreResponse> {
  const response = dcmjsDimse.responses.CStoreResponse.fromRequest(request);
  if (step === 'answer for another instance') {
    response.setStatus(0);
    response.setAffectedSopInstanceUid('1.2.3.4.5.6.7.8.9');
    return response;
  }
  response.setStatus(step.status);
  if (step.comment !== undefined) response.setErrorComment(step.comment);
  return response;
}

/** `again`: the same report this many times. Without `same` it calls back. */
export interface CommitmentStep {
  /** Of the response to N-ACTION; default 0000. What is refused is not reported. */
  readonly status?: number;
  /** What is reported; default: all of it is committed. `never`: nothing. */
  readonly report?: CommitmentReport | 'never';
  /** On the association of the request, before it is over. */
  readonly same?: boolean;
  readonly times?: number;
}

export interface CommitmentScpOptions {
  readonly aet: string;
  /** Where reports go that do not come on the same association. */
  readonly callback?: { readonly port: number; readonly calledAet: string };
  /** For each request, `count` from 1; default: all is committed, and it calls back. */
  readonly onRequest?: (count: number, request: CommitmentRequest) => CommitmentStep;
  /** Transfer syntaxes that it takes; default both of little endian. */
  readonly transferSyntaxes?: readonly string[];
}

export interface CommitmentScp {
  readonly port: number;
  readonly requests: readonly CommitmentRequest[];
  /** What became of the reports so far: the status, or the code of the failure. */
  readonly answers: readonly (number | string)[];
  /** Reports unasked, as another would: `from` is the AE title that calls. */
  report(report: CommitmentReport, options?: { from?: string; selectRole?: boolean }): Promise<ReportOutcome>;
  close(): Promise<void>;
}

/** All of a request is safe. */
export const allCommitted = ({ transactionUid, references }: CommitmentRequest): CommitmentReport => ({
  transactionUid,
  committed: references,
  failed: [],
});

/** Listens on a free loopback port. */
export async function startCommitmentScp(options: CommitmentScpOptions): Promise<CommitmentScp> {
  const requests: CommitmentRequest[] = [];
  const answers: (number | string)[] = [];
  const calls: Promise<void>[] = [];
  const stopping = new AbortController();
  const call: CommitmentScp['report'] = (report, { from = options.aet, selectRole = true } = {}) => {
    const { callback } = options;
    if (callback === undefined) throw new Error('there is nobody to call back');
    const peer = { host: '127.0.0.1', ...callback, callingAet: from };
    return reportCommitment(peer, report, { selectRole, signal: stopping.signal });
  };
  const say = async (action: ActionRequest, request: CommitmentRequest, step: CommitmentStep) => {
    const report = step.report ?? allCommitted(request);
    if (report === 'never') return;
    for (let time = 0; time < (step.times ?? 1); time += 1) {
      if (step.same === true) {
        const { eventType, information } = commitmentReport(report);
        answers.push((await action.report(eventType, information)) ?? 'no answer');
      } else {
        const outcome = await call(report);
        answers.push(outcome.ok ? outcome.status : outcome.failure.code);
      }
    }
  };
  const nothing = (): void => undefined;
  const listening = await listen({
    bind: '127.0.0.1',
    port: 0,
    admit: () => ({ accept: true }),
    contexts: [
      {
        abstractSyntax: sopClasses.storageCommitmentPush,
        transferSyntaxes: options.transferSyntaxes ?? [
          transferSyntaxes.explicitVRLittleEndian,
          transferSyntaxes.implicitVRLittleEndian,
        ],
        operations: ['N-ACTION'],
      },
    ],
    onAction: (action) => {
      const request = readCommitmentRequest(action.information);
      if (request === undefined) return Promise.resolve({ status: 0x0115 });
      requests.push(request);
      const step = options.onRequest?.(requests.length, request) ?? {};
      const { status = 0 } = step;
      // after the response, which is on its way once this returns
      if (status === 0) setImmediate(() => calls.push(say(action, request, step)));
      return Promise.resolve({ status });
    },
    log: { error: nothing, warn: nothing, info: nothing, debug: nothing },
    limits: { closeMs: 100 },
  });
  return {
    port: listening.port,
    requests,
    answers,
    report: call,
    close: async () => {
      stopping.abort();
      await listening.close();
      await Promise.all(calls);
    },
  };
}
