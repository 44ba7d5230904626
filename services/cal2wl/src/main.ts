/** The cal2wl service: `node main.ts --config scanflow.yaml`. */
import { configLoader } from '@scanflow/config';
import { runService } from '@scanflow/runtime';
import { startCal2wl } from './service.ts';

// in its container, the other services have their names; elsewhere they are on this machine
const inContainer = process.env['SERVICE'] === 'cal2wl';
await runService(
  {
    name: 'cal2wl',
    load: configLoader({ inContainer }),
    start: (context) => startCal2wl(context, { inContainer }),
  },
  process.argv.slice(2),
  process.env,
);
