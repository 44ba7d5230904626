/** The dashboard: `node main.ts --config scanflow.yaml`. */
import { beginAgainIfCold, beginCompiled } from '@scanflow/runtime/boot';

beginCompiled(process);
// only after it: what is imported statically is loaded before anything runs
const { configLoader } = await import('@scanflow/config');
const { runService } = await import('@scanflow/runtime');
const { startDashboard } = await import('./service.ts');
beginAgainIfCold(process);
// in its container, the other services have their names; elsewhere they are on this machine
const inContainer = process.env['SERVICE'] === 'dashboard';
await runService(
  { name: 'dashboard', load: configLoader(), start: (context) => startDashboard(context, { inContainer }) },
  process.argv.slice(2),
  process.env,
);
