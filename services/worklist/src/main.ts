/** The worklist service: `node main.ts --config scanflow.yaml`. */
import { beginAgainIfCold, beginCompiled, settleMemory } from './boot.ts';

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
