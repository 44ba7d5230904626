/** The receiver: `node main.ts --config scanflow.yaml`. */
import { beginAgainIfCold, beginCompiled } from '@scanflow/runtime/boot';

beginCompiled(process);
// only after it: what is imported statically is loaded before anything runs
const { configLoader } = await import('@scanflow/config');
const { runService } = await import('@scanflow/runtime');
const { startReceiver } = await import('./service.ts');
beginAgainIfCold(process);
await runService(
  { name: 'receiver', load: configLoader(), start: startReceiver },
  process.argv.slice(2),
  process.env,
);
