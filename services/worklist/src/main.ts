/** The worklist service: `node main.ts --config scanflow.yaml`. */
import './boot.ts';

// only after it: what is imported statically is loaded before anything runs
const { runService } = await import('@scanflow/chassis');
const { startWorklist } = await import('./service.ts');
await runService({ name: 'worklist', start: startWorklist }, process.argv.slice(2), process.env);
