/** The cal2wl service: `node main.ts --config scanflow.yaml`. */
import { runService } from '@scanflow/chassis';
import { startCal2wl } from './service.ts';

await runService({ name: 'cal2wl', start: startCal2wl }, process.argv.slice(2), process.env);
