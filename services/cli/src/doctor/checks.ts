/** All checks of an installation that can be seen from here. */
import { configWarnings } from '@scanflow/config';
import { calendarChecks } from './calendars.ts';
import { ok, sees, SERVICES, skipped, warning, type Check, type Place } from './check.ts';
import { clockChecks } from './clock.ts';
import { destinationChecks } from './destinations.ts';
import { healthChecks, ledgerChecks } from './health.ts';
import { orthancChecks } from './orthanc.ts';
import { scannerChecks } from './scanners.ts';
import { secretChecks } from './secrets.ts';
import { receiverChecks, senderChecks } from './senders.ts';
import { storageChecks } from './storage.ts';
import { examChecks, stuckChecks } from './stuck.ts';

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
    ...stuckChecks(place),
    ...senderChecks(place),
    ...destinationChecks(place),
    ...elsewhere(place),
  ];
}

/** Says where to look for the services of other containers. */
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

/** The checks with these names, each a whole name or one of its words. `unknown`: there is no such check. */
export function chosen(checks: readonly Check[], names: readonly string[]): Check[] | { unknown: string } {
  const matches = ({ name }: Check, wanted: string): boolean =>
    name === wanted || name.split(' ').includes(wanted.replace(/s$/, '')) || name.split(' ').includes(wanted);
  const unknown = names.find((wanted) => !checks.some((check) => matches(check, wanted)));
  if (unknown !== undefined) return { unknown };
  return checks.filter((check) => names.length === 0 || names.some((wanted) => matches(check, wanted)));
}

export const configurationCheck = (file: string, { config }: Pick<Place, 'config'>): Check => ({
  name: 'configuration',
  run: () =>
    Promise.resolve([
      ok(`${file} is good, of ${config.facility.name}`),
      ...configWarnings(config).map(({ path, message }) => {
        const [what = '', ...todo] = message.split('; ');
        return warning(`${path}: ${what}.`, capital(`${todo.join('; ')}.`));
      }),
    ]),
});

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
