/** The streamer's process. */
import { runService } from '@scanflow/chassis';
import { startStreamer } from './service.ts';

await runService({ name: 'streamer', start: startStreamer }, process.argv.slice(2), process.env);
