/** `npm run fuzz:worklist -- --minutes 5 [--seed N]`: exit code 1 where the service broke, with the bytes in a file. */
import { fuzz } from './worklist-fuzz.ts';
import { fuzzOptions } from './options.ts';

const options = fuzzOptions();
const report = await fuzz(options);
const { cases, slowestProbe, medianProbe, memory, descriptors, finding } = report;
console.log(`${cases} conversations, ${(cases / options.seconds).toFixed(0)} a second`);
console.log(
  `C-ECHO and C-FIND in between: median ${medianProbe.toFixed(1)} ms, slowest ${slowestProbe.toFixed(0)} ms`,
);
console.log(
  `memory ${memory.first} MB after the first round, ${memory.most} at most, ${memory.last} at the end`,
);
console.log(`descriptors ${descriptors.first} before, ${descriptors.last} after`);
if (finding !== undefined) {
  console.log(
    `BROKEN: ${finding.reason}\nthe bytes are in ${finding.file}; or again with --seed ${options.seed}`,
  );
  process.exitCode = 1;
}
