/** `npm run fuzz:worklist -- --minutes 5 [--seed N]`: exit code 1 where the service broke, with the bytes in a file. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fuzz } from './worklist-fuzz.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string' },
    findings: { type: 'string', default: join(process.cwd(), 'fuzz-findings') },
  },
});
const seconds = Number(values.minutes) * 60;
const seed = values.seed === undefined ? Temporal.Now.instant().epochMilliseconds % 1e9 : Number(values.seed);
if (!(seconds > 0) || !Number.isInteger(seed))
  throw new Error('--minutes takes a number, --seed a whole one');
console.log(`seed ${seed}: ${seconds} s of it`);
const report = await fuzz({ seconds, seed, findings: values.findings });
const { cases, slowestProbe, medianProbe, memory, descriptors, finding } = report;
console.log(`${cases} conversations, ${(cases / seconds).toFixed(0)} a second`);
console.log(
  `C-ECHO and C-FIND in between: median ${medianProbe.toFixed(1)} ms, slowest ${slowestProbe.toFixed(0)} ms`,
);
console.log(
  `memory ${memory.first} MB after the first round, ${memory.most} at most, ${memory.last} at the end`,
);
console.log(`descriptors ${descriptors.first} before, ${descriptors.last} after`);
if (finding !== undefined) {
  console.log(`BROKEN: ${finding.reason}\nthe bytes are in ${finding.file}; or again with --seed ${seed}`);
  process.exitCode = 1;
}
