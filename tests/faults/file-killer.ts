/**
 * Preloaded into a program (`node --import`): ends it by SIGKILL right before its nth change of a file's name or a folder
 * (KILL_NTH), or lists the changes in a file (CHANGES), one a line. Opening a file for reading is no change.
 */
import { appendFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const { KILL_NTH, CHANGES } = process.env;
let seen = 0;

function counted<Args extends unknown[], Result>(
  name: string,
  change: (...args: Args) => Promise<Result>,
): (...args: Args) => Promise<Result> {
  return (...args) => {
    if (name === 'open' && args[1] === 'r') return change(...args);
    seen += 1;
    if (seen === Number(KILL_NTH)) process.kill(process.pid, 'SIGKILL');
    const paths = args.filter((argument) => typeof argument === 'string' && argument.startsWith('/'));
    if (CHANGES !== undefined) appendFileSync(CHANGES, `${[name, ...paths].join(' ')}\n`);
    return change(...args);
  };
}

fs.rename = counted('rename', fs.rename);
fs.copyFile = counted('copyFile', fs.copyFile);
fs.mkdir = counted('mkdir', fs.mkdir) as typeof fs.mkdir;
fs.open = counted('open', fs.open);
fs.rm = counted('rm', fs.rm);
syncBuiltinESMExports();
