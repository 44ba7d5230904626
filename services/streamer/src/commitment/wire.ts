/** Storage commitment on the wire: requests to destinations, and the port for their reports (PS3.4 J.3). */
import { defined } from '@scanflow/failure/defined';
import type { Config } from '@scanflow/config';
import { openTlsStore, type Log } from '@scanflow/runtime';
import {
  tlsAcceptor,
  type TlsAcceptor,
  type TlsCredentials,
  commitmentReports,
  listen,
  newTransactionUid,
  onCommitmentEvent,
  REPORT_STATUS,
  requestCommitment,
  type AssociationInfo,
  type DimseLog,
  type Listening,
  type Peer,
  type ReportHandler,
} from '@scanflow/dimse';
import { rejectCalled, rejectCalling, type Decision } from '@scanflow/dimse/access';
import { describeFailureReason, type CommitmentReport } from '@scanflow/dicom';
import { permanent } from '@scanflow/failure';
import type { Metrics } from '../http/metrics.ts';
import type { Ledger } from '../ledger/tx.ts';
import type { Clock, Settings } from '../model/settings.ts';
import type { Wake } from '../work/wake.ts';
import type { Reported, ReportedOutcome, Committing } from './plan.ts';
import { reported } from './sql.ts';

interface CommitmentDeps {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly wakes: Readonly<Record<'legs', Wake>>;
}

interface Commitments {
  readonly committing: readonly Committing[];
  readonly close: () => Promise<void>;
}

/** Listens where the configuration says so. Throws where the port is taken, or a file of TLS cannot be used. */
export async function openCommitments(
  config: Pick<Config, 'commitments'>,
  { commitments: committers = [] }: Settings,
  { ledger, clock, log, metrics, wakes }: CommitmentDeps,
): Promise<Commitments> {
  const reports: Reports = {
    ledger,
    now: clock.now,
    log,
    onTaken: ({ target, committed }) => {
      metrics.committed(target, committed);
      wakes.legs.notify();
    },
  };
  const committing = committers.map((one) => ({ ...one, asker: askerOf(one, reports) }));
  if (config.commitments === undefined) return { committing, close: () => Promise.resolve() };
  const { bind, port } = config.commitments;
  const security = await openAcceptor(config.commitments.tls, log);
  const listening = await listenForReports({ bind, port, tls: security.acceptor, committers }, reports);
  log.info('listens for reports of storage commitment', { bind, port: listening.port });
  return {
    committing,
    close: async () => {
      await listening.close();
      security.close();
    },
  };
}

interface Security {
  /** Undefined: plain TCP. */
  readonly acceptor: TlsAcceptor | undefined;
  readonly close: () => void;
}

/** Renewed files are used without a restart. */
async function openAcceptor(tls: NonNullable<Config['commitments']>['tls'], log: Log): Promise<Security> {
  if (tls === undefined) return { acceptor: undefined, close: () => undefined };
  const { requirePeerCertificate, profile, ...files } = tls;
  let acceptor: TlsAcceptor | undefined;
  const use = ({ key = '', certificate = '', ca }: Partial<TlsCredentials>): void => {
    const credentials = { key, certificate, ...defined({ ca }) };
    const required = defined({ requirePeerCertificate });
    if (acceptor === undefined) acceptor = tlsAcceptor({ ...credentials, profile, ...required });
    else acceptor.renew(credentials);
  };
  const store = await openTlsStore(files, { log, use });
  return { acceptor, close: store.close };
}

/** A destination that commits itself. */
interface Committer {
  readonly name: string;
  readonly peer: Peer;
  /** How long an association is kept open for the report, in milliseconds. */
  readonly lingerMs: number;
}

interface Reports {
  readonly ledger: Ledger;
  readonly now: () => number;
  readonly log: DimseLog;
  /** A report was taken. */
  readonly onTaken: (outcome: Extract<ReportedOutcome, { kind: 'taken' }>) => void;
}

/** PS3.3 C.14.1.1: asked again with another transaction UID, it may go; the image itself is there. */
const DUPLICATE_TRANSACTION = 0x0131;

const factsOf = ({ transactionUid, committed, failed }: CommitmentReport): Reported => ({
  transactionUid,
  committed: new Set(committed.map(({ sopInstanceUid }) => sopInstanceUid)),
  failed: new Map(
    failed.map(({ sopInstanceUid, reason }) => [
      sopInstanceUid,
      { text: describeFailureReason(reason), askAgain: reason === DUPLICATE_TRANSACTION },
    ]),
  ),
});

/** Takes a report of one of these destinations, and says with which status it is answered. */
async function take(
  report: CommitmentReport,
  destinations: readonly string[],
  { ledger, now, log, onTaken }: Reports,
): ReturnType<ReportHandler> {
  const { transactionUid } = report;
  const outcome = await ledger.write(reported, destinations, factsOf(report), now());
  switch (outcome.kind) {
    case 'unknown':
      log.warn('report for an unknown request', {
        code: 'COMMITMENT_UNKNOWN',
        transactionUid,
        destinations,
      });
      return { status: REPORT_STATUS.invalidArgument, comment: 'No such Transaction UID' };
    case 'duplicate':
      log.info('report came again', { transactionUid, series: outcome.series });
      return { status: REPORT_STATUS.success };
    case 'taken': {
      const { kind: _, ...told } = outcome;
      log[told.failed > 0 ? 'warn' : 'info']('report taken', { transactionUid, ...told });
      onTaken(outcome);
      return { status: REPORT_STATUS.success };
    }
  }
}

/** What asks one destination. */
const askerOf = ({ name, peer, lingerMs }: Committer, reports: Reports) => ({
  newUid: newTransactionUid,
  ask: async (
    transactionUid: string,
    references: Parameters<typeof requestCommitment>[1]['references'],
    signal: AbortSignal,
  ) => {
    const outcome = await requestCommitment(
      peer,
      { transactionUid, references },
      { lingerMs, log: reports.log, signal, onReport: (report) => take(report, [name], reports) },
    );
    if (outcome.ok || outcome.failure.code !== 'NOT_NEGOTIATED') return outcome;
    return { ok: false, failure: NOT_OFFERED } as const;
  },
});

const NOT_OFFERED = permanent(
  'COMMITMENT_NOT_OFFERED',
  'The destination does not offer storage commitment. Switch it on there, or take commitment out of this destination; then retry.',
);

interface ReportsListener {
  readonly bind: string;
  readonly port: number;
  readonly tls: TlsAcceptor | undefined;
  readonly committers: readonly Committer[];
}

/** Listens for reports. Rejects with the system's error where the port is taken. */
function listenForReports(
  { bind, port, tls, committers }: ReportsListener,
  reports: Reports,
): Promise<Listening> {
  const { log } = reports;
  return listen({
    bind,
    port,
    log,
    ...defined({ tls }),
    contexts: [commitmentReports],
    admit: (caller) =>
      namesOf(caller, committers).length > 0 ? { accept: true } : refusal(caller, committers),
    onEvent: onCommitmentEvent(async (report, caller) => {
      try {
        return await take(report, namesOf(caller, committers), reports);
      } catch (error) {
        const { name } = error instanceof Error ? error : { name: 'unknown' };
        log.error('report not taken', { transactionUid: report.transactionUid, error: name });
        return { status: REPORT_STATUS.noResources, comment: 'Not taken, see the log; report it again' };
      }
    }),
  });
}

/** The destinations that call so: each calls the AE title that it is called from. */
const namesOf = (
  { callingAet, calledAet }: Pick<AssociationInfo, 'callingAet' | 'calledAet'>,
  committers: readonly Committer[],
): string[] =>
  committers
    .filter(({ peer }) => peer.calledAet === callingAet && peer.callingAet === calledAet)
    .map(({ name }) => name);

function refusal({ callingAet }: AssociationInfo, committers: readonly Committer[]): Decision {
  return committers.some(({ peer }) => peer.calledAet === callingAet)
    ? rejectCalled('the destination has to call the AE title that Scanflow calls it from (callingAet)')
    : rejectCalling('no destination with commitment has this AE title');
}
