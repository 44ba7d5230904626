/** The two DICOM ports: plain, and with TLS where it is configured. */
import type { Config } from '@scanflow/config';
import type { Log } from '@scanflow/runtime';
import { listen, type Listening, type ScpEvents, type StoreHandler } from '@scanflow/dimse';
import type { Door } from './door.ts';
import { receiverLimits } from './limits.ts';
import type { Metrics } from './metrics.ts';
import { openSecurity } from './secure.ts';

export interface PortsSettings {
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

/** Listens; rejects with the system's error where a port is taken. */
export async function openPorts(settings: PortsSettings): Promise<Ports> {
  const { config, log, door, metrics, onStore } = settings;
  const { receiver, worklist } = config;
  const security = await openSecurity(receiver.tls, log);
  const shared = {
    bind: receiver.bind ?? worklist.bind,
    log,
    admit: door.admit,
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

/** Of one port: it counts its associations by itself. */
function eventsOf(metrics: Metrics): ScpEvents {
  const open = new Set<number>();
  return {
    accepted: ({ id }) => {
      open.add(id);
      metrics.accepted();
    },
    // also what never became an association ends
    ended: ({ id }) => {
      if (open.delete(id)) metrics.ended();
    },
    rejected: (_, { result, source, reason }) => metrics.rejected(`${result}/${source}/${reason}`),
    refused: (_, why) => metrics.rejected(why === 'tls' ? 'tls' : 'limit'),
  };
}
