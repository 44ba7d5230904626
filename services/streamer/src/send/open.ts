/** Opens the destinations: TLS, the carrier that reaches each, and what holds sending back. */
import { defined } from '@scanflow/failure/defined';
import { join } from 'node:path';
import { type Log, openTlsStore, type TlsTexts } from '@scanflow/runtime';
import { accepts, type StoreGate, tlsDial, type Dial, store, type DimseLog } from '@scanflow/dimse';
import type { Orthanc } from '@scanflow/orthanc';
import type { Config } from '@scanflow/config';
import { authorization, stowCarrier } from './stow/stow.ts';
import { hoursOf } from '../work/pace.ts';
import type { Carrier, Pacing, OpenDestination } from './types.ts';
import type { CStoreReach, Clock, Destination } from '../model/settings.ts';
import { transcoding, transcodedBy } from './transcode.ts';
import { Pace } from '../work/wake.ts';

interface DestinationsContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly orthanc: Pick<Orthanc, 'instance' | 'transcode'>;
  /** The folder that the services share. */
  readonly data: string;
}

export const openDestinations = (
  destinations: readonly Destination[],
  context: DestinationsContext,
): OpenDestination[] =>
  destinations.map((destination) => ({
    ...destination,
    pace: destination.rate === undefined ? undefined : new Pace(destination.rate),
    hours: hoursOf(destination.schedule?.windows, destination.schedule?.timeZone ?? 'UTC'),
    carrier: carrierOf(destination, context),
  }));

function carrierOf(
  { name, reach }: Destination,
  { clock, log, orthanc, data }: DestinationsContext,
): Carrier {
  if (reach.kind === 'stow') return stowCarrier(reach, () => authorization(reach), clock.now);
  const carrier = cstoreCarrier(reach, log.child({ destination: name }));
  if (reach.transcode === false) return carrier;
  return transcoding(carrier, {
    accepts: (kinds, signal) => accepts(reach.peer, kinds, signal),
    openTranscoded: transcodedBy(orthanc, join(data, 'streamer', 'transcoded')),
  });
}

/** Undefined where nothing is ever held back. */
export function gateOf(
  { pace, hours }: Pacing,
  now: () => number,
  signal: AbortSignal,
): StoreGate | undefined {
  if (pace === undefined && hours === undefined) return undefined;
  const open = (): boolean => !signal.aborted && (hours === undefined || hours(now()).open);
  return {
    admits: async () => {
      if (!open()) return false;
      await pace?.image(signal);
      // the hours may have ended meanwhile
      return open();
    },
    passes: async (bytes) => pace?.bytes(bytes, signal),
  };
}

interface Security {
  /** By the name of the destination; those without TLS have none. */
  readonly dials: ReadonlyMap<string, Dial>;
  readonly close: () => void;
}

/** Throws where a file is missing or cannot be used, with what to do about it. */
export async function openSecurity(destinations: Config['destinations'], log: Log): Promise<Security> {
  const dials = new Map<string, Dial>();
  const ends: (() => void)[] = [];
  for (const [name, { tls, url }] of Object.entries(destinations)) {
    // an address that asks for TLS has it without a word about it
    if (tls === undefined && url?.startsWith('https:') === true)
      dials.set(name, tlsDial({ credentials: () => NONE }));
    if (tls === undefined) continue;
    const { profile, serverName, ...files } = tls;
    const named = { profile, ...defined({ serverName }) };
    // trying is making a dial of them, which throws where OpenSSL cannot use them
    const use = (texts: TlsTexts): void => void tlsDial({ ...named, credentials: () => texts });
    const store = await openTlsStore(files, { log: log.child({ destination: name }), use });
    dials.set(name, tlsDial({ ...named, credentials: store.current }));
    ends.push(store.close);
  }
  return { dials, close: () => ends.forEach((end) => end()) };
}

const NONE = {};

const cstoreCarrier = ({ peer, associations = 1 }: CStoreReach, log: DimseLog): Carrier => ({
  send: (items, { signal, calmly, gate }) =>
    // a node that broke off gets one request at a time from now on
    store(peer, items, { signal, log, associations, gate, ...(calmly ? { operations: 1 } : {}) }),
  close: () => undefined,
});
