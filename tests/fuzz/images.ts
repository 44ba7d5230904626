/** `npm run fuzz:images -- --minutes 5 [--seed N]`: exit code 1 where the image path broke, with the bytes in a file. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fuzzImages } from './images-fuzz.ts';

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
const report = await fuzzImages({ seconds, seed, findings: values.findings });
const { cases, tagged, refused, judged, slowest, memory, finding } = report;
console.log(
  `${cases} files: ${tagged} tagged, ${judged} of them judged by DCMTK, ${refused} refused or tagged before`,
);
console.log(`slowest ${slowest.ms.toFixed(0)} ms (${slowest.kind}); memory ${memory} MB at most`);
if (finding !== undefined) {
  console.log(`BROKEN: ${finding.reason}\nthe bytes are in ${finding.file}; or again with --seed ${seed}`);
  process.exitCode = 1;
}
