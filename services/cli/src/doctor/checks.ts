/** All checks of an installation, as far as they are seen from here. */
import { calendarChecks } from './calendars.ts';
import { clockChecks } from './clock.ts';
import { destinationChecks } from './destinations.ts';
import { examChecks } from './exams.ts';
import { skipped, type Check } from './finding.ts';
import { followChecks } from './follow.ts';
import { healthChecks } from './health.ts';
import { ledgerChecks } from './ledger.ts';
import { orthancChecks } from './orthanc.ts';
import { receiverChecks } from './receiver.ts';
import { sees, SERVICES, type Place } from './place.ts';
import { scannerChecks } from './scanners.ts';
import { secretChecks } from './secrets.ts';
import { senderChecks } from './senders.ts';
import { storageChecks } from './storage.ts';
import { verificationChecks } from './verification.ts';

/** In the order in which they are shown. `version`: of this command. */
export function checksOf(place: Place, version: string): Check[] {
  return [
    ...secretChecks(place),
    ...storageChecks(place),
    ...clockChecks(place),
    ...healthChecks(place, version),
    ...receiverChecks(place, version),
    ...calendarChecks(place),
    ...orthancChecks(place),
    ...scannerChecks(place),
    ...examChecks(place),
    ...ledgerChecks(place),
    ...followChecks(place),
    ...verificationChecks(place),
    ...senderChecks(place),
    ...destinationChecks(place),
    ...elsewhere(place),
  ];
}

/** What other containers have to be asked for. */
const elsewhere = (place: Place): Check[] =>
  SERVICES.filter((service) => !sees(place, service)).map((service) => ({
    name: service,
    run: () =>
      Promise.resolve(
        skipped(
          'what belongs to it is seen from its own container only',
          `docker compose exec ${service} scanflow doctor`,
        ),
      ),
  }));

/** Those that a person asked for, by the whole name or one of its words; undefined: there is no such check. */
export function chosen(checks: readonly Check[], names: readonly string[]): Check[] | { unknown: string } {
  const matches = ({ name }: Check, wanted: string): boolean =>
    name === wanted || name.split(' ').includes(wanted.replace(/s$/, '')) || name.split(' ').includes(wanted);
  const unknown = names.find((wanted) => !checks.some((check) => matches(check, wanted)));
  if (unknown !== undefined) return { unknown };
  return checks.filter((check) => names.length === 0 || names.some((wanted) => matches(check, wanted)));
}
