/** Preloaded by a test: says at the end how much memory the process took at most. */
import { readFileSync } from 'node:fs';

process.on('exit', () => {
  // not resourceUsage().maxRSS: that counts what the parent had when it forked
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  process.stderr.write(`peak RSS ${Number(peak) * 1024}\n`);
});
