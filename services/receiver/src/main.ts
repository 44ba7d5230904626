/** The receiver: `node main.ts --config scanflow.yaml`. */
import '@scanflow/runtime/memory';

// V8's settings count for what is loaded after them
const { configLoader } = await import('@scanflow/config');
const { runService } = await import('@scanflow/runtime');
const { startReceiver } = await import('./service.ts');
await runService(
  {
    name: 'receiver',
    load: configLoader({ inContainer: process.env['SERVICE'] === 'receiver' }),
    start: startReceiver,
  },
  process.argv.slice(2),
  process.env,
);
