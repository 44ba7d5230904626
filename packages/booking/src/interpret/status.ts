/** What an event says about itself, whatever its title. */
import { saysCancelled } from './cancelled.ts';
import { reject, skip, type Verdict } from './codes.ts';
import type { BookableEvent } from './event.ts';
import type { BookingRules } from './rules.ts';
import { cleanText } from './text.ts';

/** Why an event is no booking by its own account; undefined where it may be one. */
export function statusVerdict(event: BookableEvent, rules: BookingRules): Verdict | undefined {
  if (event.status === 'CANCELLED')
    return skip('CANCELLED', 'The event is cancelled, or its room declined it.');
  if (saysCancelled(cleanText(event.summary)))
    return skip(
      'CANCELLED_TITLE',
      'The title says that the event is cancelled. Delete the event to free the slot.',
    );
  if (event.transparency === 'TRANSPARENT')
    return skip(
      'FREE',
      'The event is shown as free, so it books nothing. If it is a booking, show it as busy.',
    );
  return tentative(event, rules) ?? hidden(event, rules);
}

function tentative(event: BookableEvent, rules: BookingRules): Verdict | undefined {
  if (event.status !== 'TENTATIVE' || rules.tentative === 'take') return undefined;
  const reason =
    'The event is tentative. Confirm it, and it comes to the scanner: the status is then “Confirmed”, in Outlook “Busy”.';
  return rules.tentative === 'skip' ? skip('TENTATIVE', reason) : reject('TENTATIVE_REFUSED', reason);
}

function hidden(event: BookableEvent, rules: BookingRules): Verdict | undefined {
  if (event.class === 'PUBLIC' || rules.private === 'take') return undefined;
  const reason =
    'The event is private. If it is a booking, make it public, and it comes to the scanner: the visibility is then “Public”, in Outlook “Private” is off.';
  return rules.private === 'skip' ? skip('PRIVATE_SKIPPED', reason) : reject('PRIVATE_REFUSED', reason);
}
