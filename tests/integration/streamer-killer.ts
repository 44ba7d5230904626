/**
 * Preloaded into a streamer (`node --import`): ends it by SIGKILL (or sends it KILL_SIGNAL) at the nth time its work
 * reaches a moment. Of several with KILL_ONCE and the same KILL_NOTE, only the first to get there.
 */
import { subscribe } from 'node:diagnostics_channel';
import { writeFileSync } from 'node:fs';

const { KILL_AT, KILL_NTH = '1', KILL_NOTE, KILL_ONCE, KILL_SIGNAL = 'SIGKILL' } = process.env;
let seen = 0;

subscribe('scanflow.streamer', (message) => {
  if ((message as { moment: string }).moment !== KILL_AT) return;
  seen += 1;
  if (seen !== Number(KILL_NTH)) return;
  if (KILL_NOTE !== undefined && !noted(KILL_NOTE)) return;
  process.kill(process.pid, KILL_SIGNAL);
});

function noted(file: string): boolean {
  try {
    writeFileSync(file, `${KILL_AT} ${seen}\n`, { flag: KILL_ONCE === undefined ? 'w' : 'wx' });
    return true;
  } catch (error) {
    if (KILL_ONCE === undefined) throw error;
    return false;
  }
}
