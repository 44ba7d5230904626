/** The streamer's process: `node main.ts --config scanflow.yaml`. */
import { beginAgainIfCold, beginCompiled } from '@scanflow/chassis/boot';

beginCompiled(process);
// only after it: what is imported statically is loaded before anything runs
const { runService } = await import('@scanflow/chassis');
const { attributeVrs } = await import('@scanflow/dicom');
const { startStreamer } = await import('./service.ts');
beginAgainIfCold(process);
const service = { name: 'streamer', start: startStreamer, attributes: attributeVrs() };
await runService(service, process.argv.slice(2), process.env);
