/** A Storage Commitment SCP with scripted behaviour, made of our own listener: for tests of its callers. */
import {
  commitmentReport,
  readCommitmentRequest,
  sopClasses,
  transferSyntaxes,
  type CommitmentReport,
  type CommitmentRequest,
} from '@scanflow/dicom';
import { listen, reportCommitment, type ActionRequest, type ReportOutcome } from '@scanflow/dimse';

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
