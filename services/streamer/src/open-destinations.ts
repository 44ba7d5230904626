/** Which adapter reaches which destination, and what holds it back. */
import type { Log } from '@scanflow/chassis';
import { authorization } from './adapters/forward/authorization.ts';
import { cstoreSender } from './adapters/forward/cstore.ts';
import { stowSender } from './adapters/forward/stow/stow.ts';
import { hoursOf } from './domain/hours.ts';
import type { Reach, Sender } from './ports.ts';
import { Pace } from './steps/gate.ts';
import type { Chance, Destination, OpenDestination } from './steps/settings.ts';

export const openDestinations = (
  destinations: readonly Destination[],
  { now }: Chance,
  log: Log,
): OpenDestination[] =>
  destinations.map((destination) => ({
    ...destination,
    pace: destination.rate === undefined ? undefined : new Pace(destination.rate),
    hours: hoursOf(destination.schedule?.windows, destination.schedule?.timeZone ?? 'UTC'),
    sender: senderOf(destination.reach, now, log.child({ destination: destination.name })),
  }));

function senderOf(reach: Reach, now: () => number, log: Log): Sender {
  switch (reach.kind) {
    case 'c-store':
      return cstoreSender(reach, log);
    case 'stow':
      return stowSender(reach, () => authorization(reach), now);
  }
}
