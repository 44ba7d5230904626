/** Which adapter reaches which destination, and what holds it back. */
import { join } from 'node:path';
import type { Log } from '@scanflow/runtime';
import { accepts } from '@scanflow/dimse';
import { authorization } from './authorization.ts';
import { cstoreSender } from './cstore.ts';
import { stowSender } from './stow/stow.ts';
import { hoursOf } from './hours.ts';
import type { Orthanc, Sender } from '../ports.ts';
import { Pace } from './gate.ts';
import { transcoding } from './transcode.ts';
import { copiesFrom } from './transcoded-copy.ts';
import type { Clock, Destination, OpenDestination } from '../model/settings.ts';

export interface DestinationsContext {
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
    sender: senderOf(destination, context),
  }));

function senderOf({ name, reach }: Destination, { clock, log, orthanc, data }: DestinationsContext): Sender {
  if (reach.kind === 'stow') return stowSender(reach, () => authorization(reach), clock.now);
  const sender = cstoreSender(reach, log.child({ destination: name }));
  if (reach.transcode === false) return sender;
  return transcoding(sender, {
    accepts: (kinds, signal) => accepts(reach.peer, kinds, signal),
    openCopy: copiesFrom(orthanc, join(data, 'streamer', 'transcoded')),
  });
}
