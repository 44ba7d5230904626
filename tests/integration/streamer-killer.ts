/** Preloaded into a streamer (`node --import`): ends it by SIGKILL at the nth time its work reaches a moment. */
import { subscribe } from 'node:diagnostics_channel';
import { writeFileSync } from 'node:fs';

const { KILL_AT, KILL_NTH = '1', KILL_NOTE } = process.env;
let seen = 0;

subscribe('scanflow.streamer', (message) => {
  if ((message as { moment: string }).moment !== KILL_AT) return;
  seen += 1;
  if (seen !== Number(KILL_NTH)) return;
  if (KILL_NOTE !== undefined) writeFileSync(KILL_NOTE, `${KILL_AT} ${seen}\n`);
  process.kill(process.pid, 'SIGKILL');
});
