/** The worklist service: `node main.ts --config scanflow.yaml`. */
import '@scanflow/runtime/memory';

// V8's settings count for what is loaded after them
const { configLoader } = await import('@scanflow/config');
const { runService } = await import('@scanflow/runtime');
const { settleMemory, startWorklist } = await import('./service.ts');

const start: typeof startWorklist = async (context) => {
  const running = await startWorklist(context);
  settleMemory();
  return running;
};
await runService(
  { name: 'worklist', load: configLoader({ inContainer: process.env['SERVICE'] === 'worklist' }), start },
  process.argv.slice(2),
  process.env,
);
