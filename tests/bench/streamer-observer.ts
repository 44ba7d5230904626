/** Preloaded into a streamer (`node --import`): notes when each series became due and when the ledger had it stored. */
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync, writeFileSync } from 'node:fs';

const { MOMENTS = '/dev/null', QUIET_MS = '1000' } = process.env;
let due = 0;

subscribe('scanflow.streamer', (message) => {
  const { moment, series } = message as { moment: string; series?: number };
  const now = Temporal.Now.instant().epochMilliseconds;
  // the quiet timer begins anew with each page of changes that has images
  if (moment === 'changes-recorded' && series !== undefined && series > 0) {
    due = now + Number(QUIET_MS);
    // of several streamers one reads the changes, and the others may store all series
    if (MOMENTS !== '/dev/null') writeFileSync(`${MOMENTS}-due`, String(due));
  }
  if (moment === 'series-stored') appendFileSync(MOMENTS, `${due} ${now}\n`);
});
