/** `npm run fuzz:images -- --minutes 5 [--seed N]`: exit code 1 where the image path broke, with the bytes in a file. */
import { fuzzImages } from './images-fuzz.ts';
import { fuzzOptions } from './options.ts';

const options = fuzzOptions();
const report = await fuzzImages(options);
const { cases, tagged, refused, judged, slowest, memory, finding } = report;
console.log(
  `${cases} files: ${tagged} tagged, ${judged} of them judged by DCMTK, ${refused} refused or tagged before`,
);
console.log(`slowest ${slowest.ms.toFixed(0)} ms (${slowest.kind}); memory ${memory} MB at most`);
if (finding !== undefined) {
  console.log(
    `BROKEN: ${finding.reason}\nthe bytes are in ${finding.file}; or again with --seed ${options.seed}`,
  );
  process.exitCode = 1;
}
