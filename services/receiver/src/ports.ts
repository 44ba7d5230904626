/** The two DICOM ports, plain and with TLS, and their limits: few scanners that send much, among many who may do neither. */
import type { Config } from '@scanflow/config';
import {
  isAmong,
  listen,
  openAcceptor,
  type Listening,
  type ScpEvents,
  type ScpLimits,
  type StoreHandler,
  type TlsAcceptor,
} from '@scanflow/dimse';
import { openTlsStore, type Log, type TlsTexts } from '@scanflow/runtime';
import type { Door } from './door.ts';
import type { Metrics } from './metrics.ts';

interface PortsSettings {
  readonly config: Config;
  readonly log: Log;
  readonly door: Door;
  readonly metrics: Metrics;
  readonly onStore: StoreHandler;
}

export interface Ports {
  readonly plain: number;
  readonly tls: number | undefined;
  close(): Promise<void>;
}

/** Listens. Rejects with the error of the system if a port is taken. */
export async function openPorts(settings: PortsSettings): Promise<Ports> {
  const { config, log, door, metrics, onStore } = settings;
  const { receiver, worklist } = config;
  const security = await openSecurity(receiver.tls, log);
  const shared = {
    bind: receiver.bind ?? worklist.bind,
    log,
    admit: door.admit,
    proxies: isAmong(receiver.proxies),
    contexts: [],
    onStore,
    limits: receiverLimits(receiver.idle),
  };
  const plain = await listen({ ...shared, port: receiver.port, events: eventsOf(metrics) });
  const secured: Listening | undefined =
    security &&
    (await listen({ ...shared, port: security.port, tls: security.acceptor, events: eventsOf(metrics) }));
  return {
    plain: plain.port,
    tls: secured?.port,
    close: async () => {
      await Promise.all([plain.close(), secured?.close()]);
      security?.close();
    },
  };
}

/** Counts the associations of one port. */
function eventsOf(metrics: Metrics): ScpEvents {
  const open = new Set<number>();
  return {
    accepted: ({ id }) => {
      open.add(id);
      metrics.accepted();
    },
    // a connection that never became an association ends, too
    ended: ({ id }) => {
      if (open.delete(id)) metrics.ended();
    },
    rejected: (_, { result, source, reason }) => metrics.rejected(`${result}/${source}/${reason}`),
    refused: (_, why) => metrics.rejected(why === 'tls' || why === 'proxy' ? why : 'limit'),
  };
}

/**
 * The limits of each port. Idle associations cost little here, so there may be many. If there are too many, a new connection
 * replaces a silent one, then an association without traffic for a minute: scanners pause for less.
 *
 * @param idleMs when an idle association ends, in milliseconds
 */
export const receiverLimits = (idleMs: number): Partial<ScpLimits> => ({
  connections: 2_048,
  connectionsPerPeer: 512,
  // half of it waits in memory for each peer that began a PDU
  pduBytes: 65_536,
  // only C-STORE takes a data set here
  dataSetBytes: 65_536,
  heldBytes: 134_217_728,
  heldBytesPerPeer: 33_554_432,
  freeBytes: 16_384,
  stalledMs: 60_000,
  idleMs,
  yieldMs: 60_000,
  // data sets wait on disk, and most senders send one request at a time
  waitingRequests: 16,
});

interface Security {
  readonly port: number;
  readonly acceptor: TlsAcceptor;
  readonly close: () => void;
}

/** TLS of the second port; undefined if none is configured. Throws if a file is missing or unusable, and says what to do. */
async function openSecurity(tls: Config['receiver']['tls'], log: Log): Promise<Security | undefined> {
  if (tls === undefined) return undefined;
  const { requirePeerCertificate, profile, port, ...files } = tls;
  const open = (use: (texts: TlsTexts) => void) => openTlsStore(files, { log, use });
  return { port, ...(await openAcceptor({ profile, requirePeerCertificate }, open)) };
}
