/** Which adapter reaches which destination. */
import type { Log } from '@scanflow/chassis';
import { cstoreSender } from './adapters/forward/cstore.ts';
import type { Destination, OpenDestination } from './steps/settings.ts';

export const openDestinations = (destinations: readonly Destination[], log: Log): OpenDestination[] =>
  destinations.map((destination) => ({
    ...destination,
    sender: cstoreSender(destination.reach, log.child({ destination: destination.name })),
  }));
