/**
 * Preloaded into a program (`node --import`): ends it by SIGKILL right before its nth change of a name or a folder
 * (KILL_NTH).
 */
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const { KILL_NTH } = process.env;
let seen = 0;

function counted<Args extends unknown[], Result>(
  change: (...args: Args) => Promise<Result>,
): (...args: Args) => Promise<Result> {
  return (...args) => {
    seen += 1;
    if (seen === Number(KILL_NTH)) process.kill(process.pid, 'SIGKILL');
    return change(...args);
  };
}

fs.rename = counted(fs.rename);
fs.copyFile = counted(fs.copyFile);
fs.mkdir = counted(fs.mkdir) as typeof fs.mkdir;
fs.open = counted(fs.open);
fs.rm = counted(fs.rm);
syncBuiltinESMExports();
