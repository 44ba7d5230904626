/** The worklist service: `node main.ts --config scanflow.yaml`. */
import { beginAgainIfCold, beginCompiled } from '@scanflow/chassis/boot';
import { settleMemory } from './settle.ts';

beginCompiled(process);
// only after it: what is imported statically is loaded before anything runs
const { runService } = await import('@scanflow/chassis');
const { startWorklist } = await import('./service.ts');
beginAgainIfCold(process);
const start: typeof startWorklist = async (context) => {
  const running = await startWorklist(context);
  settleMemory();
  return running;
};
await runService({ name: 'worklist', start }, process.argv.slice(2), process.env);
