/** The configuration: good, with patterns that run with a time limit and what a new installation does not allow. */
import { configWarnings } from '@scanflow/config';
import { ok, warning, type Check } from './finding.ts';
import type { Place } from './place.ts';

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
