/** The bids service: `node main.ts --config scanflow.yaml`. */
import '@scanflow/runtime/memory';

// V8's settings count for what is loaded after them
const { configLoader } = await import('@scanflow/config');
const { runService } = await import('@scanflow/runtime');
const { startBids } = await import('./service.ts');
await runService(
  { name: 'bids', load: configLoader({ inContainer: process.env['SERVICE'] === 'bids' }), start: startBids },
  process.argv.slice(2),
  process.env,
);
