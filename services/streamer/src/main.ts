/** The streamer's process: `node main.ts --config scanflow.yaml`. */
import '@scanflow/runtime/memory';

// V8's settings count for what is loaded after them
const { configLoader } = await import('@scanflow/config');
const { runService } = await import('@scanflow/runtime');
const { attributeVrs } = await import('@scanflow/dicom');
const { startStreamer } = await import('./service.ts');
const service = { name: 'streamer', load: configLoader(attributeVrs()), start: startStreamer };
await runService(service, process.argv.slice(2), process.env);
