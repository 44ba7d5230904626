/** The streamer's process. */
import './boot.ts';

// only after it: what is imported statically is loaded before anything runs
const { runService } = await import('@scanflow/chassis');
const { startStreamer } = await import('./service.ts');
await runService({ name: 'streamer', start: startStreamer }, process.argv.slice(2), process.env);
