/** The options of `npm run fuzz:…`. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** Reads `--minutes`, `--seed` and `--findings` from the command line, and prints what is going to run. */
export function fuzzOptions(): {
  readonly seconds: number;
  readonly seed: number;
  readonly findings: string;
} {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '5' },
      seed: { type: 'string' },
      findings: { type: 'string', default: join(process.cwd(), 'fuzz-findings') },
    },
  });
  const seconds = Number(values.minutes) * 60;
  const seed =
    values.seed === undefined ? Temporal.Now.instant().epochMilliseconds % 1e9 : Number(values.seed);
  if (!(seconds > 0) || !Number.isInteger(seed))
    throw new Error('--minutes takes a number, --seed a whole one');
  console.log(`seed ${seed}: ${seconds} s of it`);
  return { seconds, seed, findings: values.findings };
}
