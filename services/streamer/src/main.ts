/** The streamer's process: `node main.ts --config scanflow.yaml`. */
import '@scanflow/runtime/memory';

// V8's settings count for what is loaded after them
const { configLoader } = await import('@scanflow/config');
const { runService } = await import('@scanflow/runtime');
const { attributeVrs } = await import('@scanflow/dicom');
const { startStreamer } = await import('./service.ts');

const { SERVICE: service, SCANFLOW_PROJECT: project = '' } = process.env;
const inContainer = service === 'streamer';
// compose.yaml names the folder of the host, so that a message can; a volume of Docker's has no `/`
const hostFolder = inContainer && project.includes('/') ? project : undefined;
await runService(
  {
    name: 'streamer',
    load: configLoader({ known: attributeVrs(), inContainer }),
    start: (context) => startStreamer(context, { inContainer, hostFolder }),
  },
  process.argv.slice(2),
  process.env,
);
