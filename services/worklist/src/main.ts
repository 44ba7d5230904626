/** The worklist service: `node main.ts --config scanflow.yaml`. */
import './memory.ts';
import { runService } from '@scanflow/chassis';
import { startWorklist } from './service.ts';

await runService({ name: 'worklist', start: startWorklist }, process.argv.slice(2), process.env);
