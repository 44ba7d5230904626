/** The streamer's process. */
import './boot.ts';

// only after it: what is imported statically is loaded before anything runs
const { runService } = await import('@scanflow/chassis');
const { attributeVrs } = await import('@scanflow/dicom');
const { startStreamer } = await import('./service.ts');
const service = { name: 'streamer', start: startStreamer, attributes: attributeVrs() };
await runService(service, process.argv.slice(2), process.env);
