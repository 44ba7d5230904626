/** The dashboard: `node main.ts --config scanflow.yaml`. */
import '@scanflow/runtime/memory';

// V8's settings count for what is loaded after them
const { configLoader } = await import('@scanflow/config');
const { runService } = await import('@scanflow/runtime');
const { startDashboard } = await import('./service.ts');

// in its container, the other services have their names; elsewhere they are on this machine
const inContainer = process.env['SERVICE'] === 'dashboard';
await runService(
  {
    name: 'dashboard',
    load: configLoader({ inContainer }),
    start: (context) => startDashboard(context, { inContainer }),
  },
  process.argv.slice(2),
  process.env,
);
