/** Storage commitment put together: who is asked, and where reports are received. */
import type { Config } from '@scanflow/config';
import { openTlsStore, type Log } from '@scanflow/runtime';
import { tlsAcceptor, type TlsAcceptor, type TlsCredentials } from '@scanflow/dimse';
import { askerOf, listenForReports, type Reports } from './wire.ts';
import type { Metrics } from '../http/metrics.ts';
import type { Ledger } from '../ports.ts';
import type { Committing } from './step.ts';
import type { Clock, Settings } from '../model/settings.ts';
import type { Wake } from '../work/wake.ts';

export interface CommitmentDeps {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly wakes: Readonly<Record<'forward', Wake>>;
}

export interface Commitments {
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
      wakes.forward.notify();
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
    const credentials = { key, certificate, ...(ca === undefined ? {} : { ca }) };
    const required = requirePeerCertificate === undefined ? {} : { requirePeerCertificate };
    if (acceptor === undefined) acceptor = tlsAcceptor({ ...credentials, profile, ...required });
    else acceptor.renew(credentials);
  };
  const store = await openTlsStore(files, { log, use });
  return { acceptor, close: store.close };
}
