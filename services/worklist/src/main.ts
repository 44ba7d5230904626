/** The worklist service: `node main.ts --config scanflow.yaml`. */
import { beginAgainIfCold, beginCompiled } from '@scanflow/runtime/boot';

beginCompiled(process);
// only after it: what is imported statically is loaded before anything runs
const { configLoader } = await import('@scanflow/config');
const { runService } = await import('@scanflow/runtime');
const { settleMemory, startWorklist } = await import('./service.ts');
beginAgainIfCold(process);
const start: typeof startWorklist = async (context) => {
  const running = await startWorklist(context);
  settleMemory();
  return running;
};
await runService({ name: 'worklist', load: configLoader(), start }, process.argv.slice(2), process.env);
