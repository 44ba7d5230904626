/** The streamer's process: `node main.ts --config scanflow.yaml`. */
import { beginAgainIfCold, beginCompiled } from '@scanflow/runtime/boot';

beginCompiled(process);
// only after it: what is imported statically is loaded before anything runs
const { configLoader } = await import('@scanflow/config');
const { runService } = await import('@scanflow/runtime');
const { attributeVrs } = await import('@scanflow/dicom');
const { startStreamer } = await import('./service.ts');
beginAgainIfCold(process);
const service = { name: 'streamer', load: configLoader(attributeVrs()), start: startStreamer };
await runService(service, process.argv.slice(2), process.env);
