/** The receiver: `node main.ts --config scanflow.yaml`. */
import { beginAgainIfCold, beginCompiled } from '@scanflow/chassis/boot';

beginCompiled(process);
// only after it: what is imported statically is loaded before anything runs
const { runService } = await import('@scanflow/chassis');
const { startReceiver } = await import('./service.ts');
beginAgainIfCold(process);
await runService({ name: 'receiver', start: startReceiver }, process.argv.slice(2), process.env);
