/** Destinations: would they take our images? */
import type { Config } from '@scanflow/config';
import { messageOf } from '@scanflow/failure';
import { failed, type Check, type Finding } from './finding.ts';
import { kindsOf } from './kinds.ts';
import { dialOf, lookAtNode, timeoutsOf } from './node.ts';
import { sees, type Place } from './place.ts';
import { lookAtWeb } from './web.ts';

type Destination = Config['destinations'][string];

export const destinationChecks = (place: Place): Check[] =>
  sees(place, 'streamer')
    ? Object.entries(place.config.destinations).map(([name, destination]) => ({
        name: `destination ${name}`,
        run: (signal) => lookAt(destination, place, signal),
      }))
    : [];

async function lookAt(destination: Destination, place: Place, signal: AbortSignal): Promise<Finding[]> {
  const { host, port, aet, callingAet, tls, url } = destination;
  if (url !== undefined) return [await lookAtWeb(url, destination, place.timeoutMs, signal)];
  if (host === undefined || port === undefined || aet === undefined) return [];
  const timeouts = timeoutsOf(place.timeoutMs);
  try {
    const dial = await dialOf(tls, timeouts.association);
    const peer = { host, port, calledAet: aet, callingAet: callingAet ?? 'SCANFLOW', timeouts, ...dial };
    return await lookAtNode(peer, kindsOf(modalitiesFor(destination, place.config)), signal);
  } catch (error) {
    return [failed(messageOf(error), 'Correct tls of this destination.', 'TLS_CREDENTIALS')];
  }
}

/** What is sent there: all that the scanners make, or those of it that it is limited to. */
function modalitiesFor({ when }: Destination, { scanners }: Config): string[] {
  const made = Object.values(scanners).map(({ modality }) => modality);
  return when?.modality ?? made;
}
