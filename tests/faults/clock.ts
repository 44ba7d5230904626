/** Preloaded into a streamer (`node --import`): upon SIGUSR2 the wall clock is off by the milliseconds that CLOCK_FILE holds. */
import { readFileSync } from 'node:fs';

const { CLOCK_FILE = '' } = process.env;
const real = Temporal.Now.instant.bind(Temporal.Now);
let offset = 0;

Temporal.Now.instant = () => real().add({ milliseconds: offset });
process.on('SIGUSR2', () => {
  offset = Number(readFileSync(CLOCK_FILE, 'utf8'));
});
