/** The cal2wl service: `node main.ts --config scanflow.yaml`. */
import { configLoader } from '@scanflow/config';
import { runService } from '@scanflow/runtime';
import { startCal2wl } from './service.ts';

await runService(
  { name: 'cal2wl', load: configLoader(), start: startCal2wl },
  process.argv.slice(2),
  process.env,
);
